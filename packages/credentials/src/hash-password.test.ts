import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { hashPassword, verifyPassword } from './hash-password.js';
import { HASH_KINDS, parsePasswordHash } from './password-hash.js';

interface HashVector {
  readonly password: string;
  readonly kind: string;
  readonly hash: string;
}

const vectors: HashVector[] = JSON.parse(
  readFileSync(new URL('../vectors/hashes.json', import.meta.url), 'utf8'),
);

function verify(password: string | Uint8Array, hash: string): Promise<boolean> {
  return verifyPassword(Buffer.from(password), parsePasswordHash(hash)!);
}

describe('verifyPassword', () => {
  test.each(vectors)('accepts the password of $hash and no other', async ({ password, hash }) => {
    expect(await verify(password, hash)).toBe(true);
    expect(await verify(`${password}x`, hash)).toBe(false);
    expect(await verify('', hash)).toBe(false);
  });

  test('bcrypt refuses bytes that it could not tell from others', async () => {
    const hash = await hashPassword(Buffer.from('\uFFFD'), { kind: 'bcrypt' });
    expect(await verify('\uFFFD', hash)).toBe(true);
    expect(await verify(Uint8Array.of(0xff), hash)).toBe(false);
    // A NUL makes the key repeat itself: a, NUL, a, NUL ... either way.
    const repeated = vectors.find(({ kind }) => kind === 'bcrypt')!;
    expect(await verify(`${repeated.password}\0${repeated.password}`, repeated.hash)).toBe(false);
  });
});

describe('hashPassword', () => {
  test.each(HASH_KINDS)('%s: what it writes verifies, with another salt each time', async (kind) => {
    const password = Buffer.from('Ünïcode: 100 % secret');
    const [first, second] = await Promise.all([
      hashPassword(password, { kind }),
      hashPassword(password, { kind }),
    ]);
    expect(first).not.toBe(second);
    expect(await verify(password, first)).toBe(true);
    expect(await verify('Ünïcode: 100 % secre', first)).toBe(false);
  });

  test.each(['sha512-pbkdf2', 'sha512', 'argon2id'] as const)('%s takes any bytes', async (kind) => {
    const password = Uint8Array.of(0xff, 0x00, 0x3a, 0xfe);
    const hash = await hashPassword(password, { kind });
    expect(await verify(password, hash)).toBe(true);
    expect(await verify(Uint8Array.of(0xff), hash)).toBe(false);
  });

  // biome-ignore format: one row a line
  const layouts: [string, Parameters<typeof hashPassword>[1], RegExp][] = [
    ['the default that every Mosquitto reads', undefined, /^\$7\$10000\$[A-Za-z0-9+/]{16}\$[A-Za-z0-9+/]{86}==$/],
    ['other iterations', { iterations: 7 }, /^\$7\$7\$[A-Za-z0-9+/]{16}\$[A-Za-z0-9+/]{86}==$/],
    ['one pass of SHA-512', { kind: 'sha512' }, /^\$6\$[A-Za-z0-9+/]{16}\$[A-Za-z0-9+/]{86}==$/],
    ['argon2id', { kind: 'argon2id' }, /^\$argon2id\$v=19\$m=47104,t=1,p=1\$[A-Za-z0-9+/]{86}\$[A-Za-z0-9+/]{86}$/],
    ['bcrypt', { kind: 'bcrypt' }, /^\$2b\$12\$[./A-Za-z0-9]{53}$/],
  ];
  test.each(layouts)('writes %s', async (_, settings, layout) => {
    expect(await hashPassword(Buffer.from('p'), settings)).toMatch(layout);
  });

  test('an empty password is a password, except to argon2id', async () => {
    expect(await verify('', await hashPassword(Buffer.alloc(0)))).toBe(true);
    expect(await verify('', await hashPassword(Buffer.alloc(0), { kind: 'bcrypt' }))).toBe(true);
    await expect(hashPassword(Buffer.alloc(0), { kind: 'argon2id' })).rejects.toMatchObject({
      code: 'password-empty',
    });
  });

  // biome-ignore format: one row a line
  const refused: [string, Uint8Array, Parameters<typeof hashPassword>[1], string][] = [
    ['a password that bcrypt would cut', Buffer.alloc(73, 'a'), { kind: 'bcrypt' }, 'password-too-long'],
    ['a NUL, where bcrypt starts again', Buffer.from('a\0b'), { kind: 'bcrypt' }, 'password-not-text'],
    ['bytes that bcryptjs cannot be given', Uint8Array.of(0xff), { kind: 'bcrypt' }, 'password-not-text'],
    ['no iterations', Buffer.from('p'), { iterations: 0 }, 'iterations-out-of-range'],
    ['half an iteration', Buffer.from('p'), { iterations: 1.5 }, 'iterations-out-of-range'],
    ['too many iterations', Buffer.from('p'), { iterations: 2 ** 31 }, 'iterations-out-of-range'],
  ];
  test.each(refused)('refuses %s', async (_, password, settings, code) => {
    await expect(hashPassword(password, settings)).rejects.toMatchObject({
      name: 'UnhashablePasswordError',
      code,
    });
  });
});
