const BITS_OF_FRACTION = 52n;
const SMALLEST_EXPONENT = -1074n;
/** No double has more decimals than this. */
const MOST_DECIMALS = 1074;

const view = new DataView(new ArrayBuffer(8));

/**
 * A double as C's `%.*f` prints it: all digits of its exact value, never an exponent; what lies half-way goes to the
 * even digit. `nan`, `-nan`, `inf`, `-inf` for what is no number; the sign of -0 and of NaN is kept.
 *
 * @param bits the double's bits, because a number may lose the sign of NaN
 */
export function fixedPoint(bits: bigint, decimals: number): string {
  const sign = bits >> 63n === 0n ? '' : '-';
  const exponentField = (bits >> BITS_OF_FRACTION) & 0x7ffn;
  const fraction = bits & ((1n << BITS_OF_FRACTION) - 1n);
  if (exponentField === 0x7ffn) return sign + (fraction === 0n ? 'inf' : 'nan');
  const mantissa = exponentField === 0n ? fraction : fraction | (1n << BITS_OF_FRACTION);
  // Subnormal numbers have the exponent of the smallest normal ones.
  const exponent = SMALLEST_EXPONENT - 1n + (exponentField === 0n ? 1n : exponentField);
  const kept = Math.min(decimals, MOST_DECIMALS);
  const digits = scaled(mantissa * 10n ** BigInt(kept), exponent)
    .toString()
    .padStart(kept + 1, '0');
  const whole = digits.slice(0, digits.length - kept);
  return decimals === 0
    ? sign + whole
    : `${sign}${whole}.${digits.slice(whole.length).padEnd(decimals, '0')}`;
}

/** `value * 2 ** exponent`, rounded half to even. */
function scaled(value: bigint, exponent: bigint): bigint {
  if (exponent >= 0n) return value << exponent;
  const quotient = value >> -exponent;
  const rest = value - (quotient << -exponent);
  const half = 1n << (-exponent - 1n);
  const up = rest > half || (rest === half && (quotient & 1n) === 1n);
  return up ? quotient + 1n : quotient;
}

/** The bits of the double that 4 or 8 little-endian bytes hold. */
export function doubleBits(payload: Uint8Array): bigint {
  const source = new DataView(payload.buffer, payload.byteOffset, payload.length);
  if (payload.length === 8) return source.getBigUint64(0, true);
  view.setFloat64(0, source.getFloat32(0, true));
  const bits = view.getBigUint64(0);
  // Every float is exact as a double, but engines may change NaN's sign on the way.
  const negative = (source.getUint8(3) & 0x80) !== 0;
  return BigInt.asUintN(63, bits) | (negative ? 1n << 63n : 0n);
}
