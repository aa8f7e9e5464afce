import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from './support/folder.js';
import { programFile } from './support/programs.js';

/** Files whose folder does not let them be replaced: written in place (P-19). */

const root = process.getuid?.() === 0;
const NOBODY = 65_534;

/** Root may write everywhere, so root's tests run the program, from a place that others can read, as somebody else. */
function passwdAsOrdinaryUser(args: readonly string[], temporary: string) {
  const built = programFile('tsmqtt-passwd');
  const copy = temporaryFolder();
  cpSync(path.dirname(built), copy, { recursive: true });
  chmodSync(copy, 0o755);
  return spawnSync(process.execPath, [path.join(copy, path.basename(built)), ...args], {
    encoding: 'utf8',
    env: { ...process.env, TMPDIR: temporary },
    ...(root ? { uid: NOBODY, gid: NOBODY } : {}),
  });
}

test.skipIf(process.platform === 'win32')('in a folder that is not writable', () => {
  const folder = temporaryFolder({ f: 'a:x\n' });
  const temporary = temporaryFolder();
  const file = path.join(folder, 'f');
  if (root) for (const name of [file, temporary]) chownSync(name, NOBODY, NOBODY);
  chmodSync(folder, 0o555);
  const { ino } = statSync(file);
  try {
    const { status, stdout, stderr } = passwdAsOrdinaryUser(['-b', file, 'u', 'p'], temporary);
    expect([status, stdout, stderr]).toEqual([0, 'Adding password for user u\n', '']);
  } finally {
    chmodSync(folder, 0o755);
  }
  expect(readFileSync(file, 'utf8')).toMatch(/^a:x\nu:\$7\$/);
  expect(statSync(file).ino).toBe(ino);
  expect(readdirSync(folder)).toEqual(['f']);
  expect(readdirSync(temporary)).toEqual([]);
});

test.skipIf(process.platform === 'win32')('that may not be written are not replaced either', () => {
  const folder = temporaryFolder({ f: 'a:x\n' });
  const file = path.join(folder, 'f');
  if (root) for (const name of [file, folder]) chownSync(name, NOBODY, NOBODY);
  chmodSync(file, 0o400);
  const { status, stderr } = passwdAsOrdinaryUser(['-b', file, 'u', 'p'], folder);
  expect([status, stderr]).toEqual([1, `Error: Unable to open password file ${file}. Permission denied.\n`]);
  expect(readFileSync(file, 'utf8')).toBe('a:x\n');
  expect(readdirSync(folder)).toEqual(['f']);
});

const namespace = existsSync('/usr/bin/unshare') && spawnSync('unshare', ['-m', 'true']).status === 0;

test.runIf(root && namespace)('that are bind mounts', () => {
  const folder = temporaryFolder({ source: 'a:x\n', target: '' });
  const script = 'mount --bind "$1/source" "$1/target" && shift && exec "$@"';
  const program = [
    process.execPath,
    programFile('tsmqtt-passwd'),
    '-b',
    path.join(folder, 'target'),
    'u',
    'p',
  ];
  const { status, stderr } = spawnSync('unshare', ['-m', 'sh', '-c', script, 'sh', folder, ...program], {
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
  expect(readFileSync(path.join(folder, 'source'), 'utf8')).toMatch(/^a:x\nu:\$7\$/);
  expect(readdirSync(folder).sort()).toEqual(['source', 'target']);
});

describe.runIf(root && namespace)(
  `on a full disk${root && namespace ? '' : ' (a small file system can be mounted by root only)'}`,
  () => {
    /**
     * Runs the program in a file system of 64 KiB with a password file `f`, once nothing more fits in. Shows, in this
     * order: exit code, names in the folder, the file's content.
     */
    function onFullDisk(fill: string, args: readonly string[], input = '') {
      const folder = temporaryFolder();
      const script = [
        'mount -t tmpfs -o size=64k,nr_inodes=$2 none "$1" && cd "$1"',
        "umask 077; printf '# c\\na:x\\n' > f",
        fill,
        'shift 2; "$@"; code=$?',
        'echo "exit $code"; ls -A; cat f',
      ].join('\n');
      const program = [process.execPath, programFile('tsmqtt-passwd'), ...args];
      const inodes = fill.includes('#no inodes') ? '3' : '16';
      const { stdout, stderr } = spawnSync(
        'unshare',
        ['-m', 'sh', '-c', script, 'sh', folder, inodes, ...program],
        {
          encoding: 'utf8',
          input,
        },
      );
      return { stdout, stderr: stderr.replaceAll(folder, 'DIR') };
    }

    const FILL = 'dd if=/dev/zero of=full bs=4096 status=none 2>/dev/null; echo > g 2>/dev/null';
    // biome-ignore format: one row a line
    const cases: [string, string, string[], string, string, string][] = [
      ['adding', FILL, ['-b', 'f', 'u', 'p'], '', 'Error occurred updating password file. (No space left on device)\n', 'f\nfull\ng\n'],
      ['deleting', FILL, ['-D', 'f', 'a'], '', 'Error occurred updating password file. (No space left on device)\n', 'f\nfull\ng\n'],
      ['-U', FILL, ['-U', 'f'], '', 'Error occurred updating password file. (No space left on device)\n', 'f\nfull\ng\n'],
      ['--import', FILL, ['--import', 'f'], 'u:p\nv:q\n', 'Error occurred updating password file. (No space left on device)\n', 'f\nfull\ng\n'],
      ['creating', FILL, ['-c', '-b', 'h', 'u', 'p'], '', 'Error: Unable to open file h for writing. No space left on device.\n', 'f\nfull\ng\n'],
      ['adding in place', `ln f other; ${FILL}`, ['-b', 'f', 'u', 'p'], '', 'Error copying data to backup password file "DIR/f.backup.RANDOM", not continuing.\n', 'f\nfull\ng\nother\n'],
      ['adding without room for a lock', 'touch full #no inodes', ['-b', 'f', 'u', 'p'], '', 'Error: Unable to lock password file DIR/f. No space left on device.\n', 'f\nfull\n'],
      ['creating without room for a lock', 'touch full #no inodes', ['-c', '-b', 'h', 'u', 'p'], '', 'Error: Unable to open file h for writing. No space left on device.\n', 'f\nfull\n'],
    ];
    test.each(cases)(
      '%s: exit 1, the old file stays, nothing is left',
      (_, fill, args, input, error, names) => {
        const { stdout, stderr } = onFullDisk(fill, args, input);
        expect(stderr.replace(/\.backup\.\w{6}/, '.backup.RANDOM')).toBe(error);
        expect(stdout).toBe(`exit 1\n${names}# c\na:x\n`);
      },
    );
  },
);

test.runIf(process.platform === 'linux')(
  'what was asked for on stdout and cannot be written has not happened',
  () => {
    const file = path.join(temporaryFolder({ f: 'a:x\nb:y\n' }), 'f');
    const program = `exec "${process.execPath}" "${programFile('tsmqtt-passwd')}"`;
    const sh = (command: string) => {
      const { status, stderr } = spawnSync('bash', ['-c', command], { encoding: 'utf8', input: 'u:p\n' });
      return { status, stderr };
    };
    const full = {
      status: 1,
      stderr: 'Error: Unable to write to standard output: No space left on device.\n',
    };
    expect(sh(`${program} -c -b - u p > /dev/full`)).toEqual(full);
    expect(sh(`${program} -I 1 -c --import - > /dev/full`)).toEqual(full);
    expect(sh(`${program} --list ${file} > /dev/full`)).toEqual(full);
    // What it says of its work is not its work.
    expect(sh(`${program} -b ${file} c p > /dev/full`)).toEqual({ status: 0, stderr: '' });
  },
);
