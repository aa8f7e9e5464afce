import { expect, it } from 'vitest';
import { CONF_OPTIONS } from './option-table.js';
import { confReference } from './reference.js';

it('names every option once, in tables whose rows have six cells', () => {
  const rows = confReference()
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  expect(rows).toHaveLength(CONF_OPTIONS.length);
  for (const row of CONF_OPTIONS)
    expect(rows.filter((line) => line.startsWith(`| \`${row.name}\``))).toHaveLength(1);
  for (const row of rows) expect(row.split(/(?<!\\)\|/)).toHaveLength(8);
});
