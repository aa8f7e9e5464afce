import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { formatPasswordHash, looksHashed, parsePasswordHash } from './password-hash.js';

interface HashVector {
  readonly password: string;
  readonly kind: string;
  readonly hash: string;
}

const vectors: HashVector[] = JSON.parse(
  readFileSync(new URL('../vectors/hashes.json', import.meta.url), 'utf8'),
);
const SALT = Buffer.alloc(12, 1).toString('base64');
const DIGEST = Buffer.alloc(64, 2).toString('base64');
const PHC_SALT = 'AQEBAQEBAQEBAQEB';

describe('parsePasswordHash', () => {
  test.each(vectors)('reads and writes back $hash', ({ kind, hash }) => {
    const parsed = parsePasswordHash(hash);
    expect(parsed?.kind).toBe(kind);
    expect(parsed && formatPasswordHash(parsed)).toBe(hash);
  });

  // biome-ignore format: one row a line
  const rejected: [string, string][] = [
    ['plain text', 'secret'],
    ['nothing', ''],
    ['an unknown kind', `$8$${SALT}$${DIGEST}`],
    ['a salt of another length', `$6$${Buffer.alloc(16).toString('base64')}$${DIGEST}`],
    ['a short digest', `$6$${SALT}$${Buffer.alloc(63).toString('base64')}`],
    ['a long digest', `$7$101$${SALT}$${Buffer.alloc(65).toString('base64')}`],
    ['characters that are not Base64', `$6$${SALT}$${DIGEST.replace('A', '*')}`],
    ['missing padding', `$6$${SALT}$${DIGEST.replace(/=+$/, '')}`],
    ['no iterations', `$7$0$${SALT}$${DIGEST}`],
    ['negative iterations', `$7$-1$${SALT}$${DIGEST}`],
    ['iterations that are no number', `$7$1e3$${SALT}$${DIGEST}`],
    ['more iterations than can be done', `$7$2147483648$${SALT}$${DIGEST}`],
    ['something behind', `$7$101$${SALT}$${DIGEST}$`],
    ['argon2id of another version', `$argon2id$v=16$m=64,t=1,p=1$${PHC_SALT}$${PHC_SALT}`],
    ['argon2id with padding', `$argon2id$v=19$m=64,t=1,p=1$AQEBAQEBAQEBAQ==$${PHC_SALT}`],
    ['argon2id with too little memory', `$argon2id$v=19$m=15,t=1,p=2$${PHC_SALT}$${PHC_SALT}`],
    ['argon2id with more memory than there can be', `$argon2id$v=19$m=4294967295,t=1,p=1$${PHC_SALT}$${PHC_SALT}`],
    ['argon2i', `$argon2i$v=19$m=64,t=1,p=1$${PHC_SALT}$${PHC_SALT}`],
    ['bcrypt with a cost that does not exist', `$2b$32$${'C'.repeat(53)}`],
    ['bcrypt cut short', `$2b$05$${'C'.repeat(52)}`],
    ['bcrypt of a broken version', `$2x$05$${'C'.repeat(53)}`],
  ];
  test.each(rejected)('does not take %s', (_, text) => {
    expect(parsePasswordHash(text)).toBeUndefined();
  });
});

describe('looksHashed', () => {
  test.each(vectors)('knows $hash', ({ hash }) => {
    expect(looksHashed(hash)).toBe(true);
  });

  test.each(['$6$cut', '$argon2i$v=19$x', '$scram-sha-256$4096$a$b$c', '$y$j9T$a$b', '$1$a$b'])(
    'leaves %s alone, which only others can read',
    (text) => {
      expect(looksHashed(text)).toBe(true);
    },
  );

  test.each(['secret', '$ecret', '$$$', '$6$', '$6$two words', '', '100$7$a'])(
    'takes %j for a password',
    (text) => {
      expect(looksHashed(text)).toBe(false);
    },
  );
});
