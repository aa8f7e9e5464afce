import { once } from 'node:events';
import { type Duplex, PassThrough } from 'node:stream';
import type { ProtocolVersion } from '@tsmqtt/protocol';
import { describe, expect, onTestFinished, test } from 'vitest';
import { FakeBroker, type Visitor } from '../test/fake-broker.js';
import { CONNACK, SESSION_PRESENT, text } from '../test/session-probe.js';
import { unusedPort } from '../test/unused-port.js';
import type { CancelSignal } from './cancellation.js';
import { type Client, ClientError, type ConnectOptions, connect, Delivery, tcp } from './index.js';

interface Meeting {
  readonly broker: FakeBroker;
  readonly client: Client;
  readonly visitor: Visitor;
}

/** A client of 3.1.1 (or as `options` say) that is connected to a fake broker. */
async function meet(
  options: Partial<ConnectOptions> = {},
  connack?: string,
  broker?: FakeBroker,
): Promise<Meeting> {
  const server = broker ?? (await FakeBroker.start());
  const protocolVersion = options.protocolVersion ?? 4;
  const connecting = connect({ connector: server.connector, clientId: 'c', protocolVersion, ...options });
  const visitor = await server.visitor();
  await visitor.greet(connack ?? CONNACK[protocolVersion]);
  const client = await connecting;
  onTestFinished(() => client.destroy());
  return { broker: server, client, visitor };
}

/** A promise and how to keep it. */
function promised<T>(): { readonly promise: Promise<T>; readonly keep: (value: T) => void } {
  let keep: (value: T) => void = () => {};
  const promise = new Promise<T>((resolve) => {
    keep = resolve;
  });
  return { promise, keep };
}

async function failure(promise: Promise<unknown>): Promise<ClientError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ClientError);
  return error as ClientError;
}

const QOS_1 = { qos: 1 } as const;

describe('connect()', () => {
  test.each<[ProtocolVersion]>([[3], [4], [5]])(
    'resolves at CONNACK 0, version %i',
    async (protocolVersion) => {
      const { client } = await meet({ protocolVersion });
      expect(client.connack).toMatchObject({ reasonCode: 0, sessionPresent: false });
      expect(client.clientId).toBe('c');
      expect(client.protocolVersion).toBe(protocolVersion);
    },
  );

  test.each<[version: ProtocolVersion, connack: string, reasonCode: number]>([
    [3, '20 02 00 01', 1],
    [4, '20 02 00 04', 4],
    [5, '20 03 00 86 00', 0x86],
    [5, '20 02 00 01', 0x84],
  ])('rejects with what CONNACK says, version %i, %s', async (protocolVersion, connack, reasonCode) => {
    const broker = await FakeBroker.start();
    const error = failure(connect({ connector: broker.connector, protocolVersion }));
    const visitor = await broker.visitor();
    await visitor.greet(connack);
    expect(await error).toMatchObject({ code: 'refused', reasonCode, protocolVersion });
    await visitor.closed;
  });

  test('rejects when nobody listens', async () => {
    const port = await unusedPort();
    const error = await failure(connect({ connector: tcp({ host: '127.0.0.1', port }) }));
    expect(error).toMatchObject({ code: 'connect-failed', address: '127.0.0.1', port });
    expect(error.cause).toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('is not tried again, whatever `reconnect` says', async () => {
    let asked = 0;
    const error = await failure(
      connect({
        connector: () => Promise.reject(new Error('no way')),
        reconnect: () => {
          asked++;
          return 0;
        },
      }),
    );
    expect(error).toMatchObject({ code: 'connect-failed', message: 'no way' });
    expect(asked).toBe(0);
  });

  test('rejects when the server closes before CONNACK', async () => {
    const broker = await FakeBroker.start();
    const error = failure(connect({ connector: broker.connector }));
    (await broker.visitor()).socket.end();
    expect(await error).toMatchObject({ code: 'connection-lost' });
  });

  test('rejects when the server resets before CONNACK', async () => {
    const broker = await FakeBroker.start();
    const error = failure(connect({ connector: broker.connector }));
    const visitor = await broker.visitor();
    await visitor.take(2);
    visitor.socket.resetAndDestroy();
    expect(await error).toMatchObject({ code: 'connection-lost' });
  });

  test('rejects when no CONNACK comes', async () => {
    const broker = await FakeBroker.start();
    const error = failure(connect({ connector: broker.connector, connackTimeoutMs: 20 }));
    const visitor = await broker.visitor();
    expect(await error).toMatchObject({ code: 'connection-lost', message: 'no CONNACK within 20 ms' });
    await visitor.closed;
  });

  test('the limit for CONNACK is for CONNACK', async () => {
    const { client, visitor } = await meet({ connackTimeoutMs: 50 });
    await new Promise((resolve) => setTimeout(resolve, 100));
    await client.publish('a', '');
    await visitor.expect('3003 0001 61');
  });

  test('can be aborted, before, while connecting, and while CONNACK is awaited', async () => {
    const before = await failure(
      connect({
        connector: () => Promise.reject(new Error('must not be called')),
        signal: AbortSignal.abort('why'),
      }),
    );
    expect(before).toMatchObject({ code: 'aborted', cause: 'why' });

    const controller = new AbortController();
    const { promise: opening, keep: opened } = promised<CancelSignal>();
    const during = failure(
      connect({
        connector: (signal) => {
          opened(signal);
          return new Promise(() => {});
        },
        signal: controller.signal,
      }),
    );
    const signal = await opening;
    controller.abort();
    expect(signal.aborted).toBe(true);
    expect(await during).toMatchObject({ code: 'aborted' });

    const broker = await FakeBroker.start();
    const late = new AbortController();
    const waiting = failure(connect({ connector: broker.connector, signal: late.signal }));
    const visitor = await broker.visitor();
    await visitor.take(2);
    late.abort();
    expect(await waiting).toMatchObject({ code: 'aborted' });
    await visitor.closed;
  });

  test('a connection that comes after that is cut', async () => {
    const controller = new AbortController();
    const late = promised<Duplex>();
    const aborted = failure(connect({ connector: () => late.promise, signal: controller.signal }));
    controller.abort();
    await aborted;
    const duplex = new PassThrough();
    late.keep(duplex);
    await once(duplex, 'close');
    expect(duplex.readableLength).toBe(0);
  });

  test('the signal means nothing afterwards', async () => {
    const controller = new AbortController();
    const { client, visitor } = await meet({ signal: controller.signal });
    controller.abort();
    void client.publish('a', '');
    await visitor.expect('3003 0001 61');
  });

  test('the mistakes of the caller are UsageErrors', async () => {
    const connector = (): never => expect.fail('must not be called');
    await expect(connect({ connector, keepAlive: -1 })).rejects.toMatchObject({ name: 'UsageError' });
  });
});

describe('publish()', () => {
  test('QoS 0, 1 and 2', async () => {
    const { client, visitor } = await meet();
    expect(await client.publish('a', 'x')).toEqual({ packetId: 0, reasonCode: 0, properties: [] });
    await visitor.expect('3004 0001 61 78');
    const one = client.publish('a', Buffer.from('x'), QOS_1);
    await visitor.expect('3206 0001 61 0001 78');
    visitor.send('4002 0001');
    expect(await one).toEqual({ packetId: 1, reasonCode: 0, properties: [] });
    const two = client.publish('a', 'x', { qos: 2, retain: true });
    await visitor.expect('3506 0001 61 0002 78');
    visitor.send('5002 0002');
    await visitor.expect('6202 0002');
    visitor.send('7002 0002');
    expect(await two).toMatchObject({ packetId: 2, reasonCode: 0 });
  });

  test('a refusal resolves, with what the server said', async () => {
    const { client, visitor } = await meet({ protocolVersion: 5 });
    const one = client.publish('a', '', QOS_1);
    const two = client.publish('a', '', { qos: 2 });
    visitor.send(`40 09 0001 87 05 1f ${text('no')} 50 03 0002 97`);
    expect(await one).toEqual({
      packetId: 1,
      reasonCode: 0x87,
      properties: [{ name: 'reasonString', value: 'no' }],
    });
    expect(await two).toMatchObject({ packetId: 2, reasonCode: 0x97 });
  });

  test('acknowledgements out of order find their messages', async () => {
    const { client, visitor } = await meet();
    const order: number[] = [];
    const all = ['1', '2', '3'].map((payload) =>
      client.publish('a', payload, QOS_1).then(({ packetId }) => order.push(packetId)),
    );
    await visitor.take(24);
    visitor.send('4002 0002 4002 0003 4002 0001');
    await Promise.all(all);
    expect(order).toEqual([2, 3, 1]);
  });

  test('what was written in one turn is one write', async () => {
    const { client, visitor } = await meet();
    let chunks = 0;
    visitor.socket.on('data', () => chunks++);
    await Promise.all(['1', '2', '3', '4'].map((payload) => client.publish('a', payload)));
    await visitor.expect('3004 0001 61 31 3004 0001 61 32 3004 0001 61 33 3004 0001 61 34');
    expect(chunks).toBe(1);
  });

  test('can be aborted: what was not sent is not sent', async () => {
    const { client, visitor } = await meet({ maximumInflight: 1 });
    const controller = new AbortController();
    const { signal } = controller;
    const sent = failure(client.publish('a', '1', { qos: 1, signal }));
    const queued = failure(client.publish('a', '2', { qos: 1, signal }));
    const other = client.publish('a', '3', QOS_1);
    await visitor.expect('3206 0001 61 0001 31');
    controller.abort();
    expect(await sent).toMatchObject({ code: 'aborted' });
    expect(await queued).toMatchObject({ code: 'aborted' });
    visitor.send('4002 0001');
    await visitor.expect('3206 0001 61 0002 33');
    visitor.send('4002 0002');
    await other;
    expect(await failure(client.publish('a', '', { signal }))).toMatchObject({ code: 'aborted' });
  });

  test('rejects when the connection is lost for good', async () => {
    const { client, visitor } = await meet();
    const pending = failure(client.publish('a', '', QOS_1));
    await visitor.take(7);
    visitor.socket.resetAndDestroy();
    expect(await pending).toMatchObject({ code: 'connection-lost' });
    expect(await client.closed).toMatchObject({ code: 'connection-lost' });
    expect(await failure(client.publish('a', ''))).toMatchObject({ code: 'connection-lost' });
  });

  test('rejects what the server does not take', async () => {
    const { client } = await meet({ protocolVersion: 5 }, '20 0a 00 00 07 24 01 27 00000014');
    await client.publish('a', 'x'.repeat(14));
    expect(await failure(client.publish('a', 'x'.repeat(15)))).toMatchObject({ code: 'packet-too-large' });
    expect(await failure(client.publish('a', '', { qos: 2 }))).toMatchObject({ code: 'qos-not-supported' });
  });

  test('the mistakes of the caller reject', async () => {
    const { client } = await meet();
    await expect(client.publish('a/#', '')).rejects.toMatchObject({ name: 'UsageError', code: 'topic-name' });
  });
});

describe('batch()', () => {
  test('a stream at QoS 1 keeps to the window and to the order', async () => {
    const { client, visitor } = await meet({ maximumInflight: 3 });
    const batch = client.batch('t', QOS_1);
    const source = Buffer.from('0123456789');
    for (let at = 0; at < 10; at++) expect(batch.write(source, at, at + 1)).toBe(true);
    const finished = batch.finish();
    const payloads: string[] = [];
    for (let id = 1; id <= 10; id++) {
      const packet = await visitor.take(8);
      payloads.push(String.fromCharCode(Number.parseInt(packet.slice(-2), 16)));
      visitor.send(`4002 ${id.toString(16).padStart(4, '0')}`);
    }
    await finished;
    expect(payloads.join('')).toBe('0123456789');
    expect(batch).toMatchObject({ accepted: 10, settled: 10, failed: 0 });
  });

  test('a slow broker holds a QoS 0 stream back', async () => {
    const { client, visitor } = await meet();
    visitor.socket.pause();
    const batch = client.batch('t');
    const payload = Buffer.alloc(1000, 'x');
    let written = 0;
    // The kernel takes what it has buffers for; then the client's own bound is met, and stays met.
    const blocked = async (): Promise<boolean> => {
      while (batch.write(payload, 0, payload.length)) written++;
      written++;
      return Promise.race([
        batch.drained().then(() => false),
        new Promise<boolean>((resolve) => setTimeout(() => resolve(true), 200)),
      ]);
    };
    while (!(await blocked()));
    expect((written - batch.settled) * 1006).toBeLessThan(262_144 + 65_536 + 1006);
    visitor.socket.resume();
    await batch.finish();
    expect(batch.settled).toBe(written);
    await visitor.take(written * 1006);
  });

  test('finish() resolves at once when there was nothing', async () => {
    const { client } = await meet();
    await client.batch('t').finish();
  });
});

describe('subscribe() and unsubscribe()', () => {
  const request = {
    filter: 'a/+',
    qos: 1,
    noLocal: false,
    retainAsPublished: false,
    retainHandling: 0,
  } as const;

  test('resolve with what the server answered', async () => {
    const { client, visitor } = await meet({ protocolVersion: 5 });
    const subscribed = client.subscribe([request, { ...request, filter: '#', qos: 2 }], {
      properties: [{ name: 'subscriptionIdentifier', value: 7 }],
    });
    await visitor.expect(`82 0f 0001 02 0b 07 ${text('a/+')} 01 ${text('#')} 02`);
    visitor.send('90 05 0001 00 01 87');
    expect((await subscribed).reasonCodes).toEqual([1, 0x87]);
    const unsubscribed = client.unsubscribe(['a/+']);
    await visitor.expect(`a2 08 0002 00 ${text('a/+')}`);
    visitor.send('b0 04 0002 00 00');
    expect((await unsubscribed).reasonCodes).toEqual([0]);
  });

  test("can be aborted; the answer that comes then is nobody's", async () => {
    const { client, visitor } = await meet();
    const controller = new AbortController();
    const pending = failure(client.subscribe([request], { signal: controller.signal }));
    await visitor.take(10);
    controller.abort();
    expect(await pending).toMatchObject({ code: 'aborted' });
    visitor.send('90 03 0001 01');
    const next = client.unsubscribe(['b']);
    await visitor.expect(`a2 05 0002 ${text('b')}`);
    visitor.send('b0 02 0002');
    await next;
    expect(await failure(client.subscribe([request], { signal: AbortSignal.abort() }))).toMatchObject({
      code: 'aborted',
    });
  });

  test('reject when the connection ends before the answer', async () => {
    const { client, visitor } = await meet();
    const pending = failure(client.subscribe([request]));
    await visitor.take(10);
    visitor.socket.end();
    expect(await pending).toMatchObject({ code: 'connection-lost' });
  });

  test('the mistakes of the caller reject', async () => {
    const { client } = await meet();
    await expect(client.subscribe([])).rejects.toMatchObject({ code: 'no-filter' });
    await expect(client.subscribe([{ ...request, filter: 'a/#/b' }])).rejects.toMatchObject({
      code: 'topic-filter',
    });
    await expect(client.unsubscribe(['a+'])).rejects.toMatchObject({ code: 'topic-filter' });
    await expect(
      client.subscribe([request], { properties: [{ name: 'subscriptionIdentifier', value: 1 }] }),
    ).rejects.toMatchObject({ code: 'properties-version' });
  });
});

describe('what the server can end with', () => {
  test.each<
    [version: ProtocolVersion, bytes: string, code: string, reasonCode: number | undefined, farewell: string]
  >([
    [5, 'e0 01 8e', 'server-disconnect', 0x8e, ''],
    [5, 'e0 00', 'server-disconnect', 0, ''],
    [5, '36 06 0001 61 0001 00', 'malformed', 0x81, 'e0 01 81'],
    [4, '36 05 0001 61 0001', 'malformed', 0x81, ''],
    [5, 'c0 00', 'protocol-error', 0x82, 'e0 01 82'],
    [5, 'f0 00', 'unexpected-auth', 0, 'e0 01 82'],
  ])('version %i, %s: %s', async (protocolVersion, bytes, code, reasonCode, farewell) => {
    const { client, visitor } = await meet({ protocolVersion });
    visitor.send(bytes);
    expect(await client.closed).toMatchObject({ code, reasonCode });
    await visitor.expect(farewell);
    await visitor.closed;
    expect(visitor.received).toBe('');
  });

  test('silence', async () => {
    const { client, visitor } = await meet({ keepAlive: 1 });
    await visitor.expect('c000');
    expect(await client.closed).toMatchObject({ code: 'keep-alive' });
    await visitor.closed;
  });

  test('not while the client is paused', async () => {
    const { client, visitor } = await meet({ keepAlive: 1 });
    client.pause();
    await visitor.expect('c000');
    visitor.send('d000');
    // The answer is not read; the next PINGREQ comes all the same, once it is.
    const paused = await Promise.race([
      client.closed,
      new Promise((resolve) => setTimeout(() => resolve('still there'), 1500)),
    ]);
    expect(paused).toBe('still there');
    client.resume();
    await visitor.expect('c000');
  });
});

describe('messages', () => {
  test('come to onMessage in order; onBatchEnd comes once a chunk', async () => {
    const events: string[] = [];
    const { promise, keep } = promised<void>();
    const { visitor } = await meet({
      onMessage: ({ topic, payload }) => {
        events.push(`${topic} ${Buffer.from(payload)}`);
        return Delivery.CONTINUE;
      },
      onBatchEnd: () => {
        if (events.length > 0) {
          events.push('end');
          keep();
        }
      },
    });
    visitor.send('3004 0001 61 31 3205 0001 62 0001 3004 0001 63 33');
    await promise;
    expect(events).toEqual(['a 1', 'b ', 'c 3', 'end']);
    await visitor.expect('4002 0001');
  });

  test('come before connect() resolves, where they came with CONNACK', async () => {
    const seen: string[] = [];
    await meet(
      {
        cleanStart: false,
        onMessage: ({ topic }) => {
          seen.push(topic);
          return Delivery.CONTINUE;
        },
      },
      `${SESSION_PRESENT[4]} 3003 0001 61`,
    );
    expect(seen).toEqual(['a']);
  });

  test('PAUSE stops the reading, resume() goes on with what is there', async () => {
    const seen: string[] = [];
    const paused = promised<void>();
    const { promise, keep } = promised<void>();
    const broker = await FakeBroker.start();
    let duplex: Duplex | undefined;
    const options: Partial<ConnectOptions> = {
      connector: async (signal) => {
        duplex = await broker.connector(signal);
        return duplex;
      },
      onBatchEnd: () => {
        if (seen.length > 0) paused.keep();
      },
      onMessage: ({ topic }) => {
        seen.push(topic);
        if (topic === 'a') return Delivery.PAUSE;
        if (topic === 'd') keep();
        return Delivery.CONTINUE;
      },
    };
    const { client, visitor } = await meet(options, undefined, broker);
    visitor.send('3003 0001 61 3003 0001 62');
    await paused.promise;
    await new Promise((resolve) => setImmediate(resolve));
    expect(seen).toEqual(['a']);
    expect(duplex?.isPaused()).toBe(true);
    client.resume();
    expect(seen).toEqual(['a', 'b']);
    expect(duplex?.isPaused()).toBe(false);
    visitor.send('3003 0001 64');
    await promise;
  });

  test('a client that does not read slows the broker down', async () => {
    let count = 0;
    const resumed = promised<void>();
    const { client, visitor } = await meet({
      onMessage: () => (++count === 1 ? Delivery.PAUSE : Delivery.CONTINUE),
      onBatchEnd: () => {
        if (count === 4_000_000) resumed.keep();
      },
    });
    // 20 MB are more than the kernel's buffers for one connection hold.
    const sent = new Promise<string>((resolve) => {
      visitor.socket.write(Buffer.alloc(20_000_000, Buffer.from([0x30, 3, 0, 1, 0x61])), () =>
        resolve('sent'),
      );
    });
    const stuck = new Promise<string>((resolve) => setTimeout(() => resolve('stuck'), 200));
    expect(await Promise.race([sent, stuck])).toBe('stuck');
    expect(count).toBe(1);
    client.resume();
    await resumed.promise;
  });

  test('held acknowledgements wait for acknowledge()', async () => {
    const { promise, keep } = promised<void>();
    const { client, visitor } = await meet({
      holdAcknowledgements: true,
      onMessage: ({ topic }) => {
        if (topic === 'b') keep();
        return Delivery.CONTINUE;
      },
    });
    visitor.send('3205 0001 61 0001 3405 0001 62 0002');
    await promise;
    await client.publish('x', '');
    await visitor.expect('3003 0001 78');
    client.acknowledge();
    await visitor.expect('4002 0001 5002 0002');
  });

  test('as an iterator: in copies, paused at the high water mark, ended by end()', async () => {
    const { client, visitor } = await meet();
    const messages = client.messages({ highWater: 2 });
    visitor.send('3004 0001 61 31 3004 0001 61 32 3004 0001 61 33 3004 0001 61 34');
    const payloads: string[] = [];
    for await (const { payload } of messages) {
      payloads.push(Buffer.from(payload).toString());
      if (payload[0] === 0x34) void client.end();
    }
    expect(payloads).toEqual(['1', '2', '3', '4']);
    await client.closed;
  });

  test('as an iterator that comes right after connect(): nothing is missed', async () => {
    const { client } = await meet({ cleanStart: false }, `${SESSION_PRESENT[4]} 3003 0001 61 3003 0001 62`);
    const messages = client.messages();
    expect((await messages.next()).value).toMatchObject({ topic: 'a' });
    expect((await messages.next()).value).toMatchObject({ topic: 'b' });
    await messages.return?.();
    expect(await messages.next()).toEqual({ done: true, value: undefined });
  });

  test('a full iterator and the caller pause independently of each other', async () => {
    const broker = await FakeBroker.start();
    let duplex: Duplex | undefined;
    const connector = async (signal: CancelSignal): Promise<Duplex> => {
      duplex = await broker.connector(signal);
      return duplex;
    };
    const { client, visitor } = await meet({ connector }, undefined, broker);
    const messages = client.messages({ highWater: 1 });
    visitor.send('3003 0001 61 3003 0001 62');
    // The first fills it; both come through its two reads.
    client.pause();
    const first = messages.next();
    client.resume();
    expect((await first).value).toMatchObject({ topic: 'a' });
    client.pause();
    expect((await messages.next()).value).toMatchObject({ topic: 'b' });
    expect(duplex?.isPaused()).toBe(true);
    visitor.send('3003 0001 63');
    const third = messages.next();
    client.resume();
    expect(duplex?.isPaused()).toBe(false);
    expect((await third).value).toMatchObject({ topic: 'c' });
  });

  test('as an iterator: told why there are no more', async () => {
    const { client, visitor } = await meet();
    const messages = client.messages();
    const first = failure(messages.next());
    visitor.socket.resetAndDestroy();
    expect(await first).toMatchObject({ code: 'connection-lost' });
    const controller = new AbortController();
    const { client: other } = await meet();
    const aborted = failure(other.messages({ signal: controller.signal }).next());
    controller.abort();
    expect(await aborted).toMatchObject({ code: 'aborted' });
  });
});

describe('reconnecting', () => {
  test('comes back, sends again what was in flight, and takes the assigned id along', async () => {
    const events: string[] = [];
    const { broker, client, visitor } = await meet(
      {
        protocolVersion: 5,
        clientId: '',
        cleanStart: false,
        reconnect: (attempt) => {
          events.push(`attempt ${attempt}`);
          return 0;
        },
        onConnectionLost: ({ code }) => events.push(code),
        onReconnected: ({ sessionPresent }) => events.push(`back ${sessionPresent}`),
      },
      `20 07 00 00 04 12 ${text('x')}`,
    );
    const pending = client.publish('a', '', QOS_1);
    await visitor.expect('3206 0001 61 0001 00');
    visitor.socket.resetAndDestroy();
    const second = await broker.visitor();
    expect(await second.greet(SESSION_PRESENT[5])).toBe(`100e${text('MQTT')}0500003c00${text('x')}`);
    await second.expect('3a06 0001 61 0001 00');
    second.send('4002 0001');
    await pending;
    expect(client.clientId).toBe('x');
    expect(events).toEqual(['connection-lost', 'attempt 1', 'back true']);
  });

  test('into a new session messages are new, and requests are not repeated', async () => {
    const { broker, client, visitor } = await meet({ reconnect: () => 0 });
    const pending = client.publish('a', '', { qos: 2 });
    const request = failure(client.unsubscribe(['b']));
    await visitor.take(14);
    visitor.send('5002 0001');
    await visitor.expect('6202 0001');
    visitor.socket.destroy();
    expect(await request).toMatchObject({ code: 'connection-lost' });
    const second = await broker.visitor();
    await second.greet(CONNACK[4]);
    await second.expect('3405 0001 61 0003');
    second.send('5002 0003 7002 0003');
    expect(await pending).toMatchObject({ packetId: 3 });
  });

  test('keeps trying, says so once, counts anew after success', async () => {
    const events: string[] = [];
    const broker = await FakeBroker.start();
    let fail = 0;
    const { visitor } = await meet(
      {
        connector: (signal) => (fail-- > 0 ? Promise.reject(new Error('not yet')) : broker.connector(signal)),
        reconnect: (attempt, { code }) => {
          events.push(`${attempt} ${code}`);
          return 1;
        },
        onConnectionLost: () => events.push('lost'),
        onReconnected: () => events.push('back'),
      },
      undefined,
      broker,
    );
    fail = 2;
    visitor.socket.destroy();
    const second = await broker.visitor();
    await second.greet(CONNACK[4]);
    second.send('ff ff ff ff ff');
    const third = await broker.visitor();
    await third.greet(CONNACK[4]);
    expect(events).toEqual([
      'lost',
      '1 connection-lost',
      '2 connect-failed',
      '3 connect-failed',
      'back',
      'lost',
      '1 malformed',
    ]);
  });

  test.each([
    ['a refusal', '20 02 00 05', 'refused'],
    ['a protocol error', 'd0 00', 'protocol-error'],
  ])('%s ends it', async (_title, answer, code) => {
    const { broker, client, visitor } = await meet({ reconnect: () => 0 });
    const pending = failure(client.publish('a', '', QOS_1));
    visitor.socket.destroy();
    const second = await broker.visitor();
    await second.greet(answer);
    expect(await client.closed).toMatchObject({ code });
    expect(await pending).toMatchObject({ code });
  });

  test('`reconnect` may give up', async () => {
    const { client, visitor } = await meet({ reconnect: () => undefined });
    visitor.socket.destroy();
    expect(await client.closed).toMatchObject({ code: 'connection-lost' });
  });

  test('a QoS 0 stream waits for the connection', async () => {
    const lost = promised<void>();
    const { broker, client, visitor } = await meet({
      reconnect: () => 0,
      onConnectionLost: () => lost.keep(),
    });
    const batch = client.batch('a');
    visitor.socket.destroy();
    await lost.promise;
    expect(batch.write(Buffer.from('1'), 0, 1)).toBe(false);
    const drained = batch.drained();
    const finished = batch.finish();
    const second = await broker.visitor();
    await second.greet(CONNACK[4]);
    await drained;
    await second.expect('3004 0001 61 31');
    await finished;
  });

  test('end() while the connection is gone ends the waiting', async () => {
    const lost = promised<void>();
    const { client, visitor } = await meet({
      reconnect: () => 3_600_000,
      onConnectionLost: () => lost.keep(),
    });
    const pending = failure(client.publish('a', '', QOS_1));
    await visitor.take(7);
    visitor.socket.destroy();
    await lost.promise;
    await client.end();
    expect(await pending).toMatchObject({ code: 'closed' });
    expect(await client.closed).toBeUndefined();
  });

  test('destroy() in onConnectionLost is obeyed', async () => {
    let asked = 0;
    const holder: { client?: Client } = {};
    const { client, visitor } = await meet({
      reconnect: () => ++asked,
      onConnectionLost: () => holder.client?.destroy(),
    });
    holder.client = client;
    visitor.socket.destroy();
    expect(await client.closed).toMatchObject({ code: 'closed' });
    expect(asked).toBe(0);
  });
});

describe('end()', () => {
  test('sends what waits, DISCONNECT, closes its side and waits for the other', async () => {
    const broker = await FakeBroker.start({ allowHalfOpen: true });
    const { client, visitor } = await meet({ protocolVersion: 5 }, undefined, broker);
    void client.publish('a', '');
    const ended = client.end({ reasonCode: 4, properties: [{ name: 'reasonString', value: 'x' }] });
    await visitor.expect(`3004 0001 61 00 e0 06 04 04 1f ${text('x')}`);
    await visitor.end();
    let over = false;
    void ended.then(() => {
      over = true;
    });
    // What the server still says is read and means nothing.
    visitor.send('3003 0001 61 ff ff ff');
    await new Promise((resolve) => setImmediate(resolve));
    expect(over).toBe(false);
    visitor.socket.end();
    await ended;
    expect(await client.closed).toBeUndefined();
  });

  test('waits no longer than a second for the other side', async () => {
    const broker = await FakeBroker.start({ allowHalfOpen: true });
    const { client, visitor } = await meet({}, undefined, broker);
    const ended = client.end();
    await visitor.expect('e000');
    await ended;
    expect(await client.closed).toBeUndefined();
    expect(visitor.socket.destroyed).toBe(false);
  });

  test('and not even that, where its signal says so', async () => {
    const broker = await FakeBroker.start({ allowHalfOpen: true });
    const { client, visitor } = await meet({}, undefined, broker);
    const controller = new AbortController();
    const ended = client.end({ signal: controller.signal });
    await visitor.expect('e000');
    controller.abort();
    await ended;
    expect(await client.closed).toBeUndefined();
  });

  test('twice is once; what comes afterwards fails', async () => {
    const { client, visitor } = await meet();
    await Promise.all([client.end(), client.end()]);
    await visitor.expect('e000');
    expect(visitor.received).toBe('');
    expect(await failure(client.publish('a', ''))).toMatchObject({ code: 'closed' });
    expect(await failure(client.unsubscribe(['a']))).toMatchObject({ code: 'closed' });
    await client.end();
  });

  test('while the client is paused: what the server still sends is read, nothing is reset', async () => {
    const { client, visitor } = await meet();
    client.pause();
    visitor.socket.write(Buffer.alloc(5_000_000, Buffer.from([0x30, 3, 0, 1, 0x61])));
    await client.end();
    await visitor.expect('e000');
    expect(await visitor.closed).toBe(false);
  });

  test('a message that is not acknowledged fails', async () => {
    const { client } = await meet();
    const pending = failure(client.publish('a', '', QOS_1));
    await client.end();
    expect(await pending).toMatchObject({ code: 'closed' });
  });
});

test('destroy() cuts the connection without DISCONNECT', async () => {
  const { client, visitor } = await meet();
  client.destroy();
  expect(await client.closed).toMatchObject({ code: 'closed' });
  await visitor.closed;
  expect(visitor.received).toBe('');
  client.destroy();
});

test('a filter alone is subscribed to at QoS 0 without options', async () => {
  const { client, visitor } = await meet({ protocolVersion: 5 });
  const suback = client.subscribe([{ filter: 'a' }, { filter: 'b', qos: 1, noLocal: true }]);
  await visitor.expect('820b 0001 00 0001 61 00 0001 62 05');
  visitor.send('9005 0001 00 00 01');
  expect(await suback).toMatchObject({ reasonCodes: [0, 1] });
  await client.end();
});
