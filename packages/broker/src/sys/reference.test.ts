import { expect, test } from 'vitest';
import { sysReference } from './reference.js';
import { SYS_ROWS } from './sys-table.js';

test('names every topic once', () => {
  const text = sysReference();
  for (const topic of SYS_ROWS.flatMap((row) => row.topics)) {
    expect(text.split(`\`${topic}\``)).toHaveLength(topic === 'uptime' ? 3 : 2);
  }
});
