import { describe, expect, test } from 'vitest';
import { PasswordFileError, PasswordVerifier } from './password-verifier.js';
import { formatScramCredential, makeScramCredential, type ScramCredential } from './scram-credential.js';
import { ScramFile, ScramFileError } from './scram-file.js';

const text = formatScramCredential(await makeScramCredential(Buffer.from('p'), { iterations: 4096 }));
const other = formatScramCredential(await makeScramCredential(Buffer.from('q'), { iterations: 5000 }));

describe('fromText', () => {
  test('reads users as a password file has them', () => {
    const file = ScramFile.fromText(`# c\n\n a : ${text}:x\r\nno colon\nü:${other}`, 'f');
    expect(file.size).toBe(2);
    expect(file.lookUp('a')).toMatchObject({ known: true, credential: { iterations: 4096 } });
    expect(formatScramCredential(file.lookUp('ü').credential)).toBe(other);
  });

  test('compares names in their prepared form (RFC 5802, 5.1)', () => {
    const file = ScramFile.fromText(`\ufb01:${text}\n\u05d0a:${text}\n`, 'f');
    expect(file.lookUp('fi').known).toBe(true);
    expect(file.lookUp('\ufb01').name).toBe('fi');
    expect(file.lookUp('\u05d0a').known).toBe(true);
  });

  // biome-ignore format: one row a line
  const bad: [string, string, string, number, string][] = [
    ['plain text', 'a:secret\n', 'undecodable-credential', 1, 'Unable to decode line'],
    ['a hash of a password file', `a:${text}\nb:$6$x$y\n`, 'undecodable-credential', 2, 'Unable to decode line'],
    ['a user for the second time', `ü:${text}\n\nu\u0308:${text}\n`, 'duplicate-user', 3, "Duplicate user 'ü'"],
    ['an empty name', ` :${text}\n`, 'invalid-line', 1, 'Invalid line'],
  ];
  test.each(bad)('refuses %s, naming file and line', (_, content, code, line, what) => {
    const read = () => ScramFile.fromText(content, '/etc/scram');
    expect(read).toThrow(ScramFileError);
    expect(read).toThrow(
      expect.objectContaining({
        code,
        line,
        path: '/etc/scram',
        message: `scram-file: Error: ${what} in SCRAM file '/etc/scram'. (line ${line})`,
      }),
    );
  });
});

test('a password file takes no SCRAM credential', () => {
  expect(() => PasswordVerifier.fromText(`a:${text}\n`, 'f')).toThrow(PasswordFileError);
});

describe('an unknown user', () => {
  const shape = ({ iterations, salt, storedKey, serverKey }: ScramCredential) => [
    iterations,
    salt.length,
    storedKey.length,
    serverKey.length,
  ];

  test('gets what looks like a credential of the file, always the same', () => {
    const file = ScramFile.fromText(`a:${text}\n`, 'f');
    const { known, credential } = file.lookUp('nobody');
    expect(known).toBe(false);
    expect(shape(credential)).toEqual(shape(file.lookUp('a').credential));
    expect(file.lookUp('nobody').credential).toEqual(credential);
    expect(ScramFile.fromText(`a:${text}\n`, 'f').lookUp('nobody').credential).toEqual(credential);
    expect(file.lookUp('somebody').credential.salt).not.toEqual(credential.salt);
    expect(ScramFile.fromText(`a:${other}\n`, 'f').lookUp('nobody').credential.salt).not.toEqual(
      credential.salt,
    );
  });

  test('in a mixed file is like one user or the other', () => {
    const file = ScramFile.fromText(`a:${text}\nb:${other}\n`, 'f');
    const names = Array.from({ length: 64 }, (_, index) => `nobody ${index}`);
    const seen = new Set(names.map((name) => file.lookUp(name).credential.iterations));
    expect(seen).toEqual(new Set([4096, 5000]));
  });

  test('meets the same salts after every reload, whoever else comes, goes or changes', () => {
    const first = ScramFile.fromText(`a:${text}\n`, 'f');
    const { credential } = first.lookUp('nobody');
    const alone = ScramFile.fromText('', 'f', first);
    const more = ScramFile.fromText(`a:${text}\nb:${text}\n`, 'f', alone);
    for (const file of [more, ScramFile.fromText(`b:${text}\n`, 'f', more)]) {
      expect(file.lookUp('nobody').credential).toEqual(credential);
    }
  });

  test('changes at most once, and as a whole, where users come with other iterations', () => {
    const first = ScramFile.fromText(`a:${text}\n`, 'f');
    const mixed = ScramFile.fromText(`a:${text}\nb:${other}\n`, 'f', first);
    const later = ScramFile.fromText(`a:${text}\nb:${other}\nc:${other}\nd:${other}\n`, 'f', mixed);
    for (const name of Array.from({ length: 64 }, (_, index) => `nobody ${index}`)) {
      const [before, after] = [first, mixed].map((file) => file.lookUp(name).credential);
      const sameSalt = Buffer.from(after!.salt).equals(before!.salt);
      expect(sameSalt).toBe(after!.iterations === before!.iterations);
      expect(later.lookUp(name).credential).toEqual(after);
    }
  });

  test('cannot be told by anybody who knows that the file began without users', () => {
    const salts = [1, 2].map(() => ScramFile.fromText('', 'f').lookUp('nobody').credential.salt);
    expect(salts[0]).not.toEqual(salts[1]);
  });

  test('in an empty file is one like any new user', () => {
    const { credential, known } = ScramFile.fromText('', 'f').lookUp('nobody');
    expect([known, ...shape(credential)]).toEqual([false, 10_000, 16, 32, 32]);
  });
});
