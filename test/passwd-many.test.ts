import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from './support/folder.js';
import { runProgram, startProgram } from './support/programs.js';

/** Several processes and one password file. */

function names(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(/^(\w+):\$/gm)].map((match) => match[1]!);
}

const TWENTY = Array.from({ length: 20 }, (_, index) => `u${index}`);

test('20 add different users at once: none is lost', async () => {
  const folder = temporaryFolder({ f: '# staff\n' });
  const file = path.join(folder, 'f');
  const ended = await Promise.all(
    TWENTY.map((name) => runProgram('tsmqtt-passwd', ['-I', '1', '-b', file, name, 'p'])),
  );
  expect(ended.map(({ code, stderr }) => [code, stderr])).toEqual(TWENTY.map(() => [0, '']));
  expect(names(file).sort()).toEqual([...TWENTY].sort());
  expect(readFileSync(file, 'utf8')).toMatch(/^# staff\n(u\d+:\$7\$1\$\S+\n){20}$/);
  expect(readdirSync(folder)).toEqual(['f']);
});

test('20 create the same file at once: one does, and the others say why not', async () => {
  const folder = temporaryFolder();
  const file = path.join(folder, 'f');
  const ended = await Promise.all(
    TWENTY.map((name) => runProgram('tsmqtt-passwd', ['-I', '1', '-c', '-b', file, name, 'p'])),
  );
  const refused = ended.filter(({ code }) => code === 1);
  expect(ended.filter(({ code }) => code === 0)).toHaveLength(1);
  expect(new Set(refused.map(({ stderr }) => stderr))).toEqual(
    new Set([`Error: Unable to open file ${file} for writing. File exists.\n`]),
  );
  expect(names(file)).toHaveLength(1);
  expect(readdirSync(folder)).toEqual(['f']);
});

test.skipIf(process.platform === 'win32')(
  'users are added while others are deleted, changed and killed: what is reported has happened',
  async () => {
    const folder = temporaryFolder({ f: TWENTY.map((name) => `${name}:$7$x\n`).join('') });
    const file = path.join(folder, 'f');
    const jobs = TWENTY.map(async (name, index) => {
      if (index % 4 === 0) {
        const child = startProgram('tsmqtt-passwd', ['-I', '1', '-b', file, `killed${index}`, 'p'], {
          input: '',
        });
        // Somewhere in its run, which is another place each time.
        setTimeout(() => child.kill('SIGKILL'), 40 + index * 3);
        await child.ended;
        return undefined;
      }
      const args = index % 2 === 0 ? ['-D', file, name] : ['-I', '1', '-b', file, `new${index}`, 'p'];
      expect((await runProgram('tsmqtt-passwd', args)).code).toBe(0);
      return args[0] === '-D' ? { gone: name } : { there: `new${index}` };
    });
    const done = await Promise.all(jobs);
    const found = names(file);
    for (const result of done) {
      if (result?.there !== undefined) expect(found).toContain(result.there);
      if (result?.gone !== undefined) expect(found).not.toContain(result.gone);
    }
    for (const [index, name] of TWENTY.entries()) if (index % 4 !== 2) expect(found).toContain(name);
    expect((await runProgram('tsmqtt-passwd', ['-I', '1', '-b', file, 'last', 'p'])).code).toBe(0);
    expect(readdirSync(folder)).toEqual(['f']);
  },
);
