import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { doubleBits, fixedPoint } from './fixed-point.js';

function bitsOf(value: number): bigint {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return doubleBits(bytes);
}

// Exact values of doubles, cut where C's printf cuts them.
test.each([
  [0, 6, '0.000000'],
  [-0, 0, '-0'],
  [0.5, 0, '0'],
  [1.5, 0, '2'],
  [2.5, 0, '2'],
  [-2.5, 0, '-2'],
  [3.5, 0, '4'],
  [0.125, 2, '0.12'],
  [0.375, 2, '0.38'],
  [0.1, 55, '0.1000000000000000055511151231257827021181583404541015625'],
  [0.1, 60, '0.100000000000000005551115123125782702118158340454101562500000'],
  [9.999999, 5, '10.00000'],
  [1e21, 1, '1000000000000000000000.0'],
  [1e23, 0, '99999999999999991611392'],
  [123456.789, 3, '123456.789'],
  [1e-7, 6, '0.000000'],
  [1e-7, 8, '0.00000010'],
  [-1e-9, 2, '-0.00'],
])('%d with %i decimals', (value, decimals, text) => {
  expect(fixedPoint(bitsOf(value), decimals)).toBe(text);
});

describe('the ends of the range', () => {
  test('the largest double has 309 digits', () => {
    expect(fixedPoint(bitsOf(Number.MAX_VALUE), 0)).toBe(String(BigInt(Number.MAX_VALUE)));
  });

  test('the smallest double is written out', () => {
    const text = fixedPoint(bitsOf(Number.MIN_VALUE), 1100);
    expect(text).toMatch(/^0\.0{323}4940656458412465441765687928682213723650598026143247644255856825006/);
    expect(text).toMatch(/9165655517578125?0*$|625?0{26}$/);
    expect(text).toHaveLength(1102);
    expect(Number(text)).toBe(Number.MIN_VALUE);
  });
});

test('reads back as the same number where there are enough decimals', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(Number(fixedPoint(bitsOf(value), 1074))).toBe(value);
    }),
  );
});

test('is toFixed where no half is to be rounded', () => {
  fc.assert(
    fc.property(fc.double({ min: -1e20, max: 1e20, noNaN: true }), fc.nat(100), (value, decimals) => {
      // More decimals than the value can have behind its last rounded one settle whether it lies half-way.
      const exact = fixedPoint(bitsOf(value), 1074);
      const rest = exact.slice(exact.indexOf('.') + 1 + decimals);
      fc.pre(!/^50*$/.test(rest) && !Object.is(value, -0) && value > 0);
      expect(fixedPoint(bitsOf(value), decimals)).toBe(value.toFixed(decimals));
    }),
  );
});
