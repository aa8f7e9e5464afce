import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  checkScramProof,
  formatScramCredential,
  looksLikeScram,
  makeScramCredential,
  parseScramCredential,
  verifyScramPassword,
} from './scram-credential.js';

interface ScramVector {
  readonly password: string;
  readonly credential: string;
  readonly authMessage: string;
  readonly clientProof: string;
  readonly serverSignature: string;
}

const vectors: ScramVector[] = JSON.parse(
  readFileSync(new URL('../vectors/scram.json', import.meta.url), 'utf8'),
);
const [vector] = vectors as [ScramVector];
const SALT = Buffer.alloc(16, 1).toString('base64');
const KEY = Buffer.alloc(32, 2).toString('base64');

describe.each(vectors)('$credential', ({ password, credential: text, ...exchange }) => {
  const credential = parseScramCredential(text)!;

  test('is read and written back', () => {
    expect(formatScramCredential(credential)).toBe(text);
    expect(looksLikeScram(text)).toBe(true);
  });

  test('is that of its password and of no other', async () => {
    expect(await verifyScramPassword(Buffer.from(password), credential)).toBe(true);
    expect(await verifyScramPassword(Buffer.from(`${password}x`), credential)).toBe(false);
    expect(await verifyScramPassword(Buffer.alloc(0), credential)).toBe(false);
    expect(await verifyScramPassword(Uint8Array.of(0xff), credential)).toBe(false);
  });

  test('recognises the proof and signs the answer', () => {
    const proof = Buffer.from(exchange.clientProof, 'base64');
    const signature = checkScramProof(credential, exchange.authMessage, proof);
    expect(signature?.toString('base64')).toBe(exchange.serverSignature);
    for (const index of proof.keys()) {
      const forged = Buffer.from(proof);
      forged[index]! ^= 1;
      expect(checkScramProof(credential, exchange.authMessage, forged)).toBeUndefined();
    }
    expect(checkScramProof(credential, `${exchange.authMessage}x`, proof)).toBeUndefined();
    expect(checkScramProof(credential, exchange.authMessage, proof.subarray(1))).toBeUndefined();
  });
});

describe('parseScramCredential', () => {
  // biome-ignore format: one row a line
  const rejected: [string, string][] = [
    ['plain text', 'secret'],
    ['another kind', `$7$4096$${SALT}$${KEY}`],
    ['another hash', `$scram-sha-1$4096$${SALT}$${KEY}$${KEY}`],
    ['no iterations', `$scram-sha-256$0$${SALT}$${KEY}$${KEY}`],
    ['more iterations than can be done', `$scram-sha-256$2147483648$${SALT}$${KEY}$${KEY}`],
    ['no salt', `$scram-sha-256$4096$$${KEY}$${KEY}`],
    ['missing padding', `$scram-sha-256$4096$${SALT}$${KEY.replace('=', '')}$${KEY}`],
    ['a short key', `$scram-sha-256$4096$${SALT}$${KEY}$${SALT}`],
    ['only one key', `$scram-sha-256$4096$${SALT}$${KEY}`],
    ['something behind', `$scram-sha-256$4096$${SALT}$${KEY}$${KEY}$`],
  ];
  test.each(rejected)('does not take %s', (_, text) => {
    expect(parseScramCredential(text)).toBeUndefined();
  });
});

describe('makeScramCredential', () => {
  test('makes another one each time, of the layout that a broker reads', async () => {
    const password = Buffer.from(vector.password);
    const made = await Promise.all([makeScramCredential(password), makeScramCredential(password)]);
    const [first, second] = made.map(formatScramCredential) as [string, string];
    expect(first).toMatch(/^\$scram-sha-256\$10000\$[A-Za-z0-9+/]{22}==(\$[A-Za-z0-9+/]{43}=){2}$/);
    expect(first).not.toBe(second);
    expect(await verifyScramPassword(password, parseScramCredential(first)!)).toBe(true);
  });

  test('prepares the password as clients do (RFC 4013)', async () => {
    const made = await makeScramCredential(Buffer.from('u\u0308 \ufb01'), { iterations: 4096 });
    expect(made.iterations).toBe(4096);
    expect(await verifyScramPassword(Buffer.from('\u00fc\u00a0fi'), made)).toBe(true);
  });

  // biome-ignore format: one row a line
  const refused: [string, Uint8Array, number, string][] = [
    ['an empty password', Buffer.alloc(0), 4096, 'password-empty'],
    ['one of which nothing is left', Buffer.from('\u00ad'), 4096, 'password-empty'],
    ['bytes that are no text', Uint8Array.of(0xff), 4096, 'password-not-text'],
    ['a control character', Buffer.from('a\tb'), 4096, 'password-not-text'],
    ['fewer iterations than clients take', Buffer.from('p'), 4095, 'iterations-out-of-range'],
    ['half an iteration', Buffer.from('p'), 4096.5, 'iterations-out-of-range'],
    ['too many iterations', Buffer.from('p'), 2 ** 31, 'iterations-out-of-range'],
  ];
  test.each(refused)('refuses %s', async (_, password, iterations, code) => {
    await expect(makeScramCredential(password, { iterations })).rejects.toMatchObject({
      name: 'UnhashablePasswordError',
      code,
    });
  });
});
