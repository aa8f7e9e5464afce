import type { Property, QoS, Will } from '@tsmqtt/protocol';
import { describe, expect, it } from 'vitest';
import {
  type ConnectFields,
  disconnectPacket,
  publishPacket,
  type RawClient,
  subscribePacket,
} from '../../test/raw-client.js';
import { TestBroker, type TestBrokerOptions } from '../../test/test-broker.js';

const GONE = 'PUBLISH w=gone';
const delayOf = (value: number): Property => ({ name: 'willDelayInterval', value });
const expiryOf = (value: number): Property => ({ name: 'sessionExpiryInterval', value });

function will(fields: Partial<Will> = {}): Will {
  return { topic: 'w', payload: Buffer.from('gone'), qos: 0, retain: false, properties: [], ...fields };
}

async function watched(options?: TestBrokerOptions): Promise<{ broker: TestBroker; watcher: RawClient }> {
  const broker = new TestBroker(options);
  const watcher = await broker.connect({ clientId: 'watcher', protocolVersion: 5 });
  await watcher.send(subscribePacket({ '#': 2, '$SYS/#': 0, '$a/#': 0, '$share/g/w': 0 }));
  await watcher.send({ type: 10, packetId: 2, filters: ['$share/g/w'], properties: [] });
  return { broker, watcher };
}

describe('when a will is sent (broker §9.5)', () => {
  interface Row {
    readonly what: string;
    readonly version: 3 | 4 | 5;
    end(client: RawClient, broker: TestBroker): Promise<unknown>;
    readonly sent: boolean;
  }
  // biome-ignore format: one row a line
  const ROWS: readonly Row[] = [
    { what: 'DISCONNECT', version: 3, end: (client) => client.send(disconnectPacket()), sent: false },
    { what: 'DISCONNECT [MQTT311-3.14.4-3] [MQTT311-3.1.2-10]', version: 4, end: (client) => client.send(disconnectPacket()), sent: false },
    { what: 'DISCONNECT 0x00 [MQTT-3.14.4-3] [MQTT-3.1.2-10]', version: 5, end: (client) => client.send('e0 01 00'), sent: false },
    { what: 'DISCONNECT without Reason Code [MQTT-3.14.4-3]', version: 5, end: (client) => client.send('e0 00'), sent: false },
    { what: 'DISCONNECT 0x04', version: 5, end: (client) => client.send('e0 01 04'), sent: true },
    { what: 'DISCONNECT 0x80 (broker T-24)', version: 5, end: (client) => client.send('e0 01 80'), sent: true },
    { what: 'DISCONNECT with a code of servers (broker T-24)', version: 5, end: (client) => client.send('e0 01 8b'), sent: true },
    { what: 'DISCONNECT with a code that does not exist (broker T-55)', version: 5, end: (client) => client.send('e0 01 77'), sent: true },
    { what: 'DISCONNECT with an expiry that is not allowed', version: 5, end: (client) => client.send(disconnectPacket(0, [expiryOf(1)])), sent: true },
    { what: 'connection that breaks [MQTT311-3.1.2-8]', version: 4, end: (client) => client.vanish(), sent: true },
    { what: 'connection that breaks [MQTT-3.1.2-8]', version: 5, end: (client) => client.vanish(), sent: true },
    { what: 'keep-alive [MQTT311-3.1.2-8]', version: 4, end: (_client, broker) => broker.pass(100), sent: true },
    { what: 'protocol error [MQTT-3.1.2-8]', version: 5, end: (client) => client.send('00 00'), sent: true },
    { what: 'malformed packet [MQTT311-3.1.2-8]', version: 4, end: (client) => client.send('36 00'), sent: true },
    { what: 'packet that is too large [MQTT311-3.1.2-8]', version: 4, end: (client) => client.send('30 ff ff ff 7f'), sent: true },
    { what: 'second CONNECT', version: 4, end: (client) => client.send('10 00'), sent: true },
    { what: 'QoS over max_qos', version: 5, end: (client) => client.send(publishPacket('a', '', { qos: 2 })), sent: true },
  ];
  for (const { what, version, end, sent } of ROWS) {
    it(`version ${version}: ${what}: ${sent ? 'sent' : 'not sent'}`, async () => {
      const { broker, watcher } = await watched();
      const client = await broker.connect(
        { protocolVersion: version, will: will(), keepAlive: 10 },
        { maxQos: 1 },
      );
      await end(client, broker);
      expect(await watcher.take()).toEqual(sent ? [GONE] : []);
      // Once and for all.
      await client.vanish();
      await broker.pass(10);
      expect(await watcher.take()).toEqual([]);
    });
  }

  it('the answer to DISCONNECT is none, whatever its code', async () => {
    for (const code of ['00', '04', '80', '8b', '77']) {
      const client = await new TestBroker().connect({ protocolVersion: 5 });
      expect(await client.exchange(`e0 01 ${code}`)).toBe('closed');
    }
  });
});

describe('take-over (broker §9.5)', () => {
  const v4 = (cleanStart: boolean): ConnectFields => ({ protocolVersion: 4, cleanStart });
  const v5 = (cleanStart: boolean, expiry: number): ConnectFields => ({
    protocolVersion: 5,
    cleanStart,
    properties: [expiryOf(expiry)],
  });
  // biome-ignore format: one row a line
  const ROWS = [
    { what: '3.1.1 goes on', old: v4(false), taker: v4(false), sent: false },
    { what: 'the new one is clean', old: v4(false), taker: v4(true), sent: true },
    { what: 'the old one was clean', old: v4(true), taker: v4(false), sent: true },
    { what: 'both are clean', old: v4(true), taker: v4(true), sent: true },
    { what: 'MQTT 5 goes on', old: v5(true, 10), taker: v5(false, 10), sent: false },
    { what: 'MQTT 5, Clean Start', old: v5(false, 10), taker: v5(true, 10), sent: true },
    { what: 'MQTT 5 without expiry ends', old: v5(false, 0), taker: v5(false, 10), sent: true },
  ];
  for (const { what, old, taker, sent } of ROWS) {
    for (const delay of [0, 5]) {
      if (delay > 0 && old.protocolVersion !== 5) continue;
      const expected = sent && delay === 0;
      it(`${what}, delay ${delay}: ${expected ? 'sent' : 'not sent'}`, async () => {
        const { broker, watcher } = await watched();
        await broker.connect({ ...old, will: will({ properties: delay > 0 ? [delayOf(delay)] : [] }) });
        await broker.attempt(taker);
        await broker.pass(20);
        expect(await watcher.take()).toEqual(expected ? [GONE] : []);
      });
    }
  }

  it('the will of the new connection is its own', async () => {
    const { broker, watcher } = await watched();
    await broker.connect({ will: will({ payload: Buffer.from('old') }) });
    const taker = await broker.connect({ will: will({ payload: Buffer.from('new') }) });
    await taker.vanish();
    expect(await watcher.take()).toEqual(['PUBLISH w=old', 'PUBLISH w=new']);
  });
});

describe('Will Delay Interval', () => {
  // biome-ignore format: one row a line
  const ROWS = [
    { delay: 5, expiry: 100, due: 5, why: 'the delay' },
    { delay: 100, expiry: 5, due: 5, why: 'the session ends first' },
    { delay: 5, expiry: 0, due: 5, why: 'without expiry the delay all the same (broker T-23)' },
    { delay: 5, expiry: 0xffff_ffff, due: 5, why: 'the session never ends' },
    { delay: 0, expiry: 100, due: 0, why: 'none' },
  ];
  for (const { delay, expiry, due, why } of ROWS) {
    it(`${delay} with expiry ${expiry}: sent after ${due} s: ${why} [MQTT-3.1.3-9]`, async () => {
      const { broker, watcher } = await watched();
      const client = await broker.connect({
        protocolVersion: 5,
        properties: [expiryOf(expiry)],
        will: will({ properties: [delayOf(delay)] }),
      });
      await client.vanish();
      if (due > 0) {
        await broker.pass(due - 1);
        expect(await watcher.take()).toEqual([]);
        await broker.pass(1);
      }
      expect(await watcher.take()).toEqual([GONE]);
    });
  }

  it('is sent when persistent_client_expiration ends the session first [MQTT-3.1.3-9]', async () => {
    const { broker, watcher } = await watched({ settings: { persistentClientExpiration: 5 } });
    const client = await broker.connect({
      protocolVersion: 5,
      properties: [expiryOf(100)],
      will: will({ properties: [delayOf(50)] }),
    });
    await client.vanish();
    await broker.pass(6);
    expect(await watcher.take()).toEqual([GONE]);
  });

  it.each([false, true])(
    'the client that comes back in time cancels it, clean %s (broker T-25) [MQTT-3.1.3-9]',
    async (cleanStart) => {
      const { broker, watcher } = await watched();
      const fields: ConnectFields = { protocolVersion: 5, properties: [expiryOf(100)] };
      const client = await broker.connect({ ...fields, will: will({ properties: [delayOf(10)] }) });
      await client.vanish();
      await broker.pass(5);
      const back = await broker.attempt({ ...fields, cleanStart });
      await broker.pass(10);
      expect(await watcher.take()).toEqual([]);
      await back.send(disconnectPacket());
      await broker.pass(100);
      expect(await watcher.take()).toEqual([]);
    },
  );

  it('counts from DISCONNECT 0x04 too, with the expiry that it sets', async () => {
    const { broker, watcher } = await watched();
    const client = await broker.connect({
      protocolVersion: 5,
      properties: [expiryOf(100)],
      will: will({ properties: [delayOf(50)] }),
    });
    await client.send(disconnectPacket(0x04, [expiryOf(3)]));
    await broker.pass(2);
    expect(await watcher.take()).toEqual([]);
    await broker.pass(1);
    expect(await watcher.take()).toEqual([GONE]);
  });
});

describe('what a will is', () => {
  it.each([0, 1, 2] as const)('QoS %i [MQTT-3.1.2-12]', async (qos: QoS) => {
    const { broker, watcher } = await watched();
    await (await broker.connect({ will: will({ qos }) })).vanish();
    expect(await watcher.take()).toEqual([qos === 0 ? GONE : `${GONE} q${qos} #1`]);
  });

  it.each([true, false])(
    'RETAIN %s: retained or not [MQTT-3.1.2-14] [MQTT-3.1.2-15] [MQTT311-3.1.2-16] [MQTT311-3.1.2-17]',
    async (retain) => {
      const { broker, watcher } = await watched();
      await (await broker.connect({ will: will({ retain }) })).vanish();
      expect(await watcher.take()).toEqual([GONE]);
      const late = await broker.connect({ clientId: 'late' });
      const lines = await late.send(subscribePacket({ w: 0 }));
      expect(lines.slice(1)).toEqual(retain ? [`${GONE} retain`] : []);
    },
  );

  it('its properties, without the delay, and its expiry from sending on', async () => {
    const { broker, watcher } = await watched();
    const properties: Property[] = [
      { name: 'messageExpiryInterval', value: 60 },
      { name: 'payloadFormatIndicator', value: 1 },
      delayOf(10),
      { name: 'contentType', value: 't' },
      { name: 'responseTopic', value: 'r' },
      { name: 'correlationData', value: Buffer.from('c') },
      { name: 'userProperty', value: ['k', 'v'] },
    ];
    const client = await broker.connect({
      protocolVersion: 5,
      properties: [expiryOf(100)],
      will: will({ properties }),
    });
    await client.vanish();
    await broker.pass(10);
    expect(await watcher.take()).toEqual([
      `${GONE} payloadFormatIndicator=1 contentType=t responseTopic=r correlationData=63 userProperty=k:v messageExpiryInterval=60`,
    ]);
  });

  it('an empty payload is a message like any other', async () => {
    const { broker, watcher } = await watched();
    await watcher.send(publishPacket('w', 'kept', { retain: true }));
    await (await broker.connect({ will: will({ payload: Buffer.alloc(0), retain: true }) })).vanish();
    expect((await watcher.take()).at(-1)).toBe('PUBLISH w=');
    expect(broker.engine.retained.size).toBe(0);
  });

  it.each(['$SYS/a', '$share/g/w'])('%s is accepted and dropped when it is due', async (topic) => {
    const { broker, watcher } = await watched();
    await (await broker.connect({ will: will({ topic, retain: true }) })).vanish();
    expect(await watcher.take()).toEqual([]);
    expect(broker.engine.retained.size).toBe(0);
  });

  it('$a/b is an ordinary topic', async () => {
    const { broker, watcher } = await watched();
    await (await broker.connect({ will: will({ topic: '$a/b' }) })).vanish();
    expect(await watcher.take()).toEqual(['PUBLISH $a/b=gone']);
  });

  it('goes to the own subscription of a session that lasts, and to none of one that ends', async () => {
    const { broker } = await watched();
    for (const cleanStart of [true, false]) {
      const client = await broker.connect({ cleanStart, will: will({ qos: 1 }) });
      await client.send(subscribePacket({ w: 1 }));
      await client.vanish();
      const back = await broker.attempt({ cleanStart: false });
      expect((await back.take()).slice(1)).toEqual(cleanStart ? [] : [`${GONE} q1 #1`]);
      await back.send(disconnectPacket());
    }
  });
});
