/**
 * Reads a whole number between `minimum` and `maximum`: optional sign, decimal digits, nothing else (P-4).
 * Undefined for anything else.
 */
export function integerValue(value: Buffer, minimum: number, maximum: number): number | undefined {
  const text = value.toString('latin1');
  if (!/^[+-]?[0-9]+$/.test(text)) return undefined;
  const number = Number(text);
  return number >= minimum && number <= maximum ? number : undefined;
}

/** Reads a number as C's `atof` does: what is not one is 0, and what follows one is ignored (cli §2.6). */
export function floatValue(value: Buffer): number {
  const found = /^[ \t\n\v\f\r]*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)/.exec(
    value.toString('latin1'),
  );
  return found === null ? 0 : Number(found[1]);
}

/** Session Expiry Interval that stands for "never" (MQTT 5, 3.1.2.11.2). */
export const NEVER_EXPIRES = 0xffffffff;

/**
 * Reads the value of `-x` as C's strict `strtol` with base 0 does: `0x10` is 16, `010` is 8; -1 and `∞` are never.
 * Answers why not where it cannot (cli §3.2).
 */
export function expiryValue(value: Buffer): number | 'not a number' | 'out of range' {
  const text = value.toString();
  if (text === '∞') return NEVER_EXPIRES;
  const found = /^[ \t\n\v\f\r]*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)$/.exec(text);
  const digits = found?.[2];
  if (found === null || digits === undefined) return 'not a number';
  const magnitude = /^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits);
  const number = found[1] === '-' ? -magnitude : magnitude;
  if (number === -1) return NEVER_EXPIRES;
  return number >= 0 && number <= NEVER_EXPIRES ? number : 'out of range';
}
