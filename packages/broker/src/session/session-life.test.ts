import type { Property, ProtocolVersion } from '@tsmqtt/protocol';
import { describe, expect, it } from 'vitest';
import {
  acknowledgement,
  type ConnectFields,
  disconnectPacket,
  publishPacket,
  subscribePacket,
} from '../../test/raw-client.js';
import { TestBroker, type TestBrokerOptions } from '../../test/test-broker.js';

const DAY = 86_400;
const sei = (value: number): Property[] => [{ name: 'sessionExpiryInterval', value }];

/** What a client says with its CONNECT, in short. */
interface Life {
  readonly version: ProtocolVersion;
  readonly clean: boolean;
  readonly expiry?: number;
}

function fields({ version, clean, expiry }: Life): ConnectFields {
  return {
    protocolVersion: version,
    cleanStart: clean,
    properties: expiry === undefined ? [] : sei(expiry),
  };
}

const title = ({ version, clean, expiry }: Life): string =>
  `version ${version}, clean ${clean ? 1 : 0}${expiry === undefined ? '' : `, expiry ${expiry}`}`;

/** Whether the session is there for a client that comes back, with 3.1.1. */
async function present(broker: TestBroker): Promise<boolean> {
  const client = await broker.attempt({ cleanStart: false });
  const [connack = ''] = await client.take();
  return connack.startsWith('CONNACK present');
}

describe('how long a session lasts after its connection (broker §9.4)', () => {
  // biome-ignore format: one row a line
  const ROWS: readonly (Life & { seconds: number; kept: boolean; ref: string; options?: TestBrokerOptions })[] = [
    { version: 3, clean: true, seconds: 0, kept: false, ref: '' },
    { version: 4, clean: true, seconds: 0, kept: false, ref: '[MQTT311-3.1.2-6]' },
    { version: 3, clean: false, seconds: 1000 * DAY, kept: true, ref: '' },
    { version: 4, clean: false, seconds: 1000 * DAY, kept: true, ref: '[MQTT311-3.1.2-4] [MQTT311-4.1.0-1]' },
    { version: 5, clean: false, seconds: 0, kept: false, ref: '[MQTT-4.1.0-2]' },
    { version: 5, clean: true, expiry: 0, seconds: 0, kept: false, ref: '[MQTT-4.1.0-2]' },
    { version: 5, clean: true, expiry: 100, seconds: 100, kept: true, ref: '[MQTT-3.1.2-23]' },
    { version: 5, clean: true, expiry: 100, seconds: 101, kept: false, ref: '[MQTT-4.1.0-2]' },
    { version: 5, clean: false, expiry: 7 * DAY, seconds: 7 * DAY, kept: true, ref: '[MQTT-3.1.2-23]' },
    { version: 5, clean: false, expiry: 7 * DAY, seconds: 7 * DAY + 1, kept: false, ref: '[MQTT-4.1.0-2]' },
    { version: 5, clean: false, expiry: 0xffff_fffe, seconds: 0xffff_ffff, kept: false, ref: '[MQTT-4.1.0-2]' },
    { version: 5, clean: false, expiry: 0xffff_ffff, seconds: 0x1_ffff_ffff, kept: true, ref: '(3.1.2.11.2)' },
    { version: 4, clean: false, seconds: DAY, kept: true, ref: 'persistent_client_expiration', options: { settings: { persistentClientExpiration: DAY } } },
    { version: 4, clean: false, seconds: DAY + 1, kept: false, ref: 'persistent_client_expiration', options: { settings: { persistentClientExpiration: DAY } } },
    { version: 5, clean: false, expiry: 0xffff_ffff, seconds: DAY + 1, kept: false, ref: 'persistent_client_expiration (broker T-48)', options: { settings: { persistentClientExpiration: DAY } } },
    { version: 5, clean: false, expiry: 60, seconds: 61, kept: false, ref: 'persistent_client_expiration', options: { settings: { persistentClientExpiration: DAY } } },
  ];
  for (const { seconds, kept, ref, options, ...life } of ROWS) {
    for (const end of ['DISCONNECT', 'broken connection'] as const) {
      it(`${title(life)}: ${kept ? 'kept' : 'gone'} ${seconds} s after ${end} ${ref}`, async () => {
        const broker = new TestBroker(options);
        const client = await broker.connect(fields(life));
        await client.send(subscribePacket({ a: 1 }));
        if (end === 'DISCONNECT') await client.send(disconnectPacket());
        else await client.vanish();
        await broker.pass(seconds, Math.max(1, seconds / 50));
        expect(broker.engine.tree.size).toBe(kept ? 1 : 0);
        expect(await present(broker)).toBe(kept);
      });
    }
  }

  it('says so when it expires', async () => {
    const broker = new TestBroker();
    await (await broker.connect(fields({ version: 5, clean: true, expiry: 5 }))).vanish();
    await broker.pass(6);
    expect(broker.logged.at(-1)).toBe('notice Expiring client client due to timeout.');
    expect(broker.engine.sessions.size).toBe(0);
  });

  it('does not run while connected, and starts anew with every connection', async () => {
    const broker = new TestBroker();
    const life = fields({ version: 5, clean: false, expiry: 10 });
    for (let round = 0; round < 3; round++) {
      const client = await broker.connect(life);
      await broker.pass(100);
      await client.vanish();
      await broker.pass(9);
    }
    expect(await present(broker)).toBe(true);
  });

  it('a resumed MQTT 5 session ends with a connection that asks for nothing (broker T-27)', async () => {
    const broker = new TestBroker();
    await (await broker.connect(fields({ version: 5, clean: false, expiry: 1000 }))).vanish();
    const second = await broker.attempt(fields({ version: 5, clean: false }));
    expect((await second.take())[0]).toMatch(/^CONNACK present/);
    await second.vanish();
    expect(broker.engine.sessions.size).toBe(0);
  });
});

describe('DISCONNECT changes the expiry (3.14.2.2.2) (broker §9.4)', () => {
  const cases = [
    { before: 100, after: 0, seconds: 0, kept: false },
    { before: 100, after: 5, seconds: 5, kept: true },
    { before: 100, after: 5, seconds: 6, kept: false },
    { before: 5, after: 1000, seconds: 900, kept: true },
    { before: 5, after: 0xffff_ffff, seconds: 100 * DAY, kept: true },
    { before: 0, after: 0, seconds: 0, kept: false },
  ];
  for (const { before, after, seconds, kept } of cases) {
    it(`from ${before} to ${after}: ${kept ? 'kept' : 'gone'} after ${seconds} s`, async () => {
      const broker = new TestBroker();
      const client = await broker.connect(fields({ version: 5, clean: false, expiry: before }));
      expect(await client.send(disconnectPacket(0, sei(after)))).toEqual(['closed']);
      await broker.pass(seconds, Math.max(1, seconds / 50));
      expect(await present(broker)).toBe(kept);
    });
  }

  it('not from 0 to something (3.14.2.2.2)', async () => {
    const broker = new TestBroker();
    const client = await broker.connect(fields({ version: 5, clean: false }));
    expect(await client.send(disconnectPacket(0, sei(1)))).toEqual(['DISCONNECT 0x82', 'closed']);
    expect(await present(broker)).toBe(false);
  });
});

describe('what a session keeps (broker §9.4)', () => {
  it('clean 1 drops the old state first, and says so [MQTT-3.1.2-4] [MQTT-3.1.4-4]', async () => {
    const broker = new TestBroker();
    const client = await broker.connect({ cleanStart: false });
    await client.send(subscribePacket({ a: 1 }));
    await client.vanish();
    const publisher = await broker.connect({ clientId: 'publisher' });
    await publisher.send(publishPacket('a', 'x', { qos: 1 }));
    const fresh = await broker.connect({ cleanStart: true });
    expect(await fresh.send(publishPacket('a', 'y'))).toEqual([]);
    expect(broker.engine.tree.size).toBe(0);
  });

  it('subscriptions with their options and identifiers [MQTT-3.1.2-5] [MQTT-3.1.2-23] [MQTT311-3.1.2-4]', async () => {
    const broker = new TestBroker();
    const life = fields({ version: 5, clean: false, expiry: 100 });
    const client = await broker.connect(life);
    const identifier: Property[] = [{ name: 'subscriptionIdentifier', value: 77 }];
    await client.send(
      subscribePacket({ a: { qos: 1, noLocal: true, retainAsPublished: true } }, 1, identifier),
    );
    await client.vanish();
    const back = await broker.attempt(life);
    await back.take();
    expect(await back.send(publishPacket('a', 'own'))).toEqual([]);
    const publisher = await broker.connect({ clientId: 'publisher' });
    await publisher.send(publishPacket('a', 'x', { qos: 2, retain: true }), acknowledgement('PUBREL', 1));
    expect(await back.take()).toEqual(['PUBLISH a=x q1 #1 retain subscriptionIdentifier=77']);
  });

  const versions = [3, 4, 5] as const;
  for (const first of versions) {
    for (const second of versions) {
      it(`made with version ${first}, goes on with version ${second}`, async () => {
        const broker = new TestBroker();
        const life = (version: ProtocolVersion): ConnectFields =>
          fields({ version, clean: false, ...(version === 5 ? { expiry: 1000 } : {}) });
        const client = await broker.connect(life(first));
        await client.send(subscribePacket({ a: 2 }));
        const publisher = await broker.connect({ clientId: 'publisher', protocolVersion: 5 });
        const properties: Property[] = [{ name: 'contentType', value: 't' }];
        await publisher.send(publishPacket('a', '1', { qos: 1, properties }));
        await client.vanish();
        await publisher.send(publishPacket('a', '2', { qos: 2, properties }), acknowledgement('PUBREL', 1));
        const back = await broker.attempt(life(second));
        const [connack, ...lines] = await back.take();
        expect(connack?.startsWith('CONNACK present')).toBe(second !== 3);
        const shown = second === 5 ? ' contentType=t' : '';
        expect(lines).toEqual([`PUBLISH a=1 q1 #1 dup${shown}`, `PUBLISH a=2 q2 #2${shown}`]);
        // Its lifetime is now that of the new version.
        await back.vanish();
        await broker.pass(2000, 100);
        expect(broker.engine.sessions.get('client') !== undefined).toBe(second !== 5);
      });
    }
  }
});
