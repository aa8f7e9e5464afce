import { describe, expect, it } from 'vitest';
import { TestBroker, type TestBrokerOptions } from '../../test/test-broker.js';

const MPS = '27 00 1e 84 80';
const RM = '21 00 14';
const TAM = '22 00 0a';

describe('properties of CONNACK, in the order of broker §9.3', () => {
  // biome-ignore format: one row a line
  const ROWS: readonly { what: string; options: TestBrokerOptions; keepAlive?: number; properties: string }[] = [
    { what: 'defaults', options: {}, properties: `${TAM} ${MPS} ${RM}` },
    { what: 'max_topic_alias 0', options: { listener: { maxTopicAlias: 0 } }, properties: `${MPS} ${RM}` },
    { what: 'max_inflight_messages 0', options: { settings: { maxInflightMessages: 0 } }, properties: `${TAM} ${MPS}` },
    { what: 'max_packet_size 100', options: { settings: { maxPacketSize: 100 } }, properties: `${TAM} 27 00 00 00 64 ${RM}` },
    { what: 'max_keepalive, 0 asked for [MQTT-3.2.2-21]', options: { settings: { maxKeepAlive: 10 } }, keepAlive: 0, properties: `13 00 0a ${TAM} ${MPS} ${RM}` },
    { what: 'max_keepalive, less asked for', options: { settings: { maxKeepAlive: 10 } }, keepAlive: 9, properties: `${TAM} ${MPS} ${RM}` },
    { what: 'everything', options: { settings: { maxKeepAlive: 10, retainAvailable: false }, listener: { maxQos: 1 } }, keepAlive: 11, properties: `13 00 0a ${TAM} 25 00 ${MPS} ${RM} 24 01` },
  ];
  for (const { what, options, keepAlive = 5, properties } of ROWS) {
    it(what, async () => {
      const client = new TestBroker(options).open(5);
      const length = (properties.replaceAll(' ', '').length / 2).toString(16).padStart(2, '0');
      const total = (properties.replaceAll(' ', '').length / 2 + 3).toString(16).padStart(2, '0');
      const keep = keepAlive.toString(16).padStart(4, '0');
      const answer = await client.exchange(`10 0e 0004 4d515454 05 02 ${keep} 00 0001 61`);
      expect(answer).toBe(`20 ${total} 00 00 ${length} ${properties}`);
    });
  }
});

describe('Assigned Client Identifier', () => {
  const UUID = '[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}';

  it.each([true, false])(
    'MQTT 5, Clean Start %s: prefix and UUID [MQTT-3.1.3-6] [MQTT-3.1.3-7] [MQTT-3.2.2-16]',
    async (cleanStart) => {
      const broker = new TestBroker({ settings: { autoIdPrefix: 'dev-' } });
      const client = await broker.attempt({ protocolVersion: 5, clientId: '', cleanStart });
      const [connack = ''] = await client.take();
      expect(connack).toMatch(
        new RegExp(
          `^CONNACK 0x00 topicAliasMaximum=10 assignedClientIdentifier=dev-${UUID} maximumPacketSize`,
        ),
      );
    },
  );

  it('3.1.1: generated, and not told [MQTT311-3.1.3-6]', async () => {
    const broker = new TestBroker();
    await broker.connect({ clientId: '' });
    expect(broker.logged.at(-1)).toMatch(new RegExp(` as auto-${UUID} \\(p4, c1, k0\\)\\.$`));
  });

  it('is another one for every client [MQTT-3.2.2-16]', async () => {
    const broker = new TestBroker();
    for (let count = 0; count < 5; count++) await broker.connect({ clientId: '' });
    expect(broker.engine.sessions.size).toBe(5);
  });
});

describe('Session Present', () => {
  it('is never said in 3.1', async () => {
    const broker = new TestBroker();
    await (await broker.connect({ cleanStart: false })).vanish();
    const client = await broker.attempt({ protocolVersion: 3, cleanStart: false });
    expect(await client.exchange()).toBe('20 02 00 00');
  });

  it.each([4, 5] as const)(
    'version %i: where there is one and it is wanted [MQTT-3.2.2-2] [MQTT-3.2.2-3] [MQTT311-3.2.2-1] [MQTT311-3.2.2-2] [MQTT311-3.2.2-3]',
    async (protocolVersion) => {
      const broker = new TestBroker();
      const properties = [{ name: 'sessionExpiryInterval', value: 100 } as const];
      const fields = {
        protocolVersion,
        cleanStart: false,
        properties: protocolVersion === 5 ? properties : [],
      };
      const first = await broker.attempt(fields);
      expect((await first.take())[0]).toMatch(/^CONNACK 0x00/);
      await first.vanish();
      const second = await broker.attempt(fields);
      expect((await second.take())[0]).toMatch(/^CONNACK present 0x00/);
      await second.vanish();
      const third = await broker.attempt({ ...fields, cleanStart: true });
      expect((await third.take())[0]).toMatch(/^CONNACK 0x00/);
    },
  );
});
