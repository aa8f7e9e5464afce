import { MalformedPacketError, ProtocolError, UsageError } from '../errors.js';
import { validTopicName } from '../topic/topic-name.js';
import {
  NO_PROPERTIES,
  PROPERTIES,
  type Properties,
  type Property,
  type PropertyPlace,
  type PropertyRow,
} from './property-table.js';
import type { Reader } from './reader.js';
import type { Writer } from './writer.js';

const BY_ID: readonly (PropertyRow | undefined)[] = (() => {
  const rows: (PropertyRow | undefined)[] = new Array(128).fill(undefined);
  for (const row of PROPERTIES) rows[row.id] = row;
  return rows;
})();

const BY_NAME = new Map<string, PropertyRow>(PROPERTIES.map((row) => [row.name, row]));

/** In SUBSCRIBE and UNSUBSCRIBE a wrong property is reported as malformed (broker §9.1). */
function misplaced(
  place: PropertyPlace,
  code: string,
  message: string,
): MalformedPacketError | ProtocolError {
  return place === 'SUBSCRIBE' || place === 'UNSUBSCRIBE'
    ? new MalformedPacketError(code, message)
    : new ProtocolError(code, message);
}

/**
 * Properties (2.2.2):  Property Length (Variable Byte Integer), then Identifier (Variable Byte Integer) and value each.
 *
 * @throws MalformedPacketError for what cannot be parsed, ProtocolError for a property that may not stand there.
 */
export function readProperties(reader: Reader, place: PropertyPlace): Properties {
  try {
    return readBlock(reader, place);
  } catch (error) {
    // A code of its own: in CONNECT it is answered, where a field that is cut off is not (broker §9.1, §9.2).
    if (!(error instanceof MalformedPacketError) || error.code !== 'truncated') throw error;
    throw new MalformedPacketError('property-truncated', 'packet ends in the middle of a property');
  }
}

function readBlock(reader: Reader, place: PropertyPlace): Properties {
  const length = reader.varint();
  if (length === 0) return NO_PROPERTIES;
  if (length > reader.remaining) {
    throw new MalformedPacketError('property-length', 'Property Length goes beyond the packet');
  }
  const packetEnd = reader.end;
  reader.end = reader.position + length;
  const properties: Property[] = [];
  const seen = new Set<number>();
  while (reader.remaining > 0) {
    const id = reader.varint();
    const row = BY_ID[id];
    if (row === undefined) {
      throw new MalformedPacketError('property-unknown', `there is no property 0x${id.toString(16)}`);
    }
    if (!row.places.includes(place)) {
      throw misplaced(place, 'property-misplaced', `${row.label} may not stand in ${place}`);
    }
    // Each property's own clause: a Protocol Error to include it more than once. The Subscription Identifier repeats
    // in PUBLISH only (3.8.2.1.2).
    if (row.repeatable !== true || (row.name === 'subscriptionIdentifier' && place === 'SUBSCRIBE')) {
      if (seen.has(id))
        throw new ProtocolError('property-duplicate', `${row.label} stands twice in ${place}`);
      seen.add(id);
    }
    properties.push(readProperty(reader, row, place));
  }
  reader.end = packetEnd;
  return properties;
}

function readProperty(reader: Reader, row: PropertyRow, place: PropertyPlace): Property {
  const value = readValue(reader, row);
  // Topic Alias [MQTT-3.3.2-8], and what else is a Protocol Error with 0.
  if (row.nonZero === true && value === 0) {
    throw misplaced(place, 'property-zero', `${row.label} is 0`);
  }
  if (row.type === 'boolean' && (value as number) > 1) {
    throw new ProtocolError('property-boolean', `${row.label} is neither 0 nor 1`);
  }
  // [MQTT-3.3.2-14] and the same for the will (3.1.3.2.6).
  if (row.name === 'responseTopic' && !validTopicName(value as string)) {
    throw new ProtocolError('response-topic', 'response-topic is empty or has a wildcard');
  }
  return { name: row.name, value } as Property;
}

function readValue(reader: Reader, row: PropertyRow): Property['value'] {
  switch (row.type) {
    case 'byte':
    case 'boolean':
      return reader.byte();
    case 'int16':
      return reader.int16();
    case 'int32':
      return reader.int32();
    case 'varint':
      return reader.varint();
    case 'string':
      // [MQTT-3.3.2-13] [MQTT-3.3.2-19]
      return reader.string(row.label, 'property-utf8');
    case 'binary':
      return reader.binary();
    case 'pair':
      // [MQTT-1.5.7-1]
      return [
        reader.string('user property name', 'property-utf8'),
        reader.string('user property value', 'property-utf8'),
      ];
  }
}

/** Writes Property Length, 0 without properties [MQTT-2.2.2-1], and properties in the order given. */
export function writeProperties(writer: Writer, properties: Properties): void {
  const mark = writer.fork();
  for (const entry of properties) writeProperty(writer, entry);
  writer.join(mark);
}

/** Identifier and value of one property. @throws UsageError `property-value` */
export function writeProperty(writer: Writer, entry: Property): void {
  const row = BY_NAME.get(entry.name) as PropertyRow;
  writer.varint(row.id);
  const value = entry.value;
  switch (row.type) {
    case 'byte':
    case 'boolean':
      writer.byte(inRange(row, value, 0xff));
      return;
    case 'int16':
      writer.int16(inRange(row, value, 0xffff));
      return;
    case 'int32':
      writer.int32(inRange(row, value, 0xffff_ffff));
      return;
    case 'varint':
      writer.varint(inRange(row, value, 268_435_455));
      return;
    case 'string':
      writer.string(value as string);
      return;
    case 'binary':
      writer.binary(value as Uint8Array);
      return;
    case 'pair': {
      const [name, text] = value as readonly [string, string];
      writer.string(name);
      writer.string(text);
      return;
    }
  }
}

function inRange(row: PropertyRow, value: Property['value'], largest: number): number {
  const number = value as number;
  if (!Number.isInteger(number) || number < 0 || number > largest) {
    throw new UsageError(
      'property-value',
      `${row.label} takes a whole number from 0 to ${largest}, not ${String(value)}`,
    );
  }
  return number;
}
