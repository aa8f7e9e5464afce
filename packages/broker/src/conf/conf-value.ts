import { isUtf8 } from 'node:buffer';
import type { ConfOption } from './option-row.js';

/** What a line sets its option to. */
export type ConfValue = boolean | number | string;

/** A value that cannot be read: the text of the error, without `Error: `. */
export class ConfValueError extends Error {
  override readonly name = 'ConfValueError';
}

const INT_MIN = -(2 ** 31);
const INT_MAX = 2 ** 31 - 1;

const SECONDS: Readonly<Record<string, number>> = {
  s: 1,
  h: 3_600,
  d: 86_400,
  w: 604_800,
  // Not minutes (T-48).
  m: 2_592_000,
  y: 31_536_000,
};

/**
 * Reads the value of an option (contract broker §2.1, §2.3).
 *
 * @param rest the rest of the line, one character for each byte.
 * @param name the option as it was written, for the errors.
 * @throws ConfValueError
 */
export function readValue(row: ConfOption, name: string, rest: string): ConfValue {
  if (row.type === 'anything') return rest;
  if (rest === '') throw new ConfValueError(`Empty '${name}' value in configuration.`);
  switch (row.type) {
    case 'boolean':
      return readBoolean(name, firstWord(rest));
    case 'integer':
      return inRange(row, name, readInteger(name, firstWord(rest)));
    case 'choice':
      return readChoice(row, name, firstWord(rest));
    case 'duration':
      return readDuration(name, readText(name, rest));
    case 'string': {
      const text = readText(name, rest);
      const most = row.range?.[1];
      if (most !== undefined && Buffer.byteLength(text) > most) throw new ConfValueError(row.rangeError!);
      return text;
    }
  }
}

/** The bytes of a word or name as text, for messages. */
export function shown(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8');
}

/** A string: UTF-8 without control characters, without white space around it. */
export function readText(name: string, rest: string): string {
  const bytes = Buffer.from(rest, 'latin1');
  if (!isUtf8(bytes)) throw new ConfValueError('Malformed UTF-8 in configuration.');
  const text = bytes.toString('utf8').replace(/^[\t\v\f\r ]+/, '');
  const trimmed = text.slice(0, lengthWithoutBlanks(text));
  if (/[\u0000-\u001f\u007f-\u009f]/.test(trimmed)) {
    throw new ConfValueError('Malformed UTF-8 in configuration.');
  }
  if (trimmed === '') throw new ConfValueError(`Empty '${name}' value in configuration.`);
  return trimmed;
}

/** C's strtol with base 0, within 32 bits (T-51). */
export function readInteger(name: string, word: string): number {
  const match = /^([+-]?)(?:0[xX]([0-9a-fA-F]+)|0([0-7]*)|([1-9][0-9]*))$/.exec(word);
  if (match === null) throw new ConfValueError(`'${name}' value not a number.`);
  const [, sign, hexadecimal, octal, decimal] = match;
  const size =
    hexadecimal !== undefined
      ? Number.parseInt(hexadecimal, 16)
      : decimal !== undefined
        ? Number(decimal)
        : Number.parseInt(`0${octal}`, 8);
  const value = sign === '-' ? 0 - size : size;
  if (value < INT_MIN || value > INT_MAX) throw new ConfValueError(`'${name}' value out of range.`);
  return value;
}

function readBoolean(name: string, word: string): boolean {
  if (word === 'true' || word === '1') return true;
  if (word === 'false' || word === '0') return false;
  throw new ConfValueError(`Invalid '${name}' value (${shown(word)}).`);
}

function readChoice(row: ConfOption, name: string, word: string): string {
  if (row.choices?.includes(word) === true) return word;
  throw new ConfValueError(`Invalid '${name}' value (${shown(word)}).`);
}

function readDuration(name: string, text: string): number {
  const match = /^([0-9]{1,10})([a-z])$/.exec(text);
  const unit = SECONDS[match?.[2] ?? ''];
  const count = Number(match?.[1]);
  if (unit === undefined || count < 1 || count > INT_MAX) {
    throw new ConfValueError(`Invalid '${name}' duration in configuration.`);
  }
  return count * unit;
}

function inRange(row: ConfOption, name: string, value: number): number {
  const [least, most] = row.range ?? [INT_MIN, INT_MAX];
  if (value < least || value > most) {
    throw new ConfValueError(row.rangeError ?? `Invalid '${name}' value (${value}).`);
  }
  const { unlimited } = row;
  if (unlimited === undefined) return value;
  const { below, above = INT_MAX, as } = unlimited;
  return value < below || value > above ? as : value;
}

function firstWord(rest: string): string {
  const space = rest.indexOf(' ');
  return space === -1 ? rest : rest.slice(0, space);
}

function lengthWithoutBlanks(text: string): number {
  let end = text.length;
  while (end > 0 && '\t\v\f\r '.includes(text[end - 1]!)) end--;
  return end;
}
