import type { Property } from '@tsmqtt/protocol';
import { expect } from 'vitest';
import { acknowledgement, publishPacket, type RawClient, subscribePacket } from './raw-client.js';
import { TestBroker, type TestBrokerOptions } from './test-broker.js';

const SEI: Property = { name: 'sessionExpiryInterval', value: 1000 };
export const window = (value: number): Property => ({ name: 'receiveMaximum', value });
const lasting = (protocolVersion: 3 | 4 | 5, properties: readonly Property[] = []) => ({
  protocolVersion,
  cleanStart: false,
  properties: protocolVersion === 5 ? [SEI, ...properties] : [],
});

export interface Setup {
  readonly broker: TestBroker;
  readonly client: RawClient;
  readonly publisher: RawClient;
  /** Publishes numbered messages to `a`. */
  publish(from: number, to: number, qos?: 0 | 1 | 2): Promise<void>;
  /** The client again; what it was sent behind CONNACK. */
  back(properties?: readonly Property[]): Promise<{ client: RawClient; lines: string[] }>;
}

/** A client of a session that lasts, subscribed to `a`, and somebody who publishes to it. */
export async function setup(
  version: 3 | 4 | 5,
  qos: 0 | 1 | 2 = 1,
  options: TestBrokerOptions = {},
  properties: readonly Property[] = [],
): Promise<Setup> {
  const broker = new TestBroker(options);
  const client = await broker.connect(lasting(version, properties));
  await client.send(subscribePacket({ a: qos }));
  const publisher = await broker.connect({ clientId: 'publisher' });
  const publish = async (from: number, to: number, level: 0 | 1 | 2 = qos): Promise<void> => {
    for (let number = from; number <= to; number++) {
      publisher.write(publishPacket('a', String(number), { qos: level, packetId: level === 0 ? 0 : number }));
      if (level === 2) publisher.write(acknowledgement('PUBREL', number));
    }
    await publisher.take();
  };
  const back = async (changed: readonly Property[] = properties) => {
    const again = await broker.attempt(lasting(version, changed));
    const [connack, ...lines] = await again.take();
    expect(connack).toMatch(/^CONNACK (present )?0x00/);
    return { client: again, lines };
  };
  return { broker, client, publisher, publish, back };
}

/** Numbers of the messages among the lines. */
export const numbersOf = (lines: readonly string[]): number[] =>
  lines.flatMap((line) => {
    const found = /^PUBLISH a=(\d+)/.exec(line);
    return found === null ? [] : [Number(found[1])];
  });
export const upTo = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);
