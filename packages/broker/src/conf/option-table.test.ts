import { describe, expect, it } from 'vitest';
import { ALL_LOG_TYPES } from '../log/log-type-table.js';
import { DEFAULT_LISTENER, DEFAULT_SECURITY, DEFAULT_SETTINGS } from '../settings.js';
import { readValue } from './conf-value.js';
import { SPECIAL_EFFECTS } from './effects.js';
import type { ConfOption } from './option-row.js';
import { CONF_OPTIONS, confOption } from './option-table.js';

const names = CONF_OPTIONS.flatMap((row) => [row.name, ...(row.aliases ?? [])]);

function defaultOf(sets: NonNullable<ConfOption['sets']>): unknown {
  if ('broker' in sets) return DEFAULT_SETTINGS[sets.broker];
  return 'security' in sets ? DEFAULT_SECURITY[sets.security] : DEFAULT_LISTENER[sets.listener];
}

/** Strings whose default is a value and not a description. */
const WRITTEN_DEFAULTS: ReadonlySet<string> = new Set(['auto_id_prefix', 'tls_version']);

describe('the table of options', () => {
  it('has every name once', () => {
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(confOption(name)).toBeDefined();
  });

  // Options that Mosquitto documents for parts that the table must not forget.
  it.each(['acl_file', 'listener', 'certfile', 'plugin', 'connection', 'bridge_require_ocsp', 'maximum_qos'])(
    'knows %s',
    (name) => expect(confOption(name)).toBeDefined(),
  );

  it.each(CONF_OPTIONS)('$name is complete', (row) => {
    expect(row.doc).not.toBe('');
    if (row.type === 'choice') expect(row.choices?.length).toBeGreaterThan(1);
    if (row.type === 'string' && row.range !== undefined) expect(row.rangeError).toBeDefined();
    if (row.support === 'honoured') {
      expect(row.sets !== undefined || row.name === 'include_dir' || row.name in SPECIAL_EFFECTS).toBe(true);
      expect(row.warning).toBeUndefined();
    }
    if (row.support === 'refused') expect([row.sets, row.warning]).toEqual([undefined, undefined]);
    // Without persistence there is nothing to say about where it would be.
    if (row.support === 'ignored' && row.name !== 'persistence_location') expect(row.warning).toBeDefined();
    if (row.sets !== undefined && 'listener' in row.sets) expect(['L', 'L+']).toContain(row.scope);
    if (row.sets !== undefined && 'security' in row.sets) expect(row.scope).toBe('P');
  });

  it.each(CONF_OPTIONS.filter((row) => row.sets !== undefined))(
    '$name has the type of its setting',
    (row) => {
      const value = defaultOf(row.sets!);
      const written = row.default ?? '';
      if (row.type === 'integer' && row.default !== undefined) {
        expect(value).toBe(readValue(row, row.name, written));
      } else if (row.type === 'string')
        expect(value ?? '').toBe(WRITTEN_DEFAULTS.has(row.name) ? written : '');
      else if (value !== undefined) expect(value).toBe(readValue(row, row.name, written));
      else expect(['boolean', 'choice', 'duration', 'integer']).toContain(row.type);
    },
  );

  it('offers every type of log lines', () => {
    expect(confOption('log_type')?.choices).toEqual([...ALL_LOG_TYPES, 'all', 'none']);
  });
});
