import { type Packet, PacketType, type Publish, type QoS } from '@tsmqtt/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  acknowledgement,
  bytesOf,
  connectPacket,
  disconnectPacket,
  type Outgoing,
  PINGREQ,
  publishPacket,
  type RawClient,
  subscribePacket,
  unsubscribePacket,
} from '../../test/raw-client.js';
import { TestBroker } from '../../test/test-broker.js';

/** What one side of the clients' connections saw. */
class Seen {
  readonly packets = new Array<number>(16).fill(0);
  bytes = 0;
  payload = 0;

  packet(packet: Packet): void {
    this.packets[packet.type]!++;
    if (packet.type === PacketType.PUBLISH) this.payload += (packet as Publish).payload.length;
  }
}

/** Clients whose traffic is counted on their side. */
class CountedBroker {
  readonly broker = new TestBroker();
  readonly sent = new Seen();
  readonly received = new Seen();
  readonly #clients: (RawClient | undefined)[] = [];

  async send(index: number, packet: Packet): Promise<void> {
    const client = this.#clients[index] ?? (await this.#connect(index));
    await this.#write(client, packet);
    if (packet.type === PacketType.DISCONNECT) this.#clients[index] = undefined;
  }

  async #connect(index: number): Promise<RawClient> {
    const protocolVersion = ([3, 4, 5] as const)[index % 3]!;
    const client = this.broker.open(protocolVersion);
    client.socket.on('data', (chunk: Buffer) => {
      this.received.bytes += chunk.length;
    });
    client.onPacket = (packet) => this.#answer(client, packet);
    this.#clients[index] = client;
    await this.#write(
      client,
      connectPacket({ protocolVersion, clientId: `c${index}`, cleanStart: index % 2 === 0 }),
    );
    return client;
  }

  #answer(client: RawClient, packet: Packet): void {
    this.received.packet(packet);
    if (packet.type === PacketType.PUBLISH && packet.qos > 0)
      void this.#put(client, acknowledgement(packet.qos === 1 ? 'PUBACK' : 'PUBREC', packet.packetId));
    else if (packet.type === PacketType.PUBREC)
      void this.#put(client, acknowledgement('PUBREL', packet.packetId));
    else if (packet.type === PacketType.PUBREL)
      void this.#put(client, acknowledgement('PUBCOMP', packet.packetId));
  }

  #put(client: RawClient, packet: Packet & Outgoing): void {
    const bytes = bytesOf(packet, client.version);
    this.sent.packet(packet);
    this.sent.bytes += bytes.length;
    client.write(bytes);
  }

  async #write(client: RawClient, packet: Packet): Promise<void> {
    this.#put(client, packet);
    await this.broker.settle();
  }
}

const topic = fc.constantFrom('a', 'b', 'a/b');
const qos = fc.constantFrom<QoS>(0, 1, 2);
const packet: fc.Arbitrary<Packet> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .record({ topic, qos, retain: fc.boolean(), payload: fc.uint8Array({ maxLength: 3000 }) })
      .map(({ topic: name, qos: level, retain, payload }) =>
        publishPacket(name, payload, { qos: level, retain }),
      ),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom('a', '#', '$share/g/a', '+'), qos)
      .map(([filter, level]) => subscribePacket({ [filter]: level })),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('a', '#', '$share/g/a', '+').map((filter) => unsubscribePacket([filter])),
  },
  { weight: 1, arbitrary: fc.constant(PINGREQ) },
  { weight: 1, arbitrary: fc.constant(disconnectPacket()) },
);

test('every counter is what clients sent and got, whatever they do', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(5), packet), { minLength: 1, maxLength: 60 }),
      async (steps) => {
        const counted = new CountedBroker();
        for (const [index, one] of steps) await counted.send(index, one);
        await counted.broker.settle();
        const { counters } = counted.broker.engine;
        const { sent, received } = counted;
        expect([...counters.packetsReceived]).toEqual(sent.packets);
        expect([...counters.packetsSent]).toEqual(received.packets);
        expect({ ...counters }).toMatchObject({
          bytesReceived: sent.bytes,
          bytesSent: received.bytes,
          payloadReceived: sent.payload,
          payloadSent: received.payload,
          dropped: 0,
        });
        expect(counters.received).toBe(sent.packets[PacketType.PUBLISH]);
        expect(counters.sent).toBe(received.packets[PacketType.PUBLISH]);
        const values = counted.broker.engine.sys.values(0);
        expect(values.waiting).toEqual({ packets: 0, bytes: 0 });
      },
    ),
    { numRuns: 60 },
  );
});

test('a packet that waited for a subscriber counts once', async () => {
  const broker = new TestBroker();
  const subscriber = await broker.connect({ clientId: 'subscriber' });
  await subscriber.send(subscribePacket({ t: 0 }));
  const client = await broker.connect();
  const { session } = [...broker.engine.connections][0]!;
  let holds = true;
  Object.defineProperty(session!.pressure, 'holds', { get: () => holds });
  broker.engine.blockedSessions.add(session!);
  await client.send(publishPacket('t', '12345'), PINGREQ);
  const { counters } = broker.engine;
  expect([counters.received, counters.payloadReceived]).toEqual([1, 5]);
  holds = false;
  session!.pressure.end();
  await broker.settle();
  expect([counters.received, counters.payloadReceived]).toEqual([1, 5]);
  expect(counters.packetsReceived[PacketType.PINGREQ]).toBe(1);
});

test('what a client does not take is seen as waiting, packet by packet up to 64 KiB', async () => {
  const broker = new TestBroker();
  const client = await broker.connect({ clientId: 'slow' });
  await client.send(subscribePacket({ t: 0 }));
  const publisher = await broker.connect({ clientId: 'publisher' });
  const [connection] = broker.engine.connections;
  // The socket takes nothing: writes do not complete.
  const writes: (() => void)[] = [];
  connection!.socket._write = (_chunk, _encoding, done) => void writes.push(done);
  const message = publishPacket('t', Buffer.alloc(1000));
  const size = bytesOf(message, 4).length;
  for (let count = 1; count <= 10; count++) {
    await publisher.send(message);
    expect(broker.engine.sys.values(0).waiting).toEqual({ packets: count, bytes: count * size });
  }
  while (writes.length > 0) {
    writes.shift()!();
    await broker.settle();
  }
  expect(broker.engine.sys.values(0).waiting).toEqual({ packets: 0, bytes: 0 });
});
