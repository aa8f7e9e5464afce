import type { ByteSink } from './byte-sink.js';
import type { Field } from './compile-format.js';

const SPACE = 0x20;
const ZERO = 0x30;
const MINUS = 0x2d;

const FILL_BYTES = 4096;
const FILLS: ReadonlyMap<number, Uint8Array> = new Map(
  [SPACE, ZERO].map((byte) => [byte, Buffer.alloc(FILL_BYTES, byte)]),
);

/** Writes `byte`, a space or a zero, `count` times; nothing where that is negative. */
function fill(out: ByteSink, count: number, byte: number): void {
  const source = FILLS.get(byte)!;
  for (let left = count; left > 0; left -= FILL_BYTES) {
    out.bytes(left < FILL_BYTES ? source.subarray(0, left) : source);
  }
}

function fillByte(field: Field): number {
  return field.zero ? ZERO : SPACE;
}

/** A whole number of zero or more: digits only, to save making text of them. */
export function writeDecimal(out: ByteSink, value: number): void {
  let power = 1;
  while (power * 10 <= value) power *= 10;
  for (let rest = value; power >= 1; power /= 10) {
    const digit = Math.floor(rest / power);
    out.byte(ZERO + digit);
    rest -= digit * power;
  }
}

/** Class `int` and `float`: zeros stand behind the sign. Precision was applied before. */
export function writeNumber(out: ByteSink, field: Field, text: string): void {
  const missing = field.width - text.length;
  if (missing <= 0 || field.left) {
    out.text(text);
    fill(out, missing, SPACE);
  } else if (field.zero) {
    const signed = text.charCodeAt(0) === MINUS;
    if (signed) out.byte(MINUS);
    fill(out, missing, ZERO);
    out.text(signed ? text.slice(1) : text);
  } else {
    fill(out, missing, SPACE);
    out.text(text);
  }
}

/** Class `str`: width and precision are bytes, also where that cuts a character (cli T-45). */
export function writeString(out: ByteSink, field: Field, bytes: Uint8Array): void {
  const { precision, width, left } = field;
  const cut = precision !== undefined && precision < bytes.length ? bytes.subarray(0, precision) : bytes;
  if (!left) fill(out, width - cut.length, SPACE);
  out.bytes(cut);
  if (left) fill(out, width - cut.length, SPACE);
}

/** The width of what is not there, with zeros where the flag says so, on whichever side (cli T-44). */
export function writeAbsent(out: ByteSink, field: Field): void {
  fill(out, field.width, fillByte(field));
}

/** Class `raw`: width is least and most (cli T-42). */
export function writeRaw(out: ByteSink, field: Field, payload: Uint8Array): void {
  const { width, left } = field;
  if (width === 0) {
    out.bytes(payload);
    return;
  }
  if (!left) fill(out, width - payload.length, fillByte(field));
  out.bytes(payload.length > width ? payload.subarray(0, width) : payload);
  if (left) fill(out, width - payload.length, SPACE);
}

const LOWER_DIGITS = Buffer.from('0123456789abcdef');
const UPPER_DIGITS = Buffer.from('0123456789ABCDEF');

/**
 * Class `hex`: width is the most bytes and the least digits; precision is the size of groups, in digits. Fill on the
 * left belongs to the groups, separators do not belong to the width (cli §14.4, T-42).
 */
export function writeHex(out: ByteSink, field: Field, upperCase: boolean, payload: Uint8Array): void {
  const { width, left, separator } = field;
  const digits = upperCase ? UPPER_DIGITS : LOWER_DIGITS;
  const group = field.precision ?? 0;
  const bytes = width > 0 && payload.length > width ? payload.subarray(0, width) : payload;
  const missing = width - bytes.length * 2;
  // Digits to go until the next separator; never there where there are no groups.
  let untilSeparator = group === 0 ? Number.POSITIVE_INFINITY : group;
  if (!left && group === 0) fill(out, missing, fillByte(field));
  else if (!left) {
    for (let index = 0; index < missing; index++) {
      out.byte(fillByte(field));
      if (--untilSeparator === 0) {
        out.byte(separator);
        untilSeparator = group;
      }
    }
  }
  const last = bytes.length - 1;
  for (let index = 0; index <= last; index++) {
    const byte = bytes[index]!;
    out.byte(digits[byte >> 4]!);
    if (--untilSeparator === 0) {
      out.byte(separator);
      untilSeparator = group;
    }
    out.byte(digits[byte & 15]!);
    if (--untilSeparator === 0 && index < last) {
      out.byte(separator);
      untilSeparator = group;
    }
  }
  if (left) fill(out, missing, SPACE);
}
