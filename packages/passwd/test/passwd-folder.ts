import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { looksHashed, looksLikeScram, parsePasswordHash } from '@tsmqtt/credentials';
import { onTestFinished } from 'vitest';
import { run } from '../src/run.js';
import { fakeIo } from './fake-io.js';

/** A folder with a password file `f`, removed at the end of the test. */
export function passwdFolder(content?: string) {
  const folder = mkdtempSync(join(tmpdir(), 'passwd-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'f');
  if (content !== undefined) writeFileSync(file, content, { mode: 0o600, encoding: 'latin1' });
  return {
    folder,
    file,
    /** The file's bytes, one character each. */
    bytes: () => readFileSync(file, 'latin1'),
    /** The same with the name of its kind for every hash. */
    kinds: () =>
      readFileSync(file, 'latin1').replace(/\$[0-9a-z-]+\$[^\n\r:]+/g, (hash) => {
        if (looksLikeScram(hash)) return 'scram';
        return looksHashed(hash) ? (parsePasswordHash(hash)?.kind ?? hash) : hash;
      }),
    verify: async (username: string, password: string) =>
      (await passwd(['--verify', '--stdin', file, username], password)).code === 0,
  };
}

/** Runs the program in this process. */
export async function passwd(args: readonly string[], input: string | Buffer = '') {
  const fake = fakeIo(input);
  const code = await run(
    args.map((arg) => Buffer.from(arg)),
    fake.io,
  );
  return { code, stdout: fake.stdout, stderr: fake.stderr };
}
