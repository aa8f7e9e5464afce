import { PacketType, type ProtocolVersion } from '@tsmqtt/protocol';
import { type MalformedVector, type VectorHex, vectorBytes } from '../../protocol/test/packet-vectors.js';

// What a broker answers to the codec's malformed packets: the vectors say whose fault it is and by which Reason Code,
// what goes out for it is the contract's, written here as rules. Bytes as hex digits, and `closed`.

const VERSIONS = [3, 4, 5] as const;
const CLOSE = 'closed';

/** Packet type of a vector's bytes. */
export const typeOf = (hex: VectorHex): number => (vectorBytes(hex)[0] as number) >> 4;

/** Answer to a first packet that is CONNECT (broker §9.2); the first rule that fits. */
// biome-ignore format: one row a line
const CONNECT_RULES: readonly { why: RegExp; answer: (code: string) => string; versions: readonly ProtocolVersion[] }[] = [
  // Protocol Name and level.
  { why: /^Protocol Level|^MQIsdp with level 6/, versions: VERSIONS, answer: () => '20 03 00 84 00 closed' },
  { why: /with level [345]/, versions: VERSIONS, answer: () => '20 02 00 01 closed' },
  // What MQTT 5 has a code for: the Client Identifier, property blocks, an empty Will Topic, bytes left over.
  { why: /^Client Identifier:|Client Identifier$/, versions: [5], answer: (code) => `20 03 00 ${code} 00 closed` },
  { why: /property|Property Length|Property cut off|^empty Will Topic| in (CONNECT|WILL)\b|^Session Expiry Interval twice|^Authentication Data/i, versions: [5], answer: (code) => `20 03 00 ${code} 00 closed` },
  { why: /^a byte after|without its flag$/, versions: [5], answer: (code) => `20 03 00 ${code} 00 closed` },
  // Anything else, and anything at all before MQTT 5.
  { why: /./, versions: VERSIONS, answer: () => CLOSE },
];

/** Answer to it as the first packet of a connection. */
export function answerToFirst({ version, hex, why, code }: MalformedVector): string {
  if (typeOf(hex) !== PacketType.CONNECT) return CLOSE;
  const text = why.replace(/ (\[MQTT[^\]]*\]|\([^)]*\))/g, '');
  const rule = CONNECT_RULES.find((row) => row.versions.includes(version) && row.why.test(text));
  return (rule as (typeof CONNECT_RULES)[number]).answer((code ?? '').slice(2));
}

/** Errors that MQTT 5 gets a bare close for too (broker §9.1, T-54). */
const BARE = [/^Remaining Length|^fourth byte of Remaining Length/, /^PING(REQ|RESP) (with a body|of)/];
const PROPERTY_TEXT =
  /^(Content Type|Response Topic|Reason String|Authentication Method|(name|value) of a User Property|Assigned|Server Reference|Response Information).*: (U\+|control|surrogate|over-long|character|non-character)/;
/** Packet types that only a server sends. */
export const FROM_SERVER: ReadonlySet<number> = new Set([
  PacketType.CONNACK,
  PacketType.SUBACK,
  PacketType.UNSUBACK,
  PacketType.PINGRESP,
]);

/** Answer to it on an accepted connection (broker §9.1, §9.7, §9.8). */
export function answerLater({ version, hex, why, code }: MalformedVector): string {
  const type = typeOf(hex);
  if (version !== 5 || type === PacketType.CONNECT) return CLOSE;
  // A Remaining Length that is wrong is seen before the type.
  if (/Remaining Length/.test(why)) return CLOSE;
  if (FROM_SERVER.has(type)) return 'e0 01 82 closed';
  if (BARE.some((rule) => rule.test(why)) || PROPERTY_TEXT.test(why)) return CLOSE;
  return `e0 01 ${(code as string).slice(2)} closed`;
}
