import { afterEach, describe, expect, test, vi } from 'vitest';
import * as hashing from './hash-password.js';
import { hashPassword } from './hash-password.js';
import { PasswordFileError, PasswordVerifier } from './password-verifier.js';

vi.mock(import('./hash-password.js'), { spy: true });
const verifyPassword = vi.mocked(hashing.verifyPassword);

afterEach(() => {
  verifyPassword.mockReset();
});

const right = Buffer.from('right');
const wrong = Buffer.from('wrong');
const hash = await hashPassword(right, { iterations: 1 });
const slower = await hashPassword(right, { iterations: 2 });

describe('fromText', () => {
  // biome-ignore format: one row a line
  const bad: [string, string, string, number, string][] = [
    ['plain text', 'a:secret\n', 'undecodable-hash', 1, 'Unable to decode line'],
    ['an empty hash', `# c\na:${hash}\nb:\n`, 'undecodable-hash', 3, 'Unable to decode line'],
    ['a user for the second time', `ü:${hash}\n\n ü :${hash}\n`, 'duplicate-user', 3, "Duplicate user 'ü'"],
    ['an empty name', ` :${hash}\n`, 'invalid-line', 1, 'Invalid line'],
    ['a NUL', `a\0b:${hash}\0\n`, 'undecodable-hash', 1, 'Unable to decode line'],
  ];
  test.each(bad)('refuses %s, naming file and line', (_, content, code, line, what) => {
    const error = (() => {
      try {
        return PasswordVerifier.fromText(content, '/etc/pw');
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toBeInstanceOf(PasswordFileError);
    expect(error).toMatchObject({
      code,
      line,
      path: '/etc/pw',
      message: `password-file: Error: ${what} in password file '/etc/pw'. (line ${line})`,
    });
  });

  test('skips comments and lines without a colon, ignores blanks, CRLF and what follows a second colon', async () => {
    const content = `# a:b\nno colon\n\n a : ${hash} :x\r\nb:${hash}`;
    const verifier = PasswordVerifier.fromText(content, 'f');
    expect([verifier.size, verifier.has('a'), verifier.has('b'), verifier.has('# a')]).toEqual([
      2,
      true,
      true,
      false,
    ]);
    expect(await verifier.verify('a', right)).toBe('accepted');
  });

  test('a name that is not UTF-8 is nobody', async () => {
    const content = Buffer.concat([Uint8Array.of(0xff), Buffer.from(`:${hash}\n`)]);
    const verifier = PasswordVerifier.fromText(content, 'f');
    expect(verifier.has('\uFFFD')).toBe(false);
    expect(await verifier.verify('\uFFFD', right)).toBe('refused');
  });
});

describe('verify', () => {
  const verifier = (options = {}) =>
    PasswordVerifier.fromText(`a:${hash}\nb:${slower}\nc:${hash}\n`, 'f', options);

  // biome-ignore format: one row a line
  const verdicts: [string, string, Uint8Array | undefined, string][] = [
    ['the right password', 'a', right, 'accepted'],
    ['a wrong one', 'a', wrong, 'refused'],
    ['none', 'a', undefined, 'refused'],
    ['an empty one', 'a', new Uint8Array(), 'refused'],
    ['an unknown user', 'nobody', right, 'refused'],
  ];
  test.each(verdicts)('%s', async (_, username, password, verdict) => {
    expect(await verifier().verify(username, password)).toBe(verdict);
  });

  test('every refusal costs one hash, also for unknown users and without a password', async () => {
    const checks = verifier();
    await checks.verify('a', wrong);
    await checks.verify('nobody', wrong);
    await checks.verify('a', undefined);
    await checks.verify('nobody', undefined);
    expect(verifyPassword).toHaveBeenCalledTimes(4);
  });

  test('an unknown user always meets the same hash, so that time tells nothing in a mixed file', async () => {
    const checks = verifier();
    for (let count = 0; count < 3; count += 1) await checks.verify('nobody', Buffer.from(`guess ${count}`));
    expect(new Set(verifyPassword.mock.calls.map(([, used]) => used)).size).toBe(1);
    for (let count = 0; count < 64; count += 1) await checks.verify(`nobody ${count}`, wrong);
    // Not always that of the same user either.
    expect(new Set(verifyPassword.mock.calls.map(([, used]) => used)).size).toBe(3);
  });

  test('without users there is nothing to hash', async () => {
    expect(await PasswordVerifier.fromText('', 'f').verify('a', right)).toBe('refused');
    expect(verifyPassword).not.toHaveBeenCalled();
  });

  test('the password that was right is right again without hashing; another one is not', async () => {
    const checks = verifier();
    await checks.verify('a', right);
    expect(await checks.verify('a', right)).toBe('accepted');
    expect(verifyPassword).toHaveBeenCalledTimes(1);
    expect(await checks.verify('a', wrong)).toBe('refused');
    expect(await checks.verify('a', wrong)).toBe('refused');
    expect(await checks.verify('b', right)).toBe('accepted');
    expect(verifyPassword).toHaveBeenCalledTimes(4);
  });

  test('an unknown user costs one hash of the kind that the file has', async () => {
    for (const kind of ['sha512-pbkdf2', 'sha512', 'argon2id', 'bcrypt'] as const) {
      const checks = PasswordVerifier.fromText(`a:${await hashPassword(right, { kind })}\n`, 'f');
      await checks.verify('nobody', right);
      await checks.verify('a', wrong);
      expect(verifyPassword.mock.calls.map(([, used]) => used.kind)).toEqual([kind, kind]);
      verifyPassword.mockClear();
    }
  });

  test('nothing that was right is right in the next load of the file', async () => {
    const before = verifier();
    expect(await before.verify('a', right)).toBe('accepted');
    const after = PasswordVerifier.fromText(`a:${await hashPassword(wrong, { iterations: 1 })}\n`, 'f');
    expect(await after.verify('a', right)).toBe('refused');
    expect(await after.verify('a', wrong)).toBe('accepted');
    expect(verifyPassword).toHaveBeenCalledTimes(3);
  });

  test('what is wrong is remembered by nobody, and one user is not another', async () => {
    const checks = PasswordVerifier.fromText(`a:${hash}\n`, 'f');
    await checks.verify('a', right);
    expect(await checks.verify('aright', Buffer.alloc(0))).toBe('refused');
    expect(await checks.verify('', Buffer.from('aright'))).toBe('refused');
  });

  test('a crowd with one password costs one hash and nobody is turned away', async () => {
    const checks = verifier({ concurrency: 1, maxWaiting: 1 });
    const verdicts = await Promise.all(Array.from({ length: 500 }, () => checks.verify('a', right)));
    expect(new Set(verdicts)).toEqual(new Set(['accepted']));
    expect(verifyPassword).toHaveBeenCalledTimes(1);
  });

  test('beyond those that are checked and those that wait, the answer is busy', async () => {
    const checks = verifier({ concurrency: 2, maxWaiting: 64 });
    const verdicts = await Promise.all(
      Array.from({ length: 100 }, (_, index) => checks.verify('a', Buffer.from(`guess ${index}`))),
    );
    expect(verdicts.filter((verdict) => verdict === 'refused')).toHaveLength(66);
    expect(verdicts.filter((verdict) => verdict === 'busy')).toHaveLength(34);
    expect(await checks.verify('a', right)).toBe('accepted');
  });

  test('a hash that cannot be computed is reported and answered busy', async () => {
    verifyPassword.mockRejectedValueOnce(new Error('no memory'));
    const errors: unknown[] = [];
    const checks = verifier({
      onError: (error: unknown, username: string) => errors.push([error, username]),
    });
    expect(await checks.verify('a', right)).toBe('busy');
    expect(errors).toEqual([[new Error('no memory'), 'a']]);
    expect(await checks.verify('a', right)).toBe('accepted');
  });
});
