import { expect, test } from 'vitest';
import { latencyText } from './latency-text.js';

test.each([
  [12_345.678_901, '12.345678901'],
  [1000, '1.000000000'],
  [999.999_999, '999.999999ms'],
  [2.5, '2.500000ms'],
  [1, '1.000000ms'],
  [0.999_5, '999.500000µs'],
  [0.001, '1.000000µs'],
  [0.000_75, '750ns'],
  [0, '0ns'],
])('%d ms (cli §13)', (milliseconds, text) => expect(latencyText(milliseconds)).toBe(`Latency: ${text}\n`));
