import { describe, expect, it } from 'vitest';
import { bytesOf, PINGREQ, publishPacket, subscribePacket } from '../../test/raw-client.js';
import { TestBroker } from '../../test/test-broker.js';

describe('a client that is silent for more than one and a half times its Keep Alive', () => {
  // biome-ignore format: one row a line
  const ROWS = [
    { keepAlive: 10, alive: 15, closed: 17 },
    { keepAlive: 1, alive: 1, closed: 4 },
    { keepAlive: 7, alive: 10, closed: 13 },
    { keepAlive: 60, alive: 90, closed: 92 },
  ];
  for (const { keepAlive, alive, closed } of ROWS) {
    for (const protocolVersion of [3, 4, 5] as const) {
      it(`version ${protocolVersion}, Keep Alive ${keepAlive}: there after ${alive} s, closed by ${closed} s, without DISCONNECT [MQTT-3.1.2-22] [MQTT311-3.1.2-24]`, async () => {
        const broker = new TestBroker();
        const client = await broker.connect({ protocolVersion, keepAlive });
        await broker.pass(alive);
        expect(await client.exchange()).not.toContain('closed');
        await broker.pass(closed - alive);
        expect(await client.exchange()).toBe('closed');
        expect(broker.logged.at(-1)).toBe(
          'notice Client client [127.0.0.1:1] disconnected: exceeded timeout.',
        );
      });
    }
  }

  it('0 is never', async () => {
    const broker = new TestBroker();
    const client = await broker.connect({ keepAlive: 0 });
    await broker.pass(1_000_000, 1000);
    expect(await client.send(PINGREQ)).toEqual(['PINGRESP']);
  });

  it('goes by Server Keep Alive where there is one [MQTT-3.2.2-21]', async () => {
    const broker = new TestBroker({ settings: { maxKeepAlive: 10 } });
    const clients = [];
    for (const keepAlive of [0, 600]) {
      clients.push(await broker.connect({ clientId: String(keepAlive), protocolVersion: 5, keepAlive }));
    }
    await broker.pass(17);
    for (const client of clients) expect(await client.take()).toEqual(['closed']);
  });
});

describe('signs of life', () => {
  const packets = [
    ['PINGREQ', PINGREQ],
    ['PUBLISH', publishPacket('a', '1')],
    ['SUBSCRIBE', subscribePacket({ a: 0 })],
    ['PUBACK', bytesOf('40 02 0001', 4)],
  ] as const;
  it.each(packets)('%s', async (_what, packet) => {
    const broker = new TestBroker();
    const client = await broker.connect({ keepAlive: 10 });
    for (let round = 0; round < 5; round++) {
      await broker.pass(14);
      client.write(packet);
      await broker.settle();
    }
    expect(await client.take()).not.toContain('closed');
  });

  // Of a PUBLISH that is not complete yet.
  it.each([
    { bytes: 999, alive: false },
    { bytes: 1000, alive: true },
  ])('$bytes bytes of a packet: $alive', async ({ bytes, alive }) => {
    const broker = new TestBroker();
    const client = await broker.connect({ keepAlive: 10 });
    await broker.pass(10);
    client.write('30 a0 8d 06', Buffer.alloc(bytes - 4));
    await broker.settle();
    await broker.pass(10);
    expect(await client.take()).toEqual(alive ? [] : ['closed']);
  });

  it('what the broker sends is none', async () => {
    const broker = new TestBroker();
    const client = await broker.connect({ keepAlive: 10 });
    await client.send(subscribePacket({ a: 0 }));
    const publisher = await broker.connect({ clientId: 'publisher' });
    for (let second = 0; second < 17; second++) {
      await broker.pass(1);
      await publisher.send(publishPacket('a', 'x'));
    }
    expect((await client.take()).at(-1)).toBe('closed');
  });
});

it('answers PINGREQ [MQTT-3.12.4-1] [MQTT311-3.12.4-1]', async () => {
  for (const protocolVersion of [3, 4, 5] as const) {
    const client = await new TestBroker().connect({ protocolVersion });
    expect(await client.exchange(PINGREQ)).toBe('d0 00');
  }
});
