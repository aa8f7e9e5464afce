import { PacketType, type ProtocolVersion } from '@tsmqtt/protocol';
import { describe, expect, it } from 'vitest';
import {
  type MalformedVector,
  malformedVectors,
  packetVectors,
  vectorBytes,
} from '../../../protocol/test/packet-vectors.js';
import { PINGREQ, type RawClient } from '../../test/raw-client.js';
import { TestBroker } from '../../test/test-broker.js';

// The codec's malformed packets, every type in every version, sent to a broker: as the first packet, after CONNECT, and
// what a bystander sees of it (broker §15.5). The vectors say whose fault it is and by which Reason Code; what goes out
// for it is the contract's, written here as rules.

const VERSIONS = [3, 4, 5] as const;
const PONG = 'd0 00';
const CLOSE = 'closed';

const typeOf = (bytes: Buffer): number => (bytes[0] as number) >> 4;
const titleOf = ({ version, why, hex }: MalformedVector): string =>
  `version ${version}: ${why} (${typeof hex === 'string' ? hex : 'long'})`;

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

function answerToConnect({ version, why, code }: MalformedVector): string {
  const text = why.replace(/ (\[MQTT[^\]]*\]|\([^)]*\))/g, '');
  const rule = CONNECT_RULES.find((row) => row.versions.includes(version) && row.why.test(text));
  return (rule as (typeof CONNECT_RULES)[number]).answer((code ?? '').slice(2));
}

/** Errors that MQTT 5 gets a bare close for too (broker §9.1, T-54). */
const BARE = [/^Remaining Length|^fourth byte of Remaining Length/, /^PING(REQ|RESP) (with a body|of)/];
const PROPERTY_TEXT =
  /^(Content Type|Response Topic|Reason String|Authentication Method|(name|value) of a User Property|Assigned|Server Reference|Response Information).*: (U\+|control|surrogate|over-long|character|non-character)/;
const FROM_SERVER: ReadonlySet<number> = new Set([
  PacketType.CONNACK,
  PacketType.SUBACK,
  PacketType.UNSUBACK,
  PacketType.PINGRESP,
]);

/** Answer on an accepted connection (broker §9.1, §9.7, §9.8). */
function answerLater({ version, why, code }: MalformedVector, type: number): string {
  if (version !== 5) return CLOSE;
  // A Remaining Length that is wrong is seen before the type.
  if (/Remaining Length/.test(why)) return CLOSE;
  if (FROM_SERVER.has(type)) return 'e0 01 82 closed';
  if (BARE.some((rule) => rule.test(why)) || PROPERTY_TEXT.test(why)) return CLOSE;
  return `e0 01 ${(code as string).slice(2)} closed`;
}

/** Accepts a client, sends the bytes between two PINGREQ, and gives what came. */
async function afterConnect(broker: TestBroker, version: ProtocolVersion, bytes: Buffer): Promise<string> {
  const client = await broker.connect({ protocolVersion: version });
  return client.exchange(PINGREQ, bytes, PINGREQ);
}

async function undisturbed(bystander: RawClient): Promise<void> {
  expect(await bystander.exchange(PINGREQ)).toBe(PONG);
}

describe('a malformed packet', () => {
  for (const vector of malformedVectors) {
    const bytes = vectorBytes(vector.hex);
    const type = typeOf(bytes);
    it(titleOf(vector), async () => {
      const broker = new TestBroker();
      const bystander = await broker.connect({ clientId: 'bystander' });

      const first = broker.open(vector.version);
      expect(await first.exchange(bytes, PINGREQ), 'as the first packet').toBe(
        type === PacketType.CONNECT ? answerToConnect(vector) : CLOSE,
      );

      const later = type === PacketType.CONNECT ? CLOSE : answerLater(vector, type);
      expect(await afterConnect(broker, vector.version, bytes), 'after CONNECT').toBe(`${PONG} ${later}`);

      await undisturbed(bystander);
      expect(broker.engine.connections.size).toBe(1);
    });
  }
});

describe('a packet that is well-formed and not for a server', () => {
  const rows = packetVectors.filter((row) => FROM_SERVER.has(typeOf(vectorBytes(row.hex))));
  for (const { name, version, hex } of rows) {
    it(name, async () => {
      const answer = await afterConnect(new TestBroker(), version, vectorBytes(hex));
      expect(answer).toBe(version === 5 ? `${PONG} e0 01 82 closed` : `${PONG} closed`);
    });
  }
});

describe('a packet that is well-formed', () => {
  const rows = packetVectors.filter((row) => typeOf(vectorBytes(row.hex)) !== PacketType.CONNECT);
  for (const { name, version, hex } of rows) {
    it(`before CONNECT: ${name}`, async () => {
      expect(await new TestBroker().open(version).exchange(vectorBytes(hex))).toBe(CLOSE);
    });
  }

  for (const { name, version, hex } of packetVectors.filter(
    (row) => typeOf(vectorBytes(row.hex)) === PacketType.CONNECT,
  )) {
    it(`as a second CONNECT: ${name}`, async () => {
      expect(await afterConnect(new TestBroker(), version, vectorBytes(hex))).toBe(`${PONG} closed`);
    });
  }
});
