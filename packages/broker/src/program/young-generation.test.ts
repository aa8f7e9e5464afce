import { describe, expect, it } from 'vitest';
import { YoungGeneration } from './young-generation.js';

/** A V8 whose young generation doubles after each so many looks at it, if it may. */
function v8After(looks: number) {
  let growing = false;
  let seen = 0;
  const v8 = {
    flags: [] as string[],
    size: 1_048_576,
    setFlagsFromString(flag: string) {
      v8.flags.push(flag);
      growing = flag === '--semi-space-growth-factor=2';
    },
    getHeapSpaceStatistics() {
      if (growing && ++seen % looks === 0) v8.size *= 2;
      return [
        { space_name: 'old_space', space_size: 100_000_000 },
        { space_name: 'new_space', space_size: v8.size },
      ];
    },
  };
  return v8;
}

describe('the young generation', () => {
  it('does not grow, and is collected by one thread', () => {
    const v8 = v8After(1);
    new YoungGeneration(v8).fit(0.09);
    expect(v8.flags).toEqual([
      '--no-parallel-scavenge',
      '--no-concurrent-array-buffer-sweeping',
      '--semi-space-growth-factor=1',
    ]);
  });

  it('grows to 2 MiB a semi-space while the broker is busy, as often as V8 shrinks it', () => {
    const v8 = v8After(10);
    const young = new YoungGeneration(v8);
    for (const first of [1_048_576, 2_097_152]) {
      v8.size = first;
      v8.flags = [];
      young.fit(0.5);
      young.fit(1);
      expect(v8.size).toBe(4_194_304);
      expect(v8.flags).toEqual(['--semi-space-growth-factor=2', '--semi-space-growth-factor=1']);
    }
  });

  it('is left as it is by a V8 that does not let it grow, and by one that has none', () => {
    const stubborn = v8After(Number.POSITIVE_INFINITY);
    new YoungGeneration(stubborn).fit(1);
    expect(stubborn.size).toBe(1_048_576);
    expect(stubborn.flags.at(-1)).toBe('--semi-space-growth-factor=1');
    const none = { ...v8After(1), getHeapSpaceStatistics: () => [] };
    new YoungGeneration(none).fit(1);
    expect(none.flags).toHaveLength(3);
  });
});
