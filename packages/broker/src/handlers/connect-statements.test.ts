import type { Properties, ProtocolVersion } from '@tsmqtt/protocol';
import { describe, expect, it } from 'vitest';
import { connectPacket, disconnectPacket, PINGREQ, publishPacket } from '../../test/raw-client.js';
import { TestBroker } from '../../test/test-broker.js';
import { REFUSALS } from './connect-refusal-table.js';

// What the specifications say of CONNECT and CONNACK and the tables in connect.test.ts do not show.

const BOTH = [4, 5] as const;
const expiry = (seconds: number): Properties => [{ name: 'sessionExpiryInterval', value: seconds }];

/** A session that outlives its connection, in either version. */
function lasting(protocolVersion: ProtocolVersion, clientId = 'client') {
  return {
    protocolVersion,
    clientId,
    cleanStart: false,
    properties: protocolVersion === 5 ? expiry(100) : [],
  };
}

describe.each(BOTH)('version %i: the Client Identifier', (protocolVersion) => {
  const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
  const some = [...ALPHABET, ALPHABET.slice(0, 23), ALPHABET.slice(23, 46), ALPHABET.slice(39)];

  it('of 1 to 23 letters and digits is accepted [MQTT-3.1.3-5] [MQTT311-3.1.3-5]', async () => {
    const broker = new TestBroker();
    for (const clientId of some) await broker.connect({ protocolVersion, clientId });
    expect(broker.engine.sessions.size).toBe(some.length);
  });

  it('may be longer and of other characters', async () => {
    const clientId = `ä/ ${'x'.repeat(1000)}`;
    await new TestBroker().connect({ protocolVersion, clientId });
  });

  it('is what sessions go by, to the byte [MQTT-3.1.3-2] [MQTT311-3.1.3-2]', async () => {
    const broker = new TestBroker();
    const one = await broker.connect(lasting(protocolVersion, 'id'));
    await one.send(
      protocolVersion === 5 ? '82 07 0001 00 0001 61 01' : '82 06 0001 0001 61 01',
      disconnectPacket(),
    );
    for (const other of ['ID', 'id ', 'i', 'idd']) {
      const [connack] = await (await broker.attempt(lasting(protocolVersion, other))).take();
      expect(connack).toMatch(/^CONNACK 0x00/);
    }
    const publisher = await broker.connect({ clientId: 'publisher' });
    await publisher.send(publishPacket('a', '1', { qos: 1 }));
    const back = await broker.attempt(lasting(protocolVersion, 'id'));
    expect(await back.take()).toEqual([expect.stringMatching(/^CONNACK present/), 'PUBLISH a=1 q1 #1']);
  });
});

describe.each(BOTH)('version %i: CONNACK', (protocolVersion) => {
  it('is the first packet, before anything that waited for the client [MQTT-3.1.4-5] [MQTT-3.2.0-1] [MQTT311-3.1.4-4] [MQTT311-3.2.0-1]', async () => {
    const broker = new TestBroker();
    const first = await broker.connect(lasting(protocolVersion));
    await first.send(protocolVersion === 5 ? '82 07 0001 00 0001 61 02' : '82 06 0001 0001 61 02');
    await first.vanish();
    const publisher = await broker.connect({ clientId: 'publisher' });
    await publisher.send(
      publishPacket('a', '1', { qos: 1 }),
      publishPacket('a', '2', { qos: 2, packetId: 2 }),
    );
    await publisher.send('62 02 0002');
    const back = broker.open(protocolVersion);
    back.write(connectPacket(lasting(protocolVersion)), PINGREQ);
    const [connack, ...rest] = await back.take();
    expect(connack).toMatch(/^CONNACK present 0x00/);
    expect(rest).toEqual(['PUBLISH a=1 q1 #1', 'PUBLISH a=2 q2 #2', 'PINGRESP']);
  });

  it('that refuses has Session Present 0, whatever session there is [MQTT-3.2.2-6] [MQTT311-3.2.2-4]', async () => {
    const verifier = {
      verify: (_user: string, password: Uint8Array | undefined) =>
        Promise.resolve(password?.length === 1 ? ('accepted' as const) : ('refused' as const)),
    };
    const broker = new TestBroker({ verifier });
    const fields = { ...lasting(protocolVersion), username: 'u', password: Buffer.from('1') };
    await (await broker.connect(fields)).vanish();
    const refused = await broker.attempt({ ...fields, password: Buffer.from('22') });
    expect(await refused.exchange()).toBe(
      protocolVersion === 5 ? '20 03 00 87 00 closed' : '20 02 00 05 closed',
    );
    expect((await (await broker.attempt(fields)).take())[0]).toMatch(/^CONNACK present/);
  });

  it('comes once [MQTT-3.2.0-2]', async () => {
    const broker = new TestBroker();
    const client = broker.open(protocolVersion);
    const lines = await client.send(
      connectPacket({ protocolVersion }),
      PINGREQ,
      connectPacket({ protocolVersion }),
    );
    expect(lines).toEqual([expect.stringMatching(/^CONNACK 0x00/), 'PINGRESP', 'closed']);
  });

  it('Clean Start carries out what it says [MQTT-3.1.2-4] [MQTT-3.1.2-6] [MQTT-3.1.4-4] [MQTT311-3.1.2-6] [MQTT311-3.1.4-3]', async () => {
    const broker = new TestBroker();
    const fields = lasting(protocolVersion);
    const first = await broker.attempt(fields);
    // No session of that identifier: a new one.
    expect(await first.take()).toEqual([expect.stringMatching(/^CONNACK 0x00/)]);
    await first.send(protocolVersion === 5 ? '82 07 0001 00 0001 61 01' : '82 06 0001 0001 61 01');
    await first.vanish();
    const publisher = await broker.connect({ clientId: 'publisher' });
    await publisher.send(publishPacket('a', 'kept', { qos: 1 }));
    const clean = await broker.attempt({ ...fields, cleanStart: true });
    expect(await clean.take()).toEqual([expect.stringMatching(/^CONNACK 0x00/)]);
    // Neither what was queued nor the subscription is there.
    await publisher.send(publishPacket('a', 'lost', { qos: 1 }));
    expect(await clean.send(PINGREQ)).toEqual(['PINGRESP']);
  });
});

describe('Reason Codes of CONNACK', () => {
  // biome-ignore format: table 3-1 of the specification
  const CODES = [0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8c, 0x90, 0x95, 0x97, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9f];

  it.each(Object.entries(REFUSALS))('%s: one that CONNACK has [MQTT-3.2.2-8]', (_name, { v3, v5 }) => {
    if (v5 !== undefined) expect(CODES).toContain(v5);
    if (v3 !== undefined) expect([1, 2, 3, 4, 5]).toContain(v3);
  });
});

describe('MQTT 5: properties of CONNACK', () => {
  const LIMITS = 'topicAliasMaximum=10 maximumPacketSize=2000000 receiveMaximum=20';

  it.each([
    { what: 'Request Response Information 0', name: 'requestResponseInformation', value: 0 },
    { what: 'Request Response Information 1', name: 'requestResponseInformation', value: 1 },
    { what: 'Request Problem Information 0', name: 'requestProblemInformation', value: 0 },
    { what: 'Request Problem Information 1', name: 'requestProblemInformation', value: 1 },
  ] as const)(
    '$what: no Response Information, Reason String or User Property [MQTT-3.1.2-28] [MQTT-3.1.2-29] [MQTT-3.2.2-19] [MQTT-3.2.2-20]',
    async ({ name, value }) => {
      const client = await new TestBroker().attempt({ protocolVersion: 5, properties: [{ name, value }] });
      expect(await client.take()).toEqual([`CONNACK 0x00 ${LIMITS}`]);
    },
  );

  it.each([
    { maxQos: 0, says: ' maximumQoS=0' },
    { maxQos: 1, says: ' maximumQoS=1' },
    { maxQos: 2, says: '' },
  ] as const)('max_qos $maxQos: Maximum QoS is said below 2 [MQTT-3.2.2-9]', async ({ maxQos, says }) => {
    const client = await new TestBroker({ listener: { maxQos } }).attempt({ protocolVersion: 5 });
    expect(await client.take()).toEqual([`CONNACK 0x00 ${LIMITS}${says}`]);
  });

  it('without Server Keep Alive the Keep Alive of CONNECT counts [MQTT-3.2.2-22]', async () => {
    const broker = new TestBroker({ settings: { maxKeepAlive: 100 } });
    const client = await broker.attempt({ protocolVersion: 5, keepAlive: 10 });
    expect((await client.take()).join()).not.toContain('serverKeepAlive');
    await broker.pass(15);
    expect(await client.take()).toEqual([]);
    await broker.pass(2);
    expect(await client.take()).toEqual(['closed']);
  });
});

describe('an error while CONNECT is processed', () => {
  it('that is transient closes the connection [MQTT311-4.8.0-2]', async () => {
    const verifier = { verify: () => Promise.resolve('busy' as const) };
    const client = await new TestBroker({ verifier }).attempt({ username: 'u', password: Buffer.from('p') });
    expect(await client.take()).toEqual(['closed']);
  });
});

describe.each(BOTH)('version %i: a CONNECT without the Will Flag', (protocolVersion) => {
  it('publishes no will, whatever ends the connection [MQTT311-3.1.2-12]', async () => {
    const broker = new TestBroker();
    const watcher = await broker.connect({ clientId: 'watcher' });
    await watcher.send('82 06 0001 0001 23 00');
    // One that came before it had a will.
    const will = {
      topic: 'will',
      payload: Buffer.from('gone'),
      qos: 0 as const,
      retain: false,
      properties: [],
    };
    await (await broker.connect({ protocolVersion, will })).send(disconnectPacket());
    await (await broker.connect({ protocolVersion })).vanish();
    await (await broker.connect({ protocolVersion })).send('00 00');
    expect(await watcher.take()).toEqual([]);
  });
});

describe.each(BOTH)('version %i: a will', (protocolVersion) => {
  const will = {
    topic: 'will',
    payload: Buffer.from('gone'),
    qos: 0 as const,
    retain: false,
    properties: [],
  };

  it('is there as long as the session, and published once [MQTT-3.1.2-7] [MQTT-3.1.2-10] [MQTT311-3.1.2-8] [MQTT311-3.1.2-10]', async () => {
    const broker = new TestBroker();
    const watcher = await broker.connect({ clientId: 'watcher' });
    await watcher.send('82 06 0001 0001 23 00');
    const fields = lasting(protocolVersion);
    await (await broker.connect({ ...fields, will })).vanish();
    expect(await watcher.take()).toEqual(['PUBLISH will=gone']);
    // The session goes on without it.
    const back = await broker.attempt(fields);
    await back.take();
    await back.vanish();
    await broker.pass(200);
    expect(await watcher.take()).toEqual([]);
  });
});

describe('MQTT 5: a will', () => {
  it('has its User Properties in their order [MQTT-3.1.3-10]', async () => {
    const broker = new TestBroker();
    const watcher = await broker.connect({ clientId: 'watcher', protocolVersion: 5 });
    await watcher.send('82 07 0001 00 0001 23 00');
    const pairs = [
      ['b', '2'],
      ['a', '1'],
      ['b', '2'],
      ['', ''],
    ] as const;
    const properties: Properties = pairs.map((value) => ({ name: 'userProperty', value }));
    const will = { topic: 'will', payload: Buffer.from('x'), qos: 0 as const, retain: false, properties };
    await (await broker.connect({ protocolVersion: 5, will })).vanish();
    expect(await watcher.take()).toEqual([
      'PUBLISH will=x userProperty=b:2 userProperty=a:1 userProperty=b:2 userProperty=:',
    ]);
  });
});
