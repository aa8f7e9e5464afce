import {
  PROPERTIES,
  type Property,
  type PropertyPlace,
  type PropertyRow,
  validTopicName,
} from '@tsmqtt/protocol';
import { sessionExpiry } from '../options/cross-checks.js';
import type { SettablePlace, Settings } from '../options/settings.js';
import { ProgramError } from '../program/program-error.js';

/** Receive Maximum in MQTT 5: rr wants one message, sub no more than `-C` asks for (cli §7). */
const RECEIVE_MAXIMUM = { pub: 20, sub: 20, rr: 1 } as const;

const BY_NAME = new Map<string, PropertyRow>(PROPERTIES.map((row) => [row.name, row]));

/** Texts of cli §17.3. */
const INVALID = 'A network protocol error occurred when communicating with the broker';
const DUPLICATE = 'Duplicate property in property list';
const NOT_SUPPORTED = 'This feature is not supported';

/** User's properties, then the expiry of `-x` or `-c`, then Receive Maximum (cli §7). */
export function connectProperties(settings: Settings): Property[] {
  const properties = [...settings.properties.CONNECT];
  if (settings.protocolVersion !== 5) return properties;
  const expiry = sessionExpiry(settings);
  if (expiry !== 0) properties.push({ name: 'sessionExpiryInterval', value: expiry });
  if (!properties.some(({ name }) => name === 'receiveMaximum')) {
    const most = RECEIVE_MAXIMUM[settings.tool];
    properties.push({ name: 'receiveMaximum', value: Math.min(most, settings.count ?? most) });
  }
  return properties;
}

/**
 * Refuses the properties that a broker would close the connection over, before there is one (cli §7, D-15). Those of
 * packets that the program will not send are nobody's business. Throws ProgramError.
 */
export function checkProperties(settings: Settings): void {
  const problem = (place: SettablePlace, properties: readonly Property[] = settings.properties[place]) =>
    problemIn(properties, place, settings);
  const connect = problem('CONNECT', connectProperties(settings));
  if (connect !== undefined) throw new ProgramError(1, `Unable to connect (${connect}).\n`);
  if (settings.willTopic !== undefined && problem('WILL') !== undefined) {
    throw new ProgramError(1, 'Error: Problem setting will.\n');
  }
  for (const place of sentPlaces(settings)) {
    const text = problem(place);
    if (text !== undefined) throw new ProgramError(1, `Error: ${text}\n`);
  }
}

function sentPlaces({ tool, filters, unsubscribe }: Settings): SettablePlace[] {
  if (tool === 'pub') return ['PUBLISH', 'DISCONNECT'];
  if (tool === 'rr') return ['SUBSCRIBE', 'PUBLISH', 'DISCONNECT'];
  return [
    ...(filters.length > 0 ? (['SUBSCRIBE'] as const) : []),
    ...(unsubscribe.length > 0 ? (['UNSUBSCRIBE'] as const) : []),
    'DISCONNECT',
  ];
}

function problemIn(
  properties: readonly Property[],
  place: PropertyPlace,
  { protocolVersion }: Settings,
): string | undefined {
  if (properties.length > 0 && protocolVersion !== 5) return NOT_SUPPORTED;
  const seen = new Set<string>();
  for (const entry of properties) {
    const row = BY_NAME.get(entry.name);
    if (row === undefined || !row.places.includes(place) || !validValue(row, entry)) return INVALID;
    // A client's packets have one Subscription Identifier at most (3.8.2.1.2).
    const repeatable = row.repeatable === true && row.name !== 'subscriptionIdentifier';
    if (seen.has(entry.name) && !repeatable) return DUPLICATE;
    seen.add(entry.name);
  }
  return undefined;
}

function validValue(row: PropertyRow, { name, value }: Property): boolean {
  if (row.nonZero === true && value === 0) return false;
  if (row.type === 'boolean' && value !== 0 && value !== 1) return false;
  return name !== 'responseTopic' || validTopicName(value);
}
