import type { QoS } from '@tsmqtt/protocol';
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
import { TestBroker, type TestBrokerOptions } from '../../test/test-broker.js';
import { composeFrame, Message } from './message.js';

const TOPICS = 1000;
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** A broker that has retained messages `old` for `many/0` and so on, which take several turns to be looked for. */
function brokerWithTopics(qos: QoS = 1, options: TestBrokerOptions = {}, topics = TOPICS): TestBroker {
  const broker = new TestBroker(options);
  for (const index of upTo(topics)) {
    const topic = `many/${index}`;
    const frame = composeFrame(topic, Buffer.from('old'), qos, true, [], 4);
    broker.engine.retained.publish(new Message(topic, frame, Number.POSITIVE_INFINITY), 0);
  }
  return broker;
}

function acknowledge(client: RawClient, packet: Parameters<NonNullable<RawClient['onPacket']>>[0]): void {
  if (packet.type === 3 && packet.qos === 1) client.write(acknowledgement('PUBACK', packet.packetId));
  if (packet.type === 3 && packet.qos === 2) client.write(acknowledgement('PUBREC', packet.packetId));
  if (packet.type === 6) client.write(acknowledgement('PUBCOMP', packet.packetId));
}

/** Calls once, when the first packet of this type has come and while retained messages are still on their way. */
function inTheMiddle(broker: TestBroker, client: RawClient, type: number, act: () => void): () => boolean {
  const { replay } = broker.engine.sessions.get('client')!;
  let acted = false;
  client.onPacket = (packet) => {
    acknowledge(client, packet);
    if (acted || packet.type !== type) return;
    acted = replay.active;
    if (acted) act();
  };
  return () => acted;
}

/** Topic and payload of what came. */
const messages = (lines: readonly string[]): string[] =>
  lines.flatMap((line) => /^PUBLISH (\S+=\S*)/.exec(line)?.[1] ?? []);

/** Subscribes, sends these from another client in the middle, and gives what came, the subscriber's own answers aside. */
async function during(
  broker: TestBroker,
  client: RawClient,
  subscribe: Outgoing,
  ...published: readonly Outgoing[]
): Promise<string[]> {
  const other = await broker.connect({ clientId: 'other', protocolVersion: 5 });
  const acted = inTheMiddle(broker, client, 9, () => other.write(...published));
  const lines = await client.send(subscribe);
  expect(acted()).toBe(true);
  return lines.filter((line) => line.startsWith('PUBLISH'));
}

describe('a message that comes while retained ones are being sent', () => {
  for (const retained of [0, 1, 2] as const) {
    for (const subscribed of [0, 1, 2] as const) {
      for (const live of [0, 1, 2] as const) {
        it(`comes behind them, at QoS ${live}; retained at ${retained}, subscribed at ${subscribed} [MQTT-4.6.0-6]`, async () => {
          const broker = brokerWithTopics(retained);
          const client = await broker.connect();
          const packets = upTo(TOPICS).flatMap((index): Outgoing[] => {
            const packetId = live === 0 ? 0 : index + 1;
            const message = publishPacket(`many/${index}`, 'new', { qos: live, packetId });
            return live === 2 ? [message, acknowledgement('PUBREL', packetId)] : [message];
          });
          const lines = await during(broker, client, subscribePacket({ 'many/+': subscribed }), ...packets);
          expect(messages(lines)).toEqual([
            ...upTo(TOPICS).map((index) => `many/${index}=old`),
            ...upTo(TOPICS).map((index) => `many/${index}=new`),
          ]);
          expect(lines.slice(0, TOPICS).every((line) => line.endsWith(' retain'))).toBe(true);
          expect(lines.slice(TOPICS).some((line) => line.endsWith(' retain'))).toBe(false);
        });
      }
    }
  }
});

/** Sends what was retained for `r/+` at QoS 1 as far as a window of 2 goes; the rest when the client acknowledges. */
const RETAINED = upTo(5).map((index) => `r/${index}=old`);
const WINDOW: ConnectFields = {
  protocolVersion: 5,
  cleanStart: false,
  properties: [
    { name: 'sessionExpiryInterval', value: 100 },
    { name: 'receiveMaximum', value: 2 },
  ],
};

async function retain(broker: TestBroker): Promise<RawClient> {
  const other = await broker.connect({ clientId: 'other', protocolVersion: 5 });
  for (const index of upTo(5)) await other.send(publishPacket(`r/${index}`, 'old', { retain: true, qos: 1 }));
  return other;
}

/** A client in the middle of its retained messages, and another one. */
async function stuck(options: TestBrokerOptions = {}, fields: ConnectFields = WINDOW) {
  const broker = new TestBroker(options);
  const other = await retain(broker);
  const client = await broker.connect(fields);
  const lines = await client.send(
    subscribePacket({ 'r/+': 1 }, 1, [{ name: 'subscriptionIdentifier', value: 1 }]),
  );
  expect(messages(lines)).toEqual(RETAINED.slice(0, 2));
  const session = broker.engine.sessions.get('client')!;
  return { broker, other, client, session };
}

/** Acknowledges what has come so far and what comes from then on; all that comes. */
async function rest(client: RawClient, ...unacknowledged: readonly number[]): Promise<string[]> {
  client.onPacket = (packet) => acknowledge(client, packet);
  return client.send(...unacknowledged.map((packetId) => acknowledgement('PUBACK', packetId)));
}

describe('retained messages that are not the same any more when their turn comes', () => {
  it('replaced: the new one comes once, behind, as it was published', async () => {
    const { client, other } = await stuck();
    await other.send(
      publishPacket('r/4', 'new', { retain: true }),
      publishPacket('r/0', 'new', { retain: true }),
    );
    const lines = await rest(client, 1, 2);
    expect(messages(lines)).toEqual(['r/2=old', 'r/3=old', 'r/4=new', 'r/0=new']);
    expect(lines.filter((line) => line.includes(' retain'))).toHaveLength(2);
  });

  it('replaced twice: both come, in order', async () => {
    const { client, other } = await stuck();
    for (const payload of ['new', 'newer']) await other.send(publishPacket('r/4', payload, { retain: true }));
    expect(messages(await rest(client, 1, 2)).slice(-2)).toEqual(['r/4=new', 'r/4=newer']);
  });

  it('cleared: gone, and its end comes behind', async () => {
    const { client, other } = await stuck();
    await other.send(publishPacket('r/4', '', { retain: true }));
    expect(messages(await rest(client, 1, 2))).toEqual(['r/2=old', 'r/3=old', 'r/4=']);
  });

  it('cleared by whoever gets them: each comes once, and then what was cleared', async () => {
    const broker = brokerWithTopics();
    const client = await broker.connect();
    client.onPacket = (packet) => {
      if (packet.type === 3 && packet.payload.length > 0)
        client.write(publishPacket(packet.topic, '', { retain: true, qos: 1 }));
    };
    const lines = messages(await client.send(subscribePacket({ 'many/+': 0 })));
    expect(lines.slice(0, TOPICS)).toEqual(upTo(TOPICS).map((index) => `many/${index}=old`));
    expect(lines.slice(TOPICS).every((line) => line.endsWith('='))).toBe(true);
    expect(broker.engine.retained.size).toBe(0);
  });
});

describe('the whole session waits', () => {
  it('for other subscriptions too, so that all copies keep their order; identifier, QoS and RETAIN are those of the subscription', async () => {
    const { client, other } = await stuck();
    const options = { qos: 0, retainHandling: 2, retainAsPublished: true } as const;
    await client.send(subscribePacket({ '#': options }, 2, [{ name: 'subscriptionIdentifier', value: 2 }]));
    await other.send(
      publishPacket('r/4', '1', { qos: 1 }),
      publishPacket('else', '2', { retain: true, qos: 1 }),
    );
    expect((await rest(client, 1, 2)).slice(-3)).toEqual([
      'PUBLISH r/4=1 q1 #6 subscriptionIdentifier=1',
      'PUBLISH r/4=1 subscriptionIdentifier=2',
      'PUBLISH else=2 retain subscriptionIdentifier=2',
    ]);
  });

  it('for a shared subscription, which has nothing retained', async () => {
    const { client, other } = await stuck();
    await client.send(subscribePacket({ '$share/g/r/+': 1 }, 2));
    await other.send(publishPacket('r/4', '1', { qos: 1 }));
    const lines = messages(await rest(client, 1, 2));
    expect(lines).toEqual([...RETAINED.slice(2), 'r/4=1', 'r/4=1']);
  });

  it('until the last subscription has its messages, of QoS 0 while those of QoS 1 wait for the window', async () => {
    const { client, other } = await stuck();
    expect(messages(await client.send(subscribePacket({ 'r/3': 0 }, 2)))).toEqual(['r/3=old']);
    expect(await other.send(publishPacket('r/3', 'new'))).toEqual([]);
    expect(messages(await client.take())).toEqual([]);
    expect(messages(await rest(client, 1, 2))).toEqual([...RETAINED.slice(2), 'r/3=new', 'r/3=new']);
  });

  it('for nobody else', async () => {
    const { broker, client, other } = await stuck();
    const third = await broker.connect({ clientId: 'third' });
    await third.send(subscribePacket({ 'r/4': { qos: 0, retainHandling: 2 } }));
    await third.take();
    await other.send(publishPacket('r/4', 'new'));
    expect(messages(await third.take())).toEqual(['r/4=new']);
    expect(messages(await client.take())).toEqual([]);
  });

  it('and nothing waits when they have all been sent', async () => {
    const { client, other, session } = await stuck();
    await rest(client, 1, 2);
    expect(session.behind).toBeUndefined();
    await other.send(publishPacket('r/4', 'new'));
    expect(messages(await client.take())).toEqual(['r/4=new']);
  });
});

describe('SUBSCRIBE in the middle', () => {
  it('to something else: its retained messages come behind what was published before', async () => {
    const { client, other } = await stuck();
    await other.send(publishPacket('r/4', '1'), publishPacket('s', '2', { retain: true }));
    await client.send(subscribePacket({ s: 1 }, 2));
    await other.send(publishPacket('r/4', '3'), publishPacket('s', '4'));
    expect(messages(await rest(client, 1, 2))).toEqual([
      ...RETAINED.slice(2),
      'r/4=1',
      's=2',
      'r/4=3',
      's=4',
    ]);
  });

  it('to something else, over and over: it waits in one place', async () => {
    const { client, other, session } = await stuck();
    await other.send(publishPacket('r/4', '1'), publishPacket('s', '2', { retain: true }));
    for (let packetId = 2; packetId < 50; packetId++) await client.send(subscribePacket({ s: 1 }, packetId));
    expect(session.behind?.line.size).toBe(2);
    expect(messages(await rest(client, 1, 2))).toEqual([...RETAINED.slice(2), 'r/4=1', 's=2']);
  });

  it('to the same: begins again behind what was published before', async () => {
    const { client, other } = await stuck();
    await other.send(publishPacket('r/4', '1'));
    expect(messages(await client.send(subscribePacket({ 'r/+': 1 }, 2)))).toEqual(['r/4=1']);
    await other.send(publishPacket('r/4', '2'));
    expect(messages(await rest(client, 1, 2))).toEqual([...RETAINED, 'r/4=2']);
  });

  it.each([1, 2] as const)('to the same with Retain Handling %i changes nothing', async (retainHandling) => {
    const { client, other } = await stuck();
    await other.send(publishPacket('r/4', '1'));
    await client.send(subscribePacket({ 'r/+': { qos: 1, retainHandling } }, 2));
    expect(messages(await rest(client, 1, 2))).toEqual([...RETAINED.slice(2), 'r/4=1']);
  });

  it('with so many filters that it takes several turns: what comes before SUBACK waits as well (broker §9.8)', async () => {
    const broker = new TestBroker();
    await retain(broker);
    const [client, other] = [await broker.connect(), await broker.connect({ clientId: 'third' })];
    const filters = Object.fromEntries(upTo(10_000).map((index) => [`r/${index}`, 0 as const]));
    await other.send(subscribePacket({ 'r/4': { qos: 0, retainHandling: 2 } }));
    let subscriptions = 0;
    other.onPacket = () => {
      subscriptions = broker.engine.tree.size;
    };
    client.write(subscribePacket(filters));
    setImmediate(() => other.write(publishPacket('r/4', 'new')));
    const [suback, ...lines] = await client.take();
    expect([subscriptions > 5, subscriptions < 10_000]).toEqual([true, true]);
    expect(suback).toMatch(/^SUBACK/);
    expect(messages(lines)).toEqual([...RETAINED, 'r/4=new']);
  });
});

describe('UNSUBSCRIBE in the middle', () => {
  it('ends it: what waits comes before UNSUBACK, nothing retained does [MQTT-3.10.4-2]', async () => {
    const { client, other } = await stuck();
    await other.send(publishPacket('r/4', '1'));
    expect(await client.send(unsubscribePacket(['r/+'], 2))).toEqual([
      'PUBLISH r/4=1 subscriptionIdentifier=1',
      'UNSUBACK #2 0x00',
    ]);
    expect(await rest(client, 1, 2)).toEqual([]);
  });

  it('from something that waits for its turn: that is not taken', async () => {
    const { client, other } = await stuck();
    await other.send(publishPacket('r/4', '1'), publishPacket('s', '2', { retain: true }));
    await client.send(subscribePacket({ s: 1 }, 2), unsubscribePacket(['s'], 3));
    expect(messages(await rest(client, 1, 2))).toEqual([...RETAINED.slice(2), 'r/4=1']);
  });

  it('lets what stands behind it begin', async () => {
    const { client, other } = await stuck();
    await other.send(publishPacket('r/4', '1'), publishPacket('s', '2', { retain: true }));
    await client.send(subscribePacket({ s: 0 }, 2));
    expect(messages(await client.send(unsubscribePacket(['r/+'], 3)))).toEqual(['r/4=1', 's=2']);
  });
});

describe('a connection that ends in the middle', () => {
  const KEPT = ['r/4=1', 'r/4=2'];
  it.each([
    { how: 'lost', queueQos0Messages: false, kept: KEPT },
    { how: 'lost, with queue_qos0_messages', queueQos0Messages: true, kept: ['r/4=0', ...KEPT] },
    { how: 'taken over', queueQos0Messages: false, kept: KEPT },
  ])('$how: the next one has the rest first, and then what came before and meanwhile', async (row) => {
    const { broker, client, other } = await stuck({ settings: { queueQos0Messages: row.queueQos0Messages } });
    await other.send(publishPacket('r/4', '0'), publishPacket('r/4', '1', { qos: 1 }));
    if (row.how !== 'taken over') await client.vanish();
    await other.send(publishPacket('r/4', '2', { qos: 1 }));
    const back = await broker.attempt(WINDOW);
    const lines = messages([...(await back.take()), ...(await rest(back, 1, 2))]);
    expect(lines).toEqual([...RETAINED, ...row.kept]);
  });

  it('leaves nothing where the session ends with it', async () => {
    const { broker, client, other } = await stuck(
      {},
      { ...WINDOW, cleanStart: true, properties: [WINDOW.properties![1]!] },
    );
    await other.send(publishPacket('r/4', '1', { qos: 1 }));
    await client.vanish();
    expect(broker.engine.sessions.get('client')).toBeUndefined();
    const back = await broker.connect(WINDOW);
    expect(await back.take()).toEqual([]);
  });

  it('leaves nothing where the session expires', async () => {
    const { broker, client, other, session } = await stuck();
    await other.send(publishPacket('r/4', '1', { qos: 1 }));
    await client.vanish();
    await broker.pass(102);
    expect([session.ended, session.behind]).toEqual([true, undefined]);
  });

  it('drops at max_queued_messages what comes while it is away', async () => {
    const { broker, client, other } = await stuck({ settings: { maxQueuedMessages: 4 } });
    await client.vanish();
    for (const payload of ['1', '2', '3']) await other.send(publishPacket('r/4', payload, { qos: 1 }));
    // Two are in flight.
    expect(broker.engine.counters.dropped).toBe(1);
    const back = await broker.attempt(WINDOW);
    const lines = messages([...(await back.take()), ...(await rest(back, 1, 2))]);
    expect(lines).toEqual([...RETAINED, 'r/4=1', 'r/4=2']);
  });
});

describe('a broker that is killed in the middle', () => {
  it('sends what is retained first, and then what was saved behind it; what was queued before stays before', async () => {
    const store = new DeferredStore();
    const broker = await brokerWith(store);
    const other = await retain(broker);
    const client = await broker.connect(WINDOW);
    await client.send(subscribePacket({ q: 1 }));
    for (const payload of ['1', '2', '3']) await other.send(publishPacket('q', payload, { qos: 1 }));
    // Known already, and so is the number of what is saved of it.
    await client.send(subscribePacket({ 'r/+': { qos: 1, retainHandling: 2 } }, 2));
    await client.send(subscribePacket({ 'r/+': 1 }, 3));
    await other.send(publishPacket('r/4', '4', { qos: 1 }), publishPacket('r/0', '5', { qos: 1 }));
    // Twice.
    const [second, third] = [new DeferredStore(), new DeferredStore()];
    for (const [from, to] of [
      [store, second],
      [second, third],
    ] as const) {
      await broker.settle();
      await to.memory.commit(new Map(from.restore()));
      if (to === second) await brokerWith(to);
    }
    const later = await brokerWith(third);
    const back = await later.attempt(WINDOW);
    const lines = messages([...(await back.take()), ...(await rest(back, 1, 2))]);
    expect(lines).toEqual(['q=1', 'q=2', 'q=3', ...RETAINED, 'r/4=4', 'r/0=5']);
    expect(third.saved('delivery')).toEqual([]);
    expect(third.saved('subscription').some(({ replaying }) => replaying)).toBe(false);
  });
});

describe('bounds (broker B-10)', () => {
  it('of QoS 1: window and max_queued_messages together; then publishers wait, and nothing is lost', async () => {
    const { broker, client, other, session } = await stuck({ settings: { maxQueuedMessages: 10 } });
    const numbers = upTo(30);
    other.write(...numbers.map((at) => publishPacket('r/4', String(at), { qos: 1, packetId: at + 1 })));
    expect(await other.take()).toHaveLength(10);
    expect([session.outbound.pending, session.behind?.acknowledged]).toEqual([2, 10]);
    const lines = messages(await rest(client, 1, 2));
    expect(lines).toEqual([...RETAINED.slice(2), ...numbers.map((at) => `r/4=${at}`)]);
    expect(await other.take()).toHaveLength(20);
    expect([broker.engine.counters.dropped, broker.engine.blockedSessions.size]).toEqual([0, 0]);
  });

  it('of QoS 0: 256 KiB, with 256 bytes for each; then publishers wait, and nothing is lost', async () => {
    const { broker, client, other, session } = await stuck();
    const numbers = upTo(3000);
    other.write(...numbers.map((at) => publishPacket('r/4', String(at))), PINGREQ);
    expect(await other.take()).toEqual([]);
    expect(session.behind?.qos0).toBeGreaterThan(900);
    expect(session.behind?.weight).toBeLessThan(262_144 + 512);
    const lines = messages(await rest(client, 1, 2));
    expect(lines).toEqual([...RETAINED.slice(2), ...numbers.map((at) => `r/4=${at}`)]);
    expect(await other.take()).toEqual(['PINGRESP']);
    expect([broker.engine.counters.dropped, broker.engine.blockedSessions.size]).toEqual([0, 0]);
  });

  it.each([0, 1] as const)(
    'after 10 s without progress what is over them is dropped, QoS %i',
    async (qos) => {
      const { broker, client, other, session } = await stuck({ settings: { maxQueuedMessages: 10 } });
      const numbers = upTo(3000);
      const packet = (at: number) => publishPacket('r/4', String(at), { qos, packetId: qos * (at + 1) });
      other.write(...numbers.map(packet), PINGREQ);
      await broker.settle();
      expect(broker.engine.counters.dropped).toBe(0);
      await broker.pass(12);
      expect((await other.take()).at(-1)).toBe('PINGRESP');
      const kept = (session.behind?.acknowledged ?? 0) + (session.behind?.qos0 ?? 0);
      expect(kept).toBeLessThan(qos === 0 ? 1100 : 11);
      expect(broker.engine.counters.dropped).toBe(numbers.length - kept);
      const lines = messages(await rest(client, 1, 2));
      expect(lines).toEqual([...RETAINED.slice(2), ...numbers.slice(0, kept).map((at) => `r/4=${at}`)]);
      expect(broker.engine.blockedSessions.size).toBe(0);
    },
  );

  it('nobody waits for itself: its own are dropped', async () => {
    const { broker, client } = await stuck({ settings: { maxQueuedMessages: 10 } });
    const numbers = upTo(30);
    client.write(...numbers.map((at) => publishPacket('r/4', String(at), { qos: 1, packetId: at + 1 })));
    expect(await client.take()).toHaveLength(30);
    expect(broker.engine.counters.dropped).toBe(20);
    const lines = messages(await rest(client, 1, 2));
    expect(lines).toEqual([...RETAINED.slice(2), ...numbers.slice(0, 10).map((at) => `r/4=${at}`)]);
  });

  it('hold publishers from the start where the next connection begins over them', async () => {
    const { broker, client, other } = await stuck({ settings: { maxQueuedBytes: 500 } });
    await client.vanish();
    const payload = 'x'.repeat(600);
    await other.send(publishPacket('r/4', payload, { qos: 1 }));
    const back = await broker.attempt(WINDOW);
    other.write(publishPacket('r/4', 'live', { qos: 1, packetId: 2 }));
    const lines = messages([...(await back.take()), ...(await rest(back, 1, 2))]);
    expect(lines).toEqual([...RETAINED, `r/4=${payload}`, 'r/4=live']);
    expect([broker.engine.counters.dropped, broker.engine.blockedSessions.size]).toEqual([0, 0]);
  });

  it('UNSUBSCRIBE frees publishers that wait', async () => {
    const { client, other } = await stuck({ settings: { maxQueuedMessages: 10 } });
    other.write(...upTo(30).map((at) => publishPacket('r/4', String(at), { qos: 1, packetId: at + 1 })));
    await other.take();
    await client.send(unsubscribePacket(['r/+'], 2));
    expect(await other.take()).toHaveLength(20);
  });

  it('are free again where all that waited has expired', async () => {
    const { broker, client, other } = await stuck({ settings: { maxQueuedMessages: 10 } });
    const properties = [{ name: 'messageExpiryInterval', value: 5 }] as const;
    other.write(
      ...upTo(30).map((at) => publishPacket('r/4', String(at), { qos: 1, packetId: at + 1, properties })),
    );
    await other.take();
    broker.skip(6000);
    const lines = messages(await rest(client, 1, 2));
    // Those that waited in front of the broker are new.
    expect(lines).toEqual([...RETAINED.slice(2), ...upTo(20).map((at) => `r/4=${at + 10}`)]);
    expect(broker.engine.blockedSessions.size).toBe(0);
  });
});

it('what waits may not be read any more when its turn comes (broker §4.4)', async () => {
  const { broker, client, other } = await stuck();
  await other.send(publishPacket('r/4', '1'), publishPacket('r/4', '2', { qos: 1 }));
  const identity = broker.engine.sessions.get('client')!.identity!;
  identity.may = (_right, topic) => topic !== 'r/4';
  expect(messages(await rest(client, 1, 2))).toEqual(['r/2=old', 'r/3=old']);
});

it('what waits is counted among the messages that are stored (broker §6)', async () => {
  const { other, session } = await stuck();
  await other.send(publishPacket('r/4', '1'));
  const topics: string[] = [];
  session.forEachMessage((message) => topics.push(message.frame.payload.toString()));
  expect(topics.filter((payload) => payload === '1')).toHaveLength(1);
});
