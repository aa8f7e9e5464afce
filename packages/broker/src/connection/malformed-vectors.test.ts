import { PacketType, type ProtocolVersion } from '@tsmqtt/protocol';
import { describe, expect, it } from 'vitest';
import {
  type MalformedVector,
  malformedVectors,
  packetVectors,
  vectorBytes,
} from '../../../protocol/test/packet-vectors.js';
import { answerLater, answerToFirst, FROM_SERVER, typeOf } from '../../test/malformed-answers.js';
import { PINGREQ, type RawClient } from '../../test/raw-client.js';
import { TestBroker } from '../../test/test-broker.js';

// The codec's malformed packets, every type in every version, sent to a broker: as the first packet, after CONNECT, and
// what a bystander sees of it (broker §15.5).

const PONG = 'd0 00';
const CLOSE = 'closed';

const titleOf = ({ version, why, hex }: MalformedVector): string =>
  `version ${version}: ${why} (${typeof hex === 'string' ? hex : 'long'})`;

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
    it(titleOf(vector), async () => {
      const broker = new TestBroker();
      const bystander = await broker.connect({ clientId: 'bystander' });

      const first = broker.open(vector.version);
      expect(await first.exchange(bytes, PINGREQ), 'as the first packet').toBe(answerToFirst(vector));
      const later = await afterConnect(broker, vector.version, bytes);
      expect(later, 'after CONNECT').toBe(`${PONG} ${answerLater(vector)}`);

      await undisturbed(bystander);
      expect(broker.engine.connections.size).toBe(1);
    });
  }
});

describe('a packet that is well-formed and not for a server', () => {
  const rows = packetVectors.filter((row) => FROM_SERVER.has(typeOf(row.hex)));
  for (const { name, version, hex } of rows) {
    it(name, async () => {
      const answer = await afterConnect(new TestBroker(), version, vectorBytes(hex));
      expect(answer).toBe(version === 5 ? `${PONG} e0 01 82 closed` : `${PONG} closed`);
    });
  }
});

describe('a packet that is well-formed', () => {
  const rows = packetVectors.filter((row) => typeOf(row.hex) !== PacketType.CONNECT);
  for (const { name, version, hex } of rows) {
    it(`before CONNECT: ${name}`, async () => {
      expect(await new TestBroker().open(version).exchange(vectorBytes(hex))).toBe(CLOSE);
    });
  }

  for (const { name, version, hex } of packetVectors.filter(
    (row) => typeOf(row.hex) === PacketType.CONNECT,
  )) {
    it(`as a second CONNECT: ${name}`, async () => {
      expect(await afterConnect(new TestBroker(), version, vectorBytes(hex))).toBe(`${PONG} closed`);
    });
  }
});
