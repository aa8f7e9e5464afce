import { MalformedPacketError, type PeerError, ProtocolError } from '../../errors.js';
import { validTopicName } from '../../topic/topic-name.js';
import type { Connect, Will } from '../packet.js';
import { PacketType } from '../packet-type.js';
import { readProperties, writeProperties } from '../properties.js';
import { NO_PROPERTIES } from '../property-table.js';
import { Reader } from '../reader.js';
import type { ProtocolVersion, QoS } from '../version.js';
import type { Writer } from '../writer.js';

const BRIDGE = 0x80;

const Flag = { CLEAN_START: 0x02, WILL: 0x04, WILL_RETAIN: 0x20, PASSWORD: 0x40, USERNAME: 0x80 } as const;

/** Protocol Name by version (3.1.2.1). */
const NAMES: Readonly<Record<ProtocolVersion, string>> = { 3: 'MQIsdp', 4: 'MQTT', 5: 'MQTT' };

/**
 * The MQTT version that a CONNECT body asks for, as far as it can be read; undefined otherwise. For answering a CONNECT
 * that does not decode in the form its sender understands.
 */
export function peekProtocolVersion(source: Buffer, start: number, end: number): ProtocolVersion | undefined {
  if (end - start < 2) return undefined;
  const at = start + 2 + (((source[start] as number) << 8) | (source[start + 1] as number));
  if (at >= end) return undefined;
  const level = source[at] as number;
  const version = level & ~BRIDGE;
  return version === 3 || version === 4 || version === 5 ? version : undefined;
}

/**
 * CONNECT (3.1):
 *
 *     Protocol Name (string), Protocol Level (byte), Connect Flags (byte), Keep Alive (int16),
 *     Properties (MQTT 5), then the payload as the flags say:
 *     Client Identifier, Will Properties (MQTT 5), Will Topic, Will Payload, User Name, Password
 */
export function decodeConnect(flags: number, source: Buffer, start: number, end: number): Connect {
  const reader = new Reader(source, start, end);
  const name = reader.string('Protocol Name', 'protocol-name');
  // [MQTT-3.1.2-1] [MQTT311-3.1.2-1]: the connection may be closed without an answer.
  if (name !== 'MQTT' && name !== 'MQIsdp') {
    throw new MalformedPacketError('protocol-name', 'this is not MQTT: the Protocol Name is wrong');
  }
  const level = reader.byte();
  const version = versionOfLevel(level, name);
  // 3.1 never said that the Fixed Header's flags and the reserved Connect Flag are zero (broker §9.14).
  if (version !== 3 && flags !== 0)
    throw new MalformedPacketError('reserved-flags', 'CONNECT has reserved flags set');

  const connectFlags = reader.byte();
  // [MQTT-3.1.2-3] [MQTT311-3.1.2-3]
  if (version !== 3 && (connectFlags & 1) === 1) {
    throw new MalformedPacketError('connect-flags', 'reserved Connect Flag is set');
  }
  checkFlags(connectFlags, version);
  const keepAlive = reader.int16();
  const properties = version === 5 ? readProperties(reader, 'CONNECT') : NO_PROPERTIES;
  if (
    properties.some((entry) => entry.name === 'authenticationData') &&
    !properties.some((entry) => entry.name === 'authenticationMethod')
  ) {
    throw new ProtocolError('authentication-data', 'Authentication Data without Authentication Method'); // 3.1.2.11.10
  }
  // The payload's fields in their order, those that the flags announce [MQTT-3.1.3-1] [MQTT-3.1.3-3] [MQTT-3.1.2-9]
  // [MQTT-3.1.2-16] [MQTT-3.1.2-17] [MQTT-3.1.2-18] [MQTT-3.1.2-19] [MQTT311-3.1.3-1] [MQTT311-3.1.3-3]
  // [MQTT311-3.1.2-9] [MQTT311-3.1.2-18] [MQTT311-3.1.2-19] [MQTT311-3.1.2-20] [MQTT311-3.1.2-21].
  const clientId = readClientId(reader);
  const will = (connectFlags & Flag.WILL) === 0 ? undefined : readWill(reader, connectFlags, version);
  // 3.1 tolerates a User Name flag with nothing behind it (broker §9.2).
  const absent = version === 3 && reader.remaining === 0;
  // [MQTT-3.1.3-12] [MQTT311-3.1.3-11]
  const username = (connectFlags & Flag.USERNAME) === 0 || absent ? undefined : reader.string('User Name');
  const password =
    (connectFlags & Flag.PASSWORD) === 0 || (version === 3 && reader.remaining === 0)
      ? undefined
      : reader.binary();
  reader.finish();
  return {
    type: PacketType.CONNECT,
    protocolVersion: version,
    bridge: (level & BRIDGE) !== 0,
    cleanStart: (connectFlags & Flag.CLEAN_START) !== 0,
    keepAlive,
    clientId,
    will,
    username,
    password,
    properties,
  };
}

function versionOfLevel(level: number, name: string): ProtocolVersion {
  const version = level & ~BRIDGE;
  if (version !== 3 && version !== 4 && version !== 5) {
    // [MQTT-3.1.2-2] [MQTT311-3.1.2-2]
    throw new ProtocolError('protocol-level', `Protocol Level ${level} is not supported`, 0x84);
  }
  if (level === (5 | BRIDGE)) return 5;
  if ((version === 3) !== (name === 'MQIsdp')) {
    throw new ProtocolError(
      'protocol-mismatch',
      `Protocol Name ${name} does not go with level ${level}`,
      0x84,
    );
  }
  return version;
}

function checkFlags(flags: number, version: ProtocolVersion): void {
  const will = (flags & Flag.WILL) !== 0;
  const willQoS = (flags >> 3) & 3;
  // [MQTT-3.1.2-11] [MQTT-3.1.2-12] [MQTT-3.1.2-13]
  // [MQTT311-3.1.2-11] [MQTT311-3.1.2-13] [MQTT311-3.1.2-14] [MQTT311-3.1.2-15]
  if (willQoS === 3 || (!will && (willQoS !== 0 || (flags & Flag.WILL_RETAIN) !== 0))) {
    throw new MalformedPacketError('will-flags', 'Will QoS is 3, or will flags are set without a will');
  }
  // [MQTT311-3.1.2-22]; MQTT 5 allows a password alone.
  if (version !== 5 && (flags & Flag.PASSWORD) !== 0 && (flags & Flag.USERNAME) === 0) {
    throw new MalformedPacketError('password-without-username', 'Password flag without User Name flag');
  }
}

/**
 * Client Identifier [MQTT-3.1.3-4] [MQTT311-3.1.3-4]; one that is not text or is cut off has a Reason Code of its own
 * (broker §9.2) [MQTT-3.1.3-8].
 */
function readClientId(reader: Reader): string {
  try {
    return reader.string('Client Identifier');
  } catch (error) {
    if (!(error instanceof MalformedPacketError)) throw error;
    throw new MalformedPacketError('client-id', error.message, 0x85);
  }
}

function readWill(reader: Reader, flags: number, version: ProtocolVersion): Will {
  const properties = version === 5 ? readProperties(reader, 'WILL') : NO_PROPERTIES;
  // [MQTT-3.1.3-11] [MQTT311-3.1.3-10]
  const topic = reader.string('Will Topic');
  if (topic === '' && version === 5) throw new ProtocolError('will-topic-empty', 'Will Topic is empty');
  if (!validTopicName(topic)) throw new MalformedPacketError('will-topic', 'Will Topic is not a Topic Name');
  return {
    topic,
    payload: reader.binary(),
    qos: ((flags >> 3) & 3) as QoS,
    retain: (flags & Flag.WILL_RETAIN) !== 0,
    properties,
  };
}

export function encodeConnect(writer: Writer, packet: Connect): void {
  const { protocolVersion: version, will, username, password } = packet;
  writer.string(NAMES[version]);
  writer.byte(version | (packet.bridge ? BRIDGE : 0));
  let flags = packet.cleanStart ? Flag.CLEAN_START : 0;
  if (will !== undefined) flags |= Flag.WILL | (will.qos << 3) | (will.retain ? Flag.WILL_RETAIN : 0);
  if (username !== undefined) flags |= Flag.USERNAME;
  if (password !== undefined) flags |= Flag.PASSWORD;
  writer.byte(flags);
  writer.int16(packet.keepAlive);
  if (version === 5) writeProperties(writer, packet.properties);
  writer.string(packet.clientId);
  if (will !== undefined) {
    if (version === 5) writeProperties(writer, will.properties);
    writer.string(will.topic);
    writer.binary(will.payload);
  }
  if (username !== undefined) writer.string(username);
  if (password !== undefined) writer.binary(password);
}

/** Whether an error of decodeConnect is one that gets a CONNACK; the others close the connection (broker §9.2). */
export function isAnsweredWithConnack(error: PeerError): boolean {
  return ANSWERED.has(error.code);
}

const ANSWERED: ReadonlySet<string> = new Set([
  'protocol-level',
  'protocol-mismatch',
  'client-id',
  'will-topic-empty',
  'authentication-data',
  'trailing-bytes',
  'property-length',
  'property-truncated',
  'property-unknown',
  'property-misplaced',
  'property-duplicate',
  'property-zero',
  'property-boolean',
  'response-topic',
  'variable-byte-integer',
]);
