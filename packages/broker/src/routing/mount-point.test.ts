import type { Property, ProtocolVersion } from '@tsmqtt/protocol';
import { describe, expect, it } from 'vitest';
import {
  acknowledgement,
  type PublishFields,
  publishPacket,
  type RawClient,
  type SubscriptionFields,
  subscribePacket,
  unsubscribePacket,
} from '../../test/raw-client.js';
import { retainedMessages } from '../../test/retained-messages.js';
import { TestBroker } from '../../test/test-broker.js';

const MOUNT = { mountPoint: 'mp/' };

const userProperty: Property = { name: 'userProperty', value: ['k', 'v'] };
const alias = (value: number): Property => ({ name: 'topicAlias', value });

async function clients(
  protocolVersion: ProtocolVersion,
  properties: readonly Property[] = [],
): Promise<{ broker: TestBroker; inside: RawClient; outside: RawClient }> {
  const broker = new TestBroker();
  const inside = await broker.connect({ clientId: 'inside', protocolVersion, properties }, MOUNT);
  const outside = await broker.connect({ clientId: 'outside', protocolVersion });
  return { broker, inside, outside };
}

describe.each([3, 4, 5] as const)('version %i: behind a mount point (broker §9.12, T-33)', (version) => {
  const published: readonly (readonly [topic: string, fields: PublishFields])[] = [
    ['a', {}],
    ['a/b', { qos: 1 }],
    ['/', { qos: 2 }],
    ['$SYS/x', { qos: 1 }],
    ['$CONTROL/x', { qos: 1 }],
    ['$share/g/x', {}],
  ];
  it.each(published)('PUBLISH to %j goes to everybody under its whole name', async (topic, fields) => {
    const { inside, outside } = await clients(version);
    await outside.send(subscribePacket({ '#': 0 }));
    await inside.send(subscribePacket({ '#': 0 }));
    const answers = await inside.send(publishPacket(topic, 'x', fields));
    if (fields.qos === 2) answers.push(...(await inside.send(acknowledgement('PUBREL', 1))));
    expect(answers).toContain(`PUBLISH ${topic}=x`);
    expect(await outside.take()).toEqual([`PUBLISH mp/${topic}=x`]);
  });

  const filters: readonly (readonly [filter: string, sees: readonly string[]])[] = [
    ['#', ['a', 'a/b', '$SYS/x']],
    ['+', ['a']],
    ['a/#', ['a', 'a/b']],
    ['$SYS/#', ['$SYS/x']],
    ['mp/a', []],
    ['$share/g/a', ['a']],
    ['$share/g/#', ['a', 'a/b', '$SYS/x']],
  ];
  it.each(filters)('SUBSCRIBE to %j sees %j of what is published outside', async (filter, sees) => {
    const { inside, outside } = await clients(version);
    await inside.send(subscribePacket({ [filter]: 1 }));
    for (const topic of ['a', 'mp', 'mp/', 'mp/a', 'mp/a/b', 'mpa', 'mp/$SYS/x', 'other/mp/a']) {
      await outside.send(publishPacket(topic, 'x'));
    }
    expect(await inside.take()).toEqual(sees.map((topic) => `PUBLISH ${topic}=x`));
  });

  it('UNSUBSCRIBE ends what was subscribed there, and nothing of the same name elsewhere', async () => {
    const { broker, inside, outside } = await clients(version);
    await inside.send(subscribePacket({ a: 0, '$share/g/a': 0, b: 0 }));
    const codes = version === 5 ? ' 0x00 0x00 0x11' : '';
    expect(await inside.send(unsubscribePacket(['a', '$share/g/a', 'mp/b']))).toEqual([
      `UNSUBACK #1${codes}`,
    ]);
    expect([...broker.engine.sessions.get('inside')!.subscriptions.keys()]).toEqual(['mp/b']);
    await outside.send(publishPacket('mp/a', 'x'), publishPacket('mp/b', 'x'));
    expect(await inside.take()).toEqual(['PUBLISH b=x']);
  });

  it('retained messages are one store for both sides', async () => {
    const { broker, inside, outside } = await clients(version);
    await inside.send(publishPacket('in', 'x', { retain: true }));
    await outside.send(
      publishPacket('mp/out', 'x', { retain: true }),
      publishPacket('hidden', 'x', { retain: true }),
    );
    const held = retainedMessages(broker.engine.retained, '#').map(({ topic }) => topic);
    expect(held).toEqual(['mp/in', 'mp/out', 'hidden']);
    expect((await inside.send(subscribePacket({ '#': 0 }))).slice(1)).toEqual([
      'PUBLISH in=x retain',
      'PUBLISH out=x retain',
    ]);
    await inside.send(publishPacket('out', '', { retain: true }));
    expect(broker.engine.retained.size).toBe(2);
  });

  it('a will goes to where a PUBLISH would', async () => {
    const { broker, outside } = await clients(version);
    await outside.send(subscribePacket({ '#': 0 }));
    const will = { topic: 'w', payload: Buffer.from('gone'), qos: 0 as const, retain: false, properties: [] };
    await (await broker.connect({ clientId: 'mortal', protocolVersion: version, will }, MOUNT)).vanish();
    expect(await outside.take()).toEqual(['PUBLISH mp/w=gone']);
  });

  it('what waits for an offline session is shown as ever when it comes back', async () => {
    const broker = new TestBroker();
    const properties: Property[] = version === 5 ? [{ name: 'sessionExpiryInterval', value: 100 }] : [];
    const fields = { protocolVersion: version, cleanStart: false, properties };
    const inside = await broker.connect(fields, MOUNT);
    await inside.send(subscribePacket({ 'a/#': 1 }));
    const outside = await broker.connect({ clientId: 'outside' });
    await outside.send(publishPacket('mp/a/1', 'x', { qos: 1 }));
    await inside.vanish();
    await outside.send(publishPacket('mp/a/2', 'x', { qos: 1 }));
    const back = await broker.attempt(fields, MOUNT);
    expect((await back.take()).slice(1)).toEqual(['PUBLISH a/1=x q1 #1 dup', 'PUBLISH a/2=x q1 #2']);
  });

  it('two mount points with one broker do not see each other', async () => {
    const broker = new TestBroker();
    const one = await broker.connect({ clientId: 'one', protocolVersion: version }, { mountPoint: 'one/' });
    const two = await broker.connect({ clientId: 'two', protocolVersion: version }, { mountPoint: 'two/' });
    for (const client of [one, two]) await client.send(subscribePacket({ '#': 0 }));
    expect(await one.send(publishPacket('a', '1'))).toEqual(['PUBLISH a=1']);
    expect(await two.take()).toEqual([]);
  });
});

describe('behind a mount point', () => {
  it('properties go through, the Response Topic as it is', async () => {
    const { inside, outside } = await clients(5);
    const properties: Property[] = [{ name: 'responseTopic', value: 'r' }, userProperty];
    await outside.send(subscribePacket({ '#': 0 }));
    await inside.send(subscribePacket({ '#': 0 }, 1, [{ name: 'subscriptionIdentifier', value: 3 }]));
    expect(await inside.send(publishPacket('a', 'x', { properties }))).toEqual([
      'PUBLISH a=x responseTopic=r userProperty=k:v subscriptionIdentifier=3',
    ]);
    expect(await outside.take()).toEqual(['PUBLISH mp/a=x responseTopic=r userProperty=k:v']);
  });

  it('Topic Aliases work both ways', async () => {
    const { inside, outside } = await clients(5, [{ name: 'topicAliasMaximum', value: 5 }]);
    await outside.send(subscribePacket({ '#': 0 }));
    await inside.send(
      publishPacket('a', '1', { properties: [alias(1)] }),
      publishPacket('', '2', { properties: [alias(1)] }),
    );
    expect(await outside.take()).toEqual(['PUBLISH mp/a=1', 'PUBLISH mp/a=2']);
    await inside.send(subscribePacket({ '#': 0 }));
    await outside.send(publishPacket('mp/b', '3'), publishPacket('mp/b', '4'));
    expect(await inside.take()).toEqual(['PUBLISH b=3 topicAlias=1', 'PUBLISH =4 topicAlias=1']);
  });

  it('expiry and the largest packet count for what the client sees', async () => {
    const { broker, inside, outside } = await clients(5, [{ name: 'maximumPacketSize', value: 30 }]);
    await inside.send(subscribePacket({ '#': 1 }));
    const properties: Property[] = [{ name: 'messageExpiryInterval', value: 9 }];
    await outside.send(publishPacket('mp/a', 'x', { qos: 1, properties }));
    expect(await inside.take()).toEqual(['PUBLISH a=x q1 #1 messageExpiryInterval=9']);
    // Fixed Header, topic, Packet Identifier, Properties: 8 bytes, and 22 of payload. Three more with the prefix.
    await outside.send(publishPacket('mp/a', 'x'.repeat(22), { qos: 1 }));
    expect(await inside.take()).toEqual([`PUBLISH a=${'x'.repeat(22)} q1 #2`]);
    await outside.send(publishPacket('mp/a', 'x'.repeat(23), { qos: 1 }));
    expect(await inside.take()).toEqual([]);
    expect(broker.logged.at(-1)).toMatch(/^notice Dropping too large outgoing PUBLISH/);
  });

  const options: readonly (readonly [SubscriptionFields, string[]])[] = [
    [{ noLocal: true }, []],
    [{ retainAsPublished: true }, ['PUBLISH a=x retain']],
  ];
  it.each(options)('Subscription Options hold: %o', async (fields, sees) => {
    const { inside } = await clients(5);
    await inside.send(subscribePacket({ a: fields }));
    expect(await inside.send(publishPacket('a', 'x', { retain: true }))).toEqual(sees);
  });

  it.each([
    [5, ['DISCONNECT 0x81', 'closed']],
    [4, ['closed']],
  ] as const)('version %i: a topic that is too long with the prefix', async (version, end) => {
    const { inside } = await clients(version);
    const longest = 'x'.repeat(65_532);
    expect(await inside.send(publishPacket(longest, 'x', { qos: 1 }))).toHaveLength(1);
    expect(await inside.send(publishPacket(`${longest}x`, 'x', { qos: 1 }))).toEqual(end);
  });

  it('a will whose topic is too long with the prefix is no CONNECT', async () => {
    const broker = new TestBroker();
    const will = {
      payload: Buffer.from('x'),
      qos: 0 as const,
      retain: false,
      properties: [],
      topic: 'x'.repeat(65_533),
    };
    const client = await broker.attempt({ will }, MOUNT);
    expect(await client.take()).toEqual(['closed']);
  });

  it('a prefix without / leaves a filter that begins with a wildcard nothing to match, as in Mosquitto', async () => {
    const broker = new TestBroker();
    const client = await broker.connect({}, { mountPoint: 'mp' });
    expect(await client.send(subscribePacket({ '#': 0, x: 0 }))).toEqual(['SUBACK #1 0x00 0x00']);
    expect(await client.send(publishPacket('x', '1'), publishPacket('y', '2'))).toEqual(['PUBLISH x=1']);
  });

  it('is what it was when the client connected', async () => {
    const broker = new TestBroker();
    const client = await broker.connect({}, MOUNT);
    const [connection] = [...broker.engine.connections];
    connection!.listener = { ...connection!.listener, mountPoint: 'other/' };
    await client.send(subscribePacket({ a: 0 }));
    expect(await client.send(publishPacket('a', 'x'))).toEqual(['PUBLISH a=x']);
  });
});

it('clients that share a mount point share what is made for them', async () => {
  const broker = new TestBroker();
  const members = [];
  for (let index = 0; index < 3; index++) {
    const member = await broker.connect({ clientId: String(index) }, MOUNT);
    await member.send(subscribePacket({ '#': 0 }));
    members.push(member);
  }
  const outside = await broker.connect({ clientId: 'outside' });
  await outside.send(publishPacket('mp/a', '1'), publishPacket('mp/b', '2'));
  for (const member of members) expect(await member.take()).toEqual(['PUBLISH a=1', 'PUBLISH b=2']);
});
