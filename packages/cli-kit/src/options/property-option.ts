import {
  isMqttUtf8,
  lazily,
  PROPERTIES,
  type Property,
  type PropertyPlace,
  type PropertyRow,
  type PropertyType,
} from '@tsmqtt/protocol';
import { ArgumentError, argumentError } from './argument-error.js';
import { integerValue } from './number-value.js';
import type { SettablePlace, Settings } from './settings.js';

const SPACE = 0x20;

const ROWS: readonly PropertyRow[] = PROPERTIES;
const byLabel = lazily(() => new Map<string, PropertyRow>(ROWS.map((row) => [row.label, row])));
const places = lazily(() => new Set<string>(ROWS.flatMap((row) => row.places)));

/** Where the programs put properties (cli §7); in the other packets a client has nothing to say, or they do not. */
const SETTABLE: ReadonlySet<string> = new Set<SettablePlace>([
  'CONNECT',
  'PUBLISH',
  'SUBSCRIBE',
  'UNSUBSCRIBE',
  'DISCONNECT',
  'WILL',
]);

/** What each type is called in errors, and the largest number it can hold as far as the command line looks. */
// biome-ignore format: one row a line
const TYPES: Readonly<Record<PropertyType, { readonly number: number; readonly maximum?: number }>> = {
  byte: { number: 1, maximum: 0xff },
  boolean: { number: 1, maximum: 0xff },
  int16: { number: 2, maximum: 0xffff },
  int32: { number: 3, maximum: 0xffff_ffff },
  varint: { number: 4, maximum: 0xffff_ffff },
  binary: { number: 5 },
  string: { number: 6 },
  pair: { number: 7 },
};

/** Largest Variable Byte Integer (1.5.5). */
const MAXIMUM_VARINT = 268_435_455;
/** Longest string and binary value MQTT can carry. */
const MAXIMUM_BYTES = 65_535;

/**
 * `-D COMMAND PROPERTY VALUE`, or `-D COMMAND user-property NAME VALUE` (cli §7): takes from `following` what belongs to
 * it, writes the property into the settings and answers how many arguments it took. Throws ArgumentError; what is wrong
 * is looked for in the order of the contract.
 */
export function applyProperty(settings: Settings, following: readonly Buffer[]): number {
  const [command, name, first, second] = following;
  if (command === undefined || name === undefined || first === undefined) throw notEnough();
  const place = command.toString('latin1').toUpperCase();
  if (!places().has(place)) {
    throw argumentError`Error: Invalid command ${command} given in --property argument.\n\n`;
  }
  const row = byLabel().get(name.toString('latin1').toLowerCase());
  if (row === undefined) {
    throw argumentError`Error: Invalid property name ${name} given in --property argument.\n\n`;
  }
  if (!mayStandIn(row, place as PropertyPlace)) {
    throw argumentError`Error: ${name} property not allowed for ${command} in --property argument.\n\n`;
  }
  if (row.type === 'pair' && second === undefined) throw notEnough();
  if (place === 'CONNACK') throw new ArgumentError(Buffer.alloc(0));
  // No client sends a Subscription Identifier with a message [MQTT-3.3.4-6].
  if (!SETTABLE.has(place) || (place === 'PUBLISH' && row.name === 'subscriptionIdentifier')) {
    throw argumentError`Error: ${name} property not supported for ${command} in --property argument.\n\n`;
  }
  settings.properties[place as SettablePlace].push(propertyOf(row, name, first, second));
  settings.protocolVersion = 5;
  return row.type === 'pair' ? 4 : 3;
}

/** The reference takes a Reason String for the will, where MQTT has none; what comes of it is found later (cli §7). */
function mayStandIn(row: PropertyRow, place: PropertyPlace): boolean {
  return row.places.includes(place) || (place === 'WILL' && row.name === 'reasonString');
}

function propertyOf(row: PropertyRow, name: Buffer, first: Buffer, second: Buffer | undefined): Property {
  return { name: row.name, value: parsedValue(row, name, first, second) } as Property;
}

function parsedValue(
  row: PropertyRow,
  name: Buffer,
  first: Buffer,
  second: Buffer | undefined,
): Property['value'] {
  const { maximum } = TYPES[row.type];
  if (maximum !== undefined) {
    const value = integerValue(first, 0, maximum);
    if (value === undefined) {
      throw argumentError`Error: Property value (${first}) out of range for property ${name}.\n\n`;
    }
    if (row.type === 'varint' && value > MAXIMUM_VARINT) throw notAddable(row, name);
    return value;
  }
  if (row.type === 'binary') {
    if (first.length <= MAXIMUM_BYTES) return first;
    throw argumentError`Error: Property value too long for property ${name}.\n\n`;
  }
  const texts = row.type === 'pair' ? [first, second ?? Buffer.alloc(0)] : [first];
  if (!texts.every((text) => text.length <= MAXIMUM_BYTES && isMqttUtf8(text, 0, text.length))) {
    throw notAddable(row, name);
  }
  const [text = '', more = ''] = texts.map(String);
  return row.type === 'pair' ? [text, more] : text;
}

function notAddable(row: PropertyRow, name: Buffer): ArgumentError {
  return argumentError`Error adding property ${name} ${TYPES[row.type].number}\n`;
}

function notEnough(): ArgumentError {
  return argumentError`Error: --property argument given but not enough arguments specified.\n\n`;
}

/**
 * The arguments of `-D` in a line of an options file (D-16): command, property and, for `user-property`, name end at one
 * space each; the rest is the value.
 */
export function propertyWords(line: Buffer): Buffer[] {
  const words: Buffer[] = [];
  let start = 0;
  let count = 3;
  while (words.length < count - 1) {
    const space = line.indexOf(SPACE, start);
    if (space === -1) break;
    words.push(line.subarray(start, space));
    start = space + 1;
    if (words.length === 2 && words[1]?.toString('latin1').toLowerCase() === 'user-property') count = 4;
  }
  return [...words, line.subarray(start)];
}
