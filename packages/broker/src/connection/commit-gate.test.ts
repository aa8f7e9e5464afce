import type { ProtocolVersion } from '@tsmqtt/protocol';
import { describe, expect, it } from 'vitest';
import { brokerWith, DeferredStore } from '../../test/deferred-store.js';
import {
  acknowledgement,
  type ConnectFields,
  type Outgoing,
  PINGREQ,
  publishPacket,
  type RawClient,
  subscribePacket,
  unsubscribePacket,
} from '../../test/raw-client.js';
import type { TestBroker } from '../../test/test-broker.js';
import { LARGEST_HELD } from './commit-gate.js';

const lasting = (protocolVersion: ProtocolVersion, clientId: string): ConnectFields => ({
  protocolVersion,
  clientId,
  cleanStart: false,
  properties: protocolVersion === 5 ? [{ name: 'sessionExpiryInterval', value: 1000 }] : [],
});

interface Scene {
  readonly store: DeferredStore;
  readonly broker: TestBroker;
  /** Has a session that lasts. */
  readonly client: RawClient;
  /** Has none, and publishes. */
  readonly passer: RawClient;
}

/** A client of a session that lasts and one without, and a session that is offline and subscribed to `queue/#`. */
async function scene(version: ProtocolVersion): Promise<Scene> {
  const store = new DeferredStore();
  const broker = await brokerWith(store);
  const offline = await broker.connect(lasting(version, 'offline'));
  await offline.send(subscribePacket({ 'queue/#': 2 }));
  await offline.vanish();
  const client = await broker.connect(lasting(version, 'client'));
  const passer = await broker.connect({ protocolVersion: version, clientId: 'passer' });
  return { store, broker, client, passer };
}

interface Case {
  readonly name: string;
  readonly by: 'client' | 'passer';
  /** Sent and answered before, while the store saves at once. */
  readonly before?: readonly Outgoing[];
  readonly sends: readonly Outgoing[];
  readonly answer: string | { readonly v3: string; readonly v5: string };
}

const retained = (payload: string, packetId: number) =>
  publishPacket('r', payload, { qos: 1, retain: true, packetId });

// biome-ignore format: one row a line
const WAITS: readonly Case[] = [
  { name: 'PUBACK of what a session keeps', by: 'passer', sends: [publishPacket('queue/a', 'x', { qos: 1 })], answer: 'PUBACK #1' },
  { name: 'PUBACK of a retained message', by: 'passer', sends: [retained('x', 7)], answer: { v3: 'PUBACK #7', v5: 'PUBACK #7 0x10' } },
  { name: 'PUBACK of a retained message cleared', by: 'passer', before: [retained('x', 7)], sends: [retained('', 8)], answer: { v3: 'PUBACK #8', v5: 'PUBACK #8 0x10' } },
  { name: 'PUBREC', by: 'client', sends: [publishPacket('nobody', 'x', { qos: 2, packetId: 3 })], answer: 'PUBREC #3' },
  { name: 'PUBCOMP', by: 'client', before: [publishPacket('nobody', 'x', { qos: 2, packetId: 3 })], sends: [acknowledgement('PUBREL', 3)], answer: 'PUBCOMP #3' },
  { name: 'PUBCOMP of what a session keeps', by: 'passer', before: [publishPacket('queue/a', 'x', { qos: 2, packetId: 3 })], sends: [acknowledgement('PUBREL', 3)], answer: 'PUBCOMP #3' },
  { name: 'SUBACK', by: 'client', sends: [subscribePacket({ a: 1 }, 9)], answer: 'SUBACK #9 0x01' },
  { name: 'SUBACK of what was subscribed before', by: 'client', before: [subscribePacket({ a: 1 }, 9)], sends: [subscribePacket({ a: 1 }, 10)], answer: 'SUBACK #10 0x01' },
  { name: 'UNSUBACK', by: 'client', before: [subscribePacket({ a: 1 }, 9)], sends: [unsubscribePacket(['a'], 10)], answer: { v3: 'UNSUBACK #10', v5: 'UNSUBACK #10 0x00' } },
];

describe.each([3, 4, 5] as const)('persist, then acknowledge, protocol level %i (broker B-6)', (version) => {
  const answerOf = ({ answer }: Case) =>
    typeof answer === 'string' ? answer : version === 5 ? answer.v5 : answer.v3;

  it.each(WAITS)('$name leaves when it is saved and not before', async (row) => {
    const { store, ...rest } = await scene(version);
    const sender = rest[row.by];
    if (row.before !== undefined) await sender.send(...row.before);
    store.prompt = false;
    expect(await sender.send(...row.sends)).toEqual([]);
    await store.save();
    expect(await sender.take()).toEqual([answerOf(row)]);
  });

  it.each(WAITS)('$name never leaves where it is not saved', async (row) => {
    const { store, broker, ...rest } = await scene(version);
    const sender = rest[row.by];
    const other = rest[row.by === 'client' ? 'passer' : 'client'];
    if (row.before !== undefined) await sender.send(...row.before);
    store.prompt = false;
    expect(await sender.send(...row.sends)).toEqual([]);
    store.fail();
    expect(await sender.take()).toEqual(version === 5 ? ['DISCONNECT 0x80', 'closed'] : ['closed']);
    expect(broker.logged.filter((line) => line.startsWith('error'))).toEqual([
      'error Error: The store cannot save: no space left. What it would acknowledge is not acknowledged.',
    ]);
    expect(broker.logged.at(-1)).toMatch(/^notice Client .* disconnected: store failed\.$/);
    // The others go on.
    expect(await other.send(PINGREQ)).toEqual(['PINGRESP']);
  });

  it('CONNACK waits for the session, which it tells of', async () => {
    const { store, broker } = await scene(version);
    store.prompt = false;
    const client = await broker.attempt(lasting(version, 'new'));
    expect(await client.send(PINGREQ)).toEqual([]);
    await store.save();
    expect((await client.take()).map((line) => line.split(' ')[0])).toEqual(['CONNACK', 'PINGRESP']);
    await client.vanish();
    await store.save();
    const again = await broker.attempt(lasting(version, 'new'));
    expect(await again.take()).toEqual([]);
    await store.save();
    // Session Present does not exist in 3.1.
    expect((await again.take())[0]).toMatch(version === 3 ? /^CONNACK 0x00/ : /^CONNACK present 0x00/);
  });

  it('CONNACK does not leave where the session is not saved', async () => {
    const { store, broker } = await scene(version);
    store.prompt = false;
    const client = await broker.attempt(lasting(version, 'new'));
    expect(await client.take()).toEqual([]);
    store.fail();
    // No DISCONNECT without a CONNACK that accepts [MQTT-3.14.0-1].
    expect(await client.take()).toEqual(version === 5 ? ['CONNACK 0x80', 'closed'] : ['closed']);
  });

  it('what nobody has to keep is acknowledged at once', async () => {
    const { store, broker, client, passer } = await scene(version);
    store.prompt = false;
    const before = store.commits;
    await passer.send(
      publishPacket('nobody', 'x', { qos: 1 }),
      publishPacket('queue', 'x', { qos: 0, packetId: 0 }),
    );
    expect(await passer.send(publishPacket('nobody', 'x', { qos: 2, packetId: 2 }))).toEqual(['PUBREC #2']);
    expect(await passer.send(acknowledgement('PUBREL', 2))).toEqual(['PUBCOMP #2']);
    expect(await passer.send(subscribePacket({ a: 2 }), PINGREQ)).toEqual(['SUBACK #1 0x02', 'PINGRESP']);
    await broker.connect({ protocolVersion: version, clientId: 'another' });
    expect(await client.send(PINGREQ)).toEqual(['PINGRESP']);
    // The message to `queue` matches `queue/#` and is gone with QoS 0.
    expect(store.commits).toBe(before);
  });

  it('CONNACK of a session that nobody has to keep waits for nothing, however long its password takes', async () => {
    const store = new DeferredStore();
    const accept = new Map<string, (verdict: 'accepted') => void>();
    const verify = (user: string) => new Promise<'accepted'>((resolve) => accept.set(user, resolve));
    const broker = await brokerWith(store, { verifier: { verify } });
    const keeper = await broker.attempt({ ...lasting(version, 'keeper'), username: 'keeper' });
    const plain = await broker.attempt({ protocolVersion: version, clientId: 'plain', username: 'plain' });
    store.prompt = false;
    accept.get('keeper')?.('accepted');
    expect(await keeper.take()).toEqual([]);
    expect(store.waiting).toBeDefined();
    accept.get('plain')?.('accepted');
    expect((await plain.take())[0]).toMatch(/^CONNACK 0x00/);
    expect(await keeper.take()).toEqual([]);
    await store.save();
    expect((await keeper.take())[0]).toMatch(/^CONNACK 0x00/);
  });

  it('everything keeps its order behind what waits', async () => {
    const { store, client } = await scene(version);
    store.prompt = false;
    client.write(publishPacket('own', '0', { packetId: 0 }), subscribePacket({ own: 0 }, 1));
    client.write(publishPacket('own', '1', { packetId: 0 }), PINGREQ);
    client.write(publishPacket('nobody', 'x', { qos: 1, packetId: 5 }));
    expect(await client.take()).toEqual([]);
    // A second batch, on top of the one under way.
    expect(await client.send(subscribePacket({ b: 1 }, 2), PINGREQ)).toEqual([]);
    await store.save();
    expect(await client.take()).toEqual([
      'SUBACK #1 0x00',
      'PUBLISH own=1',
      'PINGRESP',
      `PUBACK #5${version === 5 ? ' 0x10' : ''}`,
    ]);
    await store.save();
    expect(await client.take()).toEqual(['SUBACK #2 0x01', 'PINGRESP']);
  });

  it('retained messages come behind the SUBACK that waits', async () => {
    const { store, client, passer } = await scene(version);
    await passer.send(publishPacket('r/1', 'x', { qos: 1, retain: true }));
    store.prompt = false;
    expect(await client.send(subscribePacket({ 'r/#': 1 }))).toEqual([]);
    await store.save();
    expect(await client.take()).toEqual(['SUBACK #1 0x01', 'PUBLISH r/1=x q1 #1 retain']);
  });

  it('a QoS 2 message goes out when its Packet Identifier is saved, its PUBREL when PUBREC is', async () => {
    const { store, client, passer } = await scene(version);
    await client.send(subscribePacket({ a: 2 }));
    await passer.send(publishPacket('a', 'x', { qos: 2, packetId: 1 }));
    store.prompt = false;
    expect(await passer.send(acknowledgement('PUBREL', 1))).toEqual([]);
    expect(await client.take()).toEqual([]);
    await store.save();
    expect(await client.take()).toEqual(['PUBLISH a=x q2 #1']);
    expect(await passer.take()).toEqual(['PUBCOMP #1']);
    expect(await client.send(acknowledgement('PUBREC', 1))).toEqual([]);
    await store.save();
    expect(await client.take()).toEqual(['PUBREL #1']);
  });

  it('a QoS 1 message goes out at once: its subscriber may get it twice', async () => {
    const { store, client, passer } = await scene(version);
    await client.send(subscribePacket({ a: 1 }));
    store.prompt = false;
    expect(await passer.send(publishPacket('a', 'x', { qos: 1 }))).toEqual([]);
    expect(await client.take()).toEqual(['PUBLISH a=x q1 #1']);
    await store.save();
    expect(await passer.take()).toEqual(['PUBACK #1']);
  });
});

describe('a store that fails', () => {
  it('is said once, asked again once a second, and gets what it missed', async () => {
    const { store, broker, passer } = await scene(4);
    store.broken = true;
    expect(await passer.send(publishPacket('queue/1', 'x', { qos: 1 }))).toEqual(['closed']);
    const asked = store.commits;
    const second = await broker.connect({ clientId: 'second' });
    expect(await second.send(publishPacket('queue/2', 'x', { qos: 1 }))).toEqual([]);
    expect(store.commits).toBe(asked);
    await broker.pass(1);
    expect(await second.take()).toEqual(['closed']);
    expect(store.commits).toBe(asked + 1);
    expect(broker.logged.filter((line) => line.startsWith('error'))).toHaveLength(1);
    store.broken = false;
    const third = await broker.connect({ clientId: 'third' });
    expect(await third.send(publishPacket('queue/3', 'x', { qos: 1 }))).toEqual([]);
    await broker.pass(1);
    expect(await third.take()).toEqual(['PUBACK #1']);
    expect(broker.logged).toContain('notice The store saves again.');
    expect(store.saved('message').map(({ packet }) => /queue.\d/.exec(packet.toString())?.[0])).toEqual([
      'queue/1',
      'queue/2',
      'queue/3',
    ]);
    expect(await third.send(publishPacket('queue/4', 'x', { qos: 1 }))).toEqual(['PUBACK #1']);
  });

  it('lets those be whose answers do not depend on it', async () => {
    const { store, client, passer, broker } = await scene(5);
    const watcher = await broker.connect({ clientId: 'watcher', protocolVersion: 5 });
    await watcher.send(subscribePacket({ '#': 0 }));
    store.broken = true;
    expect(await client.send(subscribePacket({ x: 0 }))).toEqual(['DISCONNECT 0x80', 'closed']);
    for (let second = 0; second < 5; second++) {
      expect(await passer.send(publishPacket('a', 'x', { qos: 1 }))).toEqual(['PUBACK #1']);
      expect(await watcher.take()).toEqual(['PUBLISH a=x']);
      await broker.pass(1);
    }
  });

  it('sends the will of whom it costs the connection (broker §9.5)', async () => {
    const { store, broker } = await scene(4);
    const watcher = await broker.connect({ clientId: 'watcher' });
    await watcher.send(subscribePacket({ will: 0 }));
    const will = {
      topic: 'will',
      payload: Buffer.from('gone'),
      qos: 0,
      retain: false,
      properties: [],
    } as const;
    const client = await broker.connect({ ...lasting(4, 'testator'), will });
    store.broken = true;
    expect(await client.send(subscribePacket({ x: 0 }))).toEqual(['closed']);
    expect(await watcher.take()).toEqual(['PUBLISH will=gone']);
  });
});

describe('who makes the store wait is not read (broker B-10)', () => {
  const payload = Buffer.alloc(1_000_000);

  it('stops at the bound of what is not saved, and goes on when it is', async () => {
    const { store, broker, passer } = await scene(4);
    store.prompt = false;
    for (let id = 1; id <= 20; id++)
      passer.write(publishPacket('queue/a', payload, { qos: 1, packetId: id }));
    await passer.take();
    const queued = () => broker.engine.sessions.get('offline')?.outbound.pending;
    // 8 MiB, and the message that reaches them.
    expect(queued()).toBe(9);
    // The first four messages are a batch: the others came in later turns (FAIR_SHARE, TOGETHER).
    await store.save();
    expect(await passer.take()).toEqual(Array.from({ length: 4 }, (_, index) => `PUBACK #${index + 1}`));
    expect(queued()).toBe(13);
    store.prompt = true;
    await store.save();
    expect(await passer.take()).toEqual(Array.from({ length: 16 }, (_, index) => `PUBACK #${index + 5}`));
  });

  it('keeps its peace meanwhile: a client that is not read does not exceed its Keep Alive', async () => {
    const { store, broker } = await scene(4);
    const publisher = await broker.connect({ clientId: 'publisher', keepAlive: 10 });
    store.prompt = false;
    for (let id = 1; id <= 20; id++)
      publisher.write(publishPacket('queue/a', payload, { qos: 1, packetId: id }));
    await publisher.take();
    await broker.pass(60);
    store.prompt = true;
    await store.save();
    expect(await publisher.take()).toHaveLength(20);
  });

  it('holds for messages that are not acknowledged too', async () => {
    const { store, broker, passer } = await scene(4);
    store.prompt = false;
    for (let number = 0; number < 20; number++)
      passer.write(publishPacket(`r/${number}`, payload, { retain: true }));
    await passer.take();
    expect(broker.engine.retained.size).toBe(9);
    store.prompt = true;
    await store.save();
    await passer.take();
    expect(await passer.send(PINGREQ)).toEqual(['PINGRESP']);
    expect(broker.engine.retained.size).toBe(20);
  });

  it('lets go on whoever changes nothing', async () => {
    const { store, passer, client } = await scene(4);
    store.prompt = false;
    for (let id = 1; id <= 20; id++)
      passer.write(publishPacket('queue/a', payload, { qos: 1, packetId: id }));
    await passer.take();
    for (let round = 0; round < 3; round++) {
      expect(await client.send(publishPacket('nobody', 'x', { qos: 1 }))).toEqual(['PUBACK #1']);
    }
  });

  it('stops at the bound of the answers that wait on one connection', async () => {
    const { store, broker, client } = await scene(4);
    store.prompt = false;
    client.write(subscribePacket({ a: 0 }));
    // 2 bytes an answer, 64 KiB of them.
    const pings = Buffer.concat(Array.from({ length: 50_000 }, () => Buffer.from('c000', 'hex')));
    expect(await client.send(pings)).toEqual([]);
    const [connection] = [...broker.engine.connections].filter(({ clientId }) => clientId === 'client');
    expect(connection?.backlog).toBeGreaterThanOrEqual(LARGEST_HELD);
    expect(connection?.backlog).toBeLessThan(LARGEST_HELD + 16);
    store.prompt = true;
    await store.save();
    expect(await client.take()).toEqual([
      'SUBACK #1 0x00',
      ...Array.from({ length: 50_000 }, () => 'PINGRESP'),
    ]);
  });

  it('is not slow whom the store keeps from taking what there is', async () => {
    const { store, broker, client, passer } = await scene(4);
    store.prompt = false;
    expect(await client.send(subscribePacket({ t: 0 }))).toEqual([]);
    for (let number = 0; number < 10; number++)
      passer.write(publishPacket('t', payload.subarray(0, 100_000)));
    await passer.take();
    await broker.pass(60);
    store.prompt = true;
    await store.save();
    expect(await client.take()).toHaveLength(11);
    expect(broker.engine.counters.dropped).toBe(0);
  });

  it('ends with the connection', async () => {
    const { store, broker, passer } = await scene(4);
    store.prompt = false;
    for (let id = 1; id <= 20; id++)
      passer.write(publishPacket('queue/a', payload, { qos: 1, packetId: id }));
    await passer.take();
    await passer.vanish();
    store.prompt = true;
    await store.save();
    await broker.pass(2);
    expect(broker.engine.sessions.get('passer')).toBeUndefined();
    expect([...broker.engine.connections].map(({ clientId }) => clientId)).toEqual(['client']);
  });
});
