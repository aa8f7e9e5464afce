import { PACKET_NAMES, type PacketType, type ProtocolVersion } from '@tsmqtt/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type MalformedVector,
  malformedVectors,
  vectorBytes,
} from '../../../protocol/test/packet-vectors.js';
import { EngineHost, LISTENER } from '../../test/engine-host.js';
import { answerLater, answerToFirst, typeOf } from '../../test/malformed-answers.js';
import { bytesOf, connectPacket } from '../../test/raw-client.js';
import { WebClient } from '../../test/web-client.js';

// The codec's malformed packets through a WebSocket: the same answers as over TCP, and then Close (broker §15.5).

const PINGREQ = 'c0 00';
const PINGRESP = 'd000';
const NORMAL_CLOSURE = '8 03e8';
/** Connections at a time. */
const BATCH = 50;

let host: EngineHost;
beforeAll(async () => {
  host = await EngineHost.start({ listeners: [{ ...LISTENER, protocol: 'websockets' }] });
});
afterAll(() => host.stop());

/** What came in binary frames until Close, as malformed-answers.ts writes it. */
async function answer(client: WebClient, skip: number): Promise<string> {
  await client.until(({ frames }) => frames.some((frame) => frame.startsWith('8 ')));
  const frames = client.frames.slice(skip);
  expect(frames.pop()).toBe(NORMAL_CLOSURE);
  client.tcp.socket.destroy();
  const bytes = frames.map((frame) => frame.replace(/^2 /, '')).join('');
  return [...(bytes.match(/../g) ?? []), 'closed'].join(' ');
}

async function asFirst({ hex }: MalformedVector): Promise<string> {
  const client = await WebClient.upgrade(host.port);
  client.send(vectorBytes(hex), PINGREQ);
  return answer(client, 0);
}

async function afterConnect({ version, hex }: MalformedVector): Promise<string> {
  const client = await WebClient.upgrade(host.port);
  client.send(bytesOf(connectPacket({ protocolVersion: version, clientId: `c${next++}` }), version));
  await client.until(({ frames }) => frames.length === 1);
  client.send(PINGREQ, vectorBytes(hex), PINGREQ);
  const got = await answer(client, 1);
  expect(got.slice(0, 5).replace(' ', '')).toBe(PINGRESP);
  return got.slice(6);
}

let next = 0;

/** One line for each vector, so that a difference shows which it is. */
async function all(
  vectors: readonly MalformedVector[],
  ask: (vector: MalformedVector) => string | Promise<string>,
): Promise<string[]> {
  const lines: string[] = [];
  for (let at = 0; at < vectors.length; at += BATCH) {
    const batch = vectors.slice(at, at + BATCH);
    const answers = await Promise.all(batch.map(ask));
    for (const [index, { why }] of batch.entries()) lines.push(`${why}: ${answers[index]}`);
  }
  return lines;
}

describe.each([3, 4, 5] as const)('version %i', (version: ProtocolVersion) => {
  const types = new Set(
    malformedVectors.filter((row) => row.version === version).map((row) => typeOf(row.hex)),
  );
  for (const type of types) {
    const vectors = malformedVectors.filter((row) => row.version === version && typeOf(row.hex) === type);
    const name = PACKET_NAMES[type as PacketType] ?? `type ${type}`;

    it(`${name}, malformed in ${vectors.length} ways, as the first packet`, async () => {
      expect(await all(vectors, asFirst)).toEqual(await all(vectors, answerToFirst));
    });

    it(`${name}, malformed in ${vectors.length} ways, after CONNECT`, async () => {
      expect(await all(vectors, afterConnect)).toEqual(await all(vectors, answerLater));
    });
  }
});
