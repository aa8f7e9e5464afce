import fc from 'fast-check';
import { validTopicFilter } from '../src/topic/topic-filter.js';
import { validTopicName } from '../src/topic/topic-name.js';
import { validUtf8Text } from '../src/topic/utf8.js';
import type { Packet } from '../src/wire/packet.js';
import { type PacketName, PacketType } from '../src/wire/packet-type.js';
import {
  PROPERTIES,
  type Properties,
  type PropertyPlace,
  type PropertyRow,
} from '../src/wire/property-table.js';
import { REASON_CODES, type ReasonCodeRow } from '../src/wire/reason-code-table.js';
import type { ProtocolVersion } from '../src/wire/version.js';

const character = fc.oneof(
  fc.constantFrom(...'ab/$ +#~0'),
  fc.constantFrom('ä', '日', '😀', '\ufeff', '\ufffd', '\u00a0', '\u{10fffd}'),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }).filter(validUtf8Text),
);
export const text = fc.string({ unit: character, maxLength: 20 });
export const topicName = fc
  .string({ unit: character, minLength: 1, maxLength: 20 })
  .map((value) => value.replaceAll(/[+#]/g, '-'))
  .filter(validTopicName);
const plainFilter = fc
  .tuple(fc.array(fc.oneof(topicName, fc.constant('+'), fc.constant('')), { maxLength: 4 }), fc.boolean())
  .map(([levels, hash]) => [...levels, ...(hash ? ['#'] : [])].join('/'))
  .filter((filter) => validTopicFilter(filter) && !filter.startsWith('$share/'));
const sharedFilter = fc
  .tuple(fc.constantFrom('g', '', 'ä'), plainFilter)
  .map(([share, filter]) => `$share/${share}/${filter}`);
export const topicFilter = fc.oneof({ weight: 4, arbitrary: plainFilter }, sharedFilter);
// Lengths around the boundaries of the Remaining Length come up often enough to matter.
const bytes = fc
  .oneof(
    { weight: 8, arbitrary: fc.uint8Array({ maxLength: 40 }) },
    fc.integer({ min: 100, max: 140 }).map((length) => new Uint8Array(length).fill(0x5a)),
    fc.integer({ min: 16_350, max: 16_390 }).map((length) => new Uint8Array(length).fill(0xa5)),
  )
  .map((value) => Buffer.from(value));
const packetId = fc.oneof(fc.constantFrom(1, 255, 256, 65_535), fc.integer({ min: 1, max: 65_535 }));
const qos = fc.constantFrom(0 as const, 1 as const, 2 as const);

function propertyValue(row: PropertyRow): fc.Arbitrary<unknown> {
  const from = row.nonZero === true ? 1 : 0;
  const integer = (max: number) => fc.oneof(fc.integer({ min: from, max }), fc.constantFrom(from, max));
  switch (row.type) {
    case 'byte':
      return integer(0xff);
    case 'boolean':
      return fc.constantFrom(0, 1);
    case 'int16':
      return integer(0xffff);
    case 'int32':
      return integer(0xffff_ffff);
    case 'varint':
      return fc.oneof(integer(268_435_455), fc.constantFrom(127, 128, 16_383, 16_384, 2_097_151, 2_097_152));
    case 'string':
      return row.name === 'responseTopic' ? topicName : text;
    case 'binary':
      return bytes;
    case 'pair':
      return fc.tuple(text, text);
  }
}

/** Properties that may stand together in `place`, in any order; what may repeat repeats. */
function propertiesOf(place: PropertyPlace): fc.Arbitrary<Properties> {
  const rows = (PROPERTIES as readonly PropertyRow[]).filter((row) => row.places.includes(place));
  const entry = fc
    .constantFrom(...rows)
    .chain((row) => propertyValue(row).map((value) => ({ name: row.name, value, row })));
  return fc.array(entry, { maxLength: 8 }).map((entries) => {
    const seen = new Set<string>();
    const kept = entries.filter(({ name, row }) => {
      const single = row.repeatable !== true || (name === 'subscriptionIdentifier' && place === 'SUBSCRIBE');
      if (single && seen.has(name)) return false;
      seen.add(name);
      return true;
    });
    // Authentication Data goes with an Authentication Method only (3.1.2.11.10).
    const list = kept.filter(({ name }) => name !== 'authenticationData' || seen.has('authenticationMethod'));
    return list.map(({ name, value }) => ({ name, value })) as unknown as Properties;
  });
}

const none = fc.constant<Properties>([]);

function reasonCode(name: PacketName): fc.Arbitrary<number> {
  const rows = (REASON_CODES as readonly ReasonCodeRow[]).filter((row) => row.packets.includes(name));
  return fc.constantFrom(...rows.map((row) => row.code));
}

/** Valid packets of one type and version, in the form in which they come out of the decoder. */
export function packetOf(name: PacketName, version: ProtocolVersion): fc.Arbitrary<Packet> {
  const v5 = version === 5;
  const properties = (place: PropertyPlace): fc.Arbitrary<Properties> => (v5 ? propertiesOf(place) : none);
  const type = fc.constant(PacketType[name]);
  const code = v5 ? reasonCode : () => fc.constant(0);
  return arbitrary() as fc.Arbitrary<Packet>;

  function arbitrary(): fc.Arbitrary<unknown> {
    switch (name) {
      case 'CONNECT':
        return fc
          .record({
            type,
            protocolVersion: fc.constant(version),
            bridge: v5 ? fc.constant(false) : fc.boolean(),
            cleanStart: fc.boolean(),
            keepAlive: fc.integer({ min: 0, max: 65_535 }),
            clientId: text,
            will: fc.option(
              fc.record({
                topic: topicName,
                payload: bytes,
                qos,
                retain: fc.boolean(),
                properties: properties('WILL'),
              }),
              { nil: undefined },
            ),
            username: fc.option(text, { nil: undefined }),
            password: fc.option(bytes, { nil: undefined }),
            properties: properties('CONNECT'),
          })
          .map((packet) =>
            v5 || packet.username !== undefined ? packet : { ...packet, password: undefined },
          );
      case 'CONNACK':
        return fc
          .record({
            type,
            sessionPresent: version === 3 ? fc.constant(false) : fc.boolean(),
            reasonCode: v5 ? reasonCode('CONNACK') : fc.integer({ min: 0, max: 5 }),
            properties: properties('CONNACK'),
          })
          .map((packet) => ({ ...packet, sessionPresent: packet.sessionPresent && packet.reasonCode === 0 }));
      case 'PUBLISH':
        return fc
          .record({
            type,
            topic: v5 ? fc.oneof({ weight: 4, arbitrary: topicName }, fc.constant('')) : topicName,
            payload: bytes,
            qos,
            retain: fc.boolean(),
            dup: fc.boolean(),
            packetId,
            properties: properties('PUBLISH'),
          })
          .map((packet) => ({
            ...packet,
            // No Topic Name without a Topic Alias (3.3.2.3.4).
            topic:
              packet.topic === '' && !packet.properties.some((entry) => entry.name === 'topicAlias')
                ? 't'
                : packet.topic,
            dup: packet.dup && packet.qos > 0,
            packetId: packet.qos > 0 ? packet.packetId : 0,
          }));
      case 'PUBACK':
      case 'PUBREC':
      case 'PUBREL':
      case 'PUBCOMP':
        return fc.record({ type, packetId, reasonCode: code(name), properties: properties(name) });
      case 'SUBSCRIBE': {
        const options = v5 ? fc.boolean() : fc.constant(false);
        const request = fc
          .record({
            filter: topicFilter,
            qos,
            noLocal: options,
            retainAsPublished: options,
            retainHandling: v5 ? fc.constantFrom(0, 1, 2) : fc.constant(0),
          })
          // [MQTT-3.8.3-4]
          .map((one) => ({ ...one, noLocal: one.noLocal && !one.filter.startsWith('$share/') }));
        const subscriptions = fc.array(request, { minLength: version === 3 ? 0 : 1, maxLength: 5 });
        return fc.record({ type, packetId, subscriptions, properties: properties(name) });
      }
      case 'SUBACK': {
        const one = v5 ? reasonCode('SUBACK') : fc.constantFrom(0, 1, 2, 0x80);
        const reasonCodes = fc.array(one, { minLength: version === 3 ? 0 : 1, maxLength: 200 });
        return fc.record({ type, packetId, reasonCodes, properties: properties(name) });
      }
      case 'UNSUBSCRIBE': {
        const filters = fc.array(topicFilter, { minLength: version === 3 ? 0 : 1, maxLength: 5 });
        return fc.record({ type, packetId, filters, properties: properties(name) });
      }
      case 'UNSUBACK': {
        const reasonCodes = v5
          ? fc.array(reasonCode('UNSUBACK'), { minLength: 1, maxLength: 200 })
          : fc.constant([]);
        return fc.record({ type, packetId, reasonCodes, properties: properties(name) });
      }
      case 'PINGREQ':
      case 'PINGRESP':
        return fc.record({ type });
      case 'DISCONNECT':
      case 'AUTH':
        return fc.record({ type, reasonCode: code(name), properties: properties(name) });
    }
  }
}

/** Packet types of a version. */
export function packetNames(version: ProtocolVersion): readonly PacketName[] {
  const names = Object.keys(PacketType) as PacketName[];
  return version === 5 ? names : names.filter((name) => name !== 'AUTH');
}

export function anyPacket(version: ProtocolVersion): fc.Arbitrary<Packet> {
  return fc.oneof(...packetNames(version).map((name) => packetOf(name, version)));
}
