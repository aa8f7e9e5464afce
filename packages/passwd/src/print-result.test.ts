import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { fakeIo } from '../test/fake-io.js';
import { printResult } from './print-result.js';

const failing = (code: string) =>
  new Writable({ write: (_chunk, _encoding, done) => done(Object.assign(new Error(code), { code })) }).on(
    'error',
    () => {},
  );

test.each([
  ['ENOSPC', 'Error: Unable to write to standard output: ENOSPC.\n'],
  ['EIO', 'Error: Unable to write to standard output: Input/output error.\n'],
  ['EPIPE', ''],
])('%s on stdout is a failure', async (code, output) => {
  const io = { ...fakeIo().io, stdout: failing(code) };
  await expect(printResult(io, Buffer.from('u'))).rejects.toMatchObject({
    name: 'Failure',
    exitCode: 1,
    output: Buffer.from(output),
  });
});

test('what stdout takes is none', async () => {
  const fake = fakeIo();
  await printResult(fake.io, Buffer.from('u:p\n'));
  expect(fake.stdout).toBe('u:p\n');
});
