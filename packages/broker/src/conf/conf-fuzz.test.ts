import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ConfError } from './conf-error.js';
import { ConfReader } from './conf-reader.js';
import { CONF_OPTIONS } from './option-table.js';

const names = CONF_OPTIONS.flatMap((row) => [row.name, ...(row.aliases ?? [])]);

function read(content: Uint8Array): 'read' | 'refused' {
  const reader = new ConfReader({ readFile: () => content, readDir: () => ['a.conf', 'b'] }, () => {});
  try {
    reader.read('fuzz.conf');
    const { settings } = reader.finish();
    expect(settings.listeners.length).toBeGreaterThan(0);
    return 'read';
  } catch (error) {
    if (error instanceof ConfError) return 'refused';
    throw error;
  }
}

it('random bytes never do more than be refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      read(bytes);
    }),
    { numRuns: 2_000 },
  );
});

it('random values of known options never do more than be refused', () => {
  const value = fc.oneof(
    fc.string({ maxLength: 20 }),
    fc.constantFrom('true', 'false', '0', '1', 'all', 'none', 'file x', 'stdout', '1883 ::1', '2d'),
    fc.integer().map(String),
    fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  );
  const line = fc.tuple(fc.constantFrom(...names), value).map(([name, text]) => `${name} ${text}`);
  fc.assert(
    fc.property(fc.array(line, { maxLength: 6 }), (lines) => {
      read(Buffer.from(lines.join('\n'), 'latin1'));
    }),
    { numRuns: 5_000 },
  );
});

it('a line of spaces costs no more than its length', () => {
  expect(read(Buffer.from(`user ${' '.repeat(2_000_000)}x`))).toBe('read');
});
