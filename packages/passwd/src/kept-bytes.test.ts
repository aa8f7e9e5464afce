import { describe, expect, test } from 'vitest';
import { passwd, passwdFolder } from '../test/passwd-folder.js';

/** Files of all shapes, with what stands around the users `u` (changed or deleted) and `a` (never touched). */
// biome-ignore format: one row a line
const shapes: { shape: string; before: string; user: string; after: string; unfinished?: string }[] = [
  { shape: 'nothing else', before: '', user: 'u:x\n', after: '' },
  { shape: 'other users', before: 'a:y\n', user: 'u:x\n', after: 'b:z\n' },
  { shape: 'comments', before: '# staff\n#a:b\n', user: 'u:x\n', after: '  # indented\n#\n' },
  { shape: 'blank lines', before: '\n \t\n', user: 'u:x\n', after: '\n\n\n' },
  { shape: 'CRLF', before: '# c\r\na:y\r\n\r\n', user: 'u:x\r\n', after: 'b:z\r\n' },
  { shape: 'both line ends', before: '# c\na:y\r\n', user: 'u:x\n', after: 'b:z\n\r\n' },
  { shape: 'no line feed at the end', before: 'a:y\n', user: 'u:x\n', after: 'b:z', unfinished: '\n' },
  { shape: 'an unfinished comment at the end', before: 'a:y\n', user: 'u:x\n', after: '# the end', unfinished: '\n' },
  { shape: 'an unfinished CRLF file', before: 'a:y\r\n', user: 'u:x\r\n', after: 'b:z', unfinished: '\n' },
  { shape: 'unknown hash types', before: 'a:$y$j9T$salt$hash\n', user: 'u:x\n', after: 'b:$argon2i$v=19$m=8,t=1,p=1$c$d\nc:$8$e\nd:$pbkdf2-sha256$1$f$g\n' },
  { shape: 'bytes that are no text', before: '\xff\xfe:$9$z\n#\xe9\n', user: 'u:x\n', after: '#\xa0\n' },
  { shape: 'blanks around names and hashes', before: '  a : $1$y$z \t\n', user: ' u : x \n', after: 'b\t:\t$1$z\n' },
  { shape: 'duplicates of others', before: 'a:$1$y\na:$1$z\n', user: 'u:x\n', after: 'a:$1$y\n' },
  { shape: 'further fields', before: 'a:$1$y:z\n', user: 'u:x:y:z\n', after: 'b:$1$z::\n' },
  { shape: 'long lines', before: `a:$1$${'y'.repeat(100_000)}\n`, user: 'u:x\n', after: `#${'z'.repeat(100_000)}\n` },
];
const END = /\r?\n$/;
const HASH = '\\$7\\$1\\$[A-Za-z0-9+/]{16}\\$[A-Za-z0-9+/]{86}==';

/** The file's bytes with `HASH` for each hash that was made now. */
function made(bytes: string): string {
  return bytes.replace(new RegExp(HASH, 'g'), 'HASH');
}

describe.each(shapes)('a file with $shape', ({ before, user, after, unfinished = '' }) => {
  const content = before + user + after;
  const changed = `u:HASH${END.exec(user)?.[0]}`;

  test('is kept when a user is added', async () => {
    const { file, bytes } = passwdFolder(content);
    expect((await passwd(['-I', '1', '-b', file, 'new', 'p'])).code).toBe(0);
    expect(made(bytes())).toBe(`${content}${unfinished}new:HASH\n`);
  });

  test('is kept when a password is changed', async () => {
    const { file, bytes } = passwdFolder(content);
    expect((await passwd(['-I', '1', '-b', file, 'u', 'p'])).code).toBe(0);
    expect(made(bytes())).toBe(before + changed + after);
  });

  test('is kept when a user is deleted', async () => {
    const { file, bytes } = passwdFolder(content);
    expect((await passwd(['-D', file, 'u'])).code).toBe(0);
    expect(bytes()).toBe(before + after);
  });

  test('is kept when users are imported', async () => {
    const { file, bytes } = passwdFolder(content);
    expect((await passwd(['-I', '1', '--import', file], 'n1:p\nu:q\nn2:r\n')).code).toBe(0);
    expect(made(bytes())).toBe(`${before}${changed}${after}${unfinished}n1:HASH\nn2:HASH\n`);
  });

  test('is untouched when a user is not there', async () => {
    const { file, bytes } = passwdFolder(content);
    expect((await passwd(['-D', file, 'nobody'])).code).toBe(1);
    expect(bytes()).toBe(content);
  });

  test('keeps its comments, blank lines and hashes when plain text is hashed', async () => {
    const { file, bytes } = passwdFolder(content);
    expect((await passwd(['-I', '1', '-U', file])).code).toBe(0);
    const lines = content.split('\n');
    const now = made(bytes()).split('\n');
    for (const [index, line] of lines.entries()) {
      const isPlain = /^(?!\s*#)[^:]+:(?!\s*\$(?:[1-9y]|argon2i|pbkdf2-sha256)\$)/.test(line);
      if (isPlain) expect(now[index]).toMatch(/^\w:HASH\r?$/);
      else expect(now[index]).toBe(line);
    }
  });
});
