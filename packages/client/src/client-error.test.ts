import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CLIENT_ERROR_CODES } from './index.js';

test('the README explains every code, and no other', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const explained = [...readme.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, code]) => code);
  expect(explained.sort()).toEqual([...CLIENT_ERROR_CODES].sort());
});
