import { describe, expect, test } from 'vitest';
import { disconnectPacket, publishPacket, type RawClient, subscribePacket } from '../../test/raw-client.js';
import { retainedMessages } from '../../test/retained-messages.js';
import { TestBroker } from '../../test/test-broker.js';
import { NO_SECRETS } from '../auth/secrets.js';
import { Engine } from '../engine.js';
import { DEFAULT_SETTINGS } from '../settings.js';
import { VERSION } from '../version.js';
import { SYS_ROWS } from './sys-table.js';

const PREFIX = '$SYS/broker/';

/** What stands below `$SYS/broker/`, by topic. */
function standing(broker: TestBroker): Record<string, string> {
  const messages = retainedMessages(broker.engine.retained, '$SYS/#');
  return Object.fromEntries(
    messages.map(({ topic, frame }) => [topic.slice(PREFIX.length), frame.payload.toString()]),
  );
}

const topicOf = (line: string): string => /^PUBLISH (.*)=/.exec(line)?.[1]?.slice(PREFIX.length) ?? line;

/** A broker at a time of day that is a multiple of 10 seconds, and somebody who watches. */
async function watched(interval = 10): Promise<{ broker: TestBroker; watcher: RawClient }> {
  const broker = new TestBroker({ settings: { sysInterval: interval } });
  const watcher = await broker.connect({ clientId: 'watcher' });
  await watcher.send(subscribePacket({ '$SYS/#': 0 }));
  return { broker, watcher };
}

describe('what is published', () => {
  test('sockets without CONNECT are connected clients, and the most of them is told from two on (broker T-37)', async () => {
    const broker = new TestBroker({ settings: { sysInterval: 10 } });
    broker.open();
    await broker.pass(10);
    expect(standing(broker)).toMatchObject({ 'clients/connected': '1', 'clients/total': '0' });
    expect(standing(broker)).not.toHaveProperty('clients/maximum');
    const silent = [broker.open(), broker.open()];
    await broker.pass(10);
    expect(standing(broker)).toMatchObject({
      'clients/connected': '3',
      'clients/total': '0',
      'clients/maximum': '3',
    });
    for (const client of silent) await client.vanish();
    await broker.pass(10);
    expect(standing(broker)).toMatchObject({ 'clients/connected': '1', 'clients/maximum': '3' });
  });

  test('every row, every alias with the same value, soon after the start', async () => {
    const { broker, watcher } = await watched();
    await broker.pass(1);
    const lines = await watcher.take();
    const expected = SYS_ROWS.flatMap(({ kind, topics: [first, ...aliases] }) =>
      kind === 'load'
        ? ['1min', '5min', '15min'].map((last) => `${first}/${last}`)
        : first === 'clients/maximum'
          ? []
          : [first, ...aliases],
    );
    expect(lines.map(topicOf).sort()).toEqual([...expected].sort());
    const values = standing(broker);
    expect(values['clients/active']).toBe(values['clients/connected']);
    expect(values).toMatchObject({
      version: expect.stringMatching(/^tsmqtt-broker version \d+\.\d+\.\d+$/),
      uptime: '1 seconds',
      'clients/total': '1',
      'clients/connected': '1',
      'clients/disconnected': '0',
      'clients/expired': '0',
      'subscriptions/count': '1',
      'load/sockets/15min': '0.00',
    });
    for (const { kind, topics } of SYS_ROWS) {
      if (kind === 'text' || kind === 'load') continue;
      for (const topic of topics) expect(values[topic] ?? '0').toMatch(/^\d+( seconds)?$/);
    }
  });

  test('as QoS 2 and retained', async () => {
    const { broker } = await watched();
    await broker.pass(1);
    const late = await broker.connect({ clientId: 'late' });
    const lines = await late.send(subscribePacket({ '$SYS/broker/version': 2 }));
    expect(lines[1]).toMatch(/^PUBLISH \$SYS\/broker\/version=tsmqtt-broker version \S+ q2 #1 retain$/);
  });

  test('where the time of day is a multiple of the interval, and what has changed; uptime always', async () => {
    const { broker, watcher } = await watched();
    await broker.pass(1);
    await watcher.take();
    await broker.pass(8);
    expect(await watcher.take()).toEqual([]);
    await broker.pass(1);
    const topics = (await watcher.take()).map(topicOf);
    expect(topics).toContain('uptime');
    expect(topics).toContain('messages/sent');
    expect(topics).not.toContain('version');
    expect(topics).not.toContain('clients/total');
    expect(topics).not.toContain('load/publish/dropped/1min');
    expect(standing(broker).uptime).toBe('10 seconds');
    await broker.pass(10);
    expect(standing(broker).uptime).toBe('20 seconds');
  });

  test('a second that nobody looked at is made up for', async () => {
    const { broker, watcher } = await watched();
    await broker.pass(9);
    await watcher.take();
    broker.skip(2500);
    await broker.pass(1);
    expect((await watcher.take()).map(topicOf)).toContain('uptime');
  });

  test('a load moves by as little as 0.01 unseen', async () => {
    const { broker, watcher } = await watched();
    await broker.pass(1);
    await watcher.take();
    // Nothing is dropped ever, so its load never moves; that of CONNECT decays from then on, ever more slowly.
    const seen: string[] = [];
    for (let tick = 0; tick < 120; tick++) {
      await broker.pass(10);
      seen.push(...(await watcher.take()));
    }
    const connections = seen.filter((line) => topicOf(line) === 'load/connections/15min');
    const values = connections.map((line) => Number(line.split('=')[1]));
    expect(values.length).toBeGreaterThan(0);
    expect(values.length).toBeLessThan(20);
    expect(seen.map(topicOf)).not.toContain('load/publish/dropped/15min');
  });

  test('nothing with sys_interval 0; a reload to 0 takes away what stands, one from 0 brings it', async () => {
    const { broker, watcher } = await watched(0);
    await broker.pass(60);
    expect(await watcher.take()).toEqual([]);
    expect(broker.engine.retained.size).toBe(0);
    await broker.engine.reload({ ...DEFAULT_SETTINGS, sysInterval: 5 }, () => NO_SECRETS);
    await broker.pass(5);
    expect((await watcher.take()).length).toBeGreaterThan(30);
    await broker.engine.reload({ ...DEFAULT_SETTINGS, sysInterval: 0 }, () => NO_SECRETS);
    await broker.pass(1);
    expect([await watcher.take(), broker.engine.retained.size]).toEqual([[], 0]);
  });

  test('under the name that the broker was given', () => {
    const { engine } = new TestBroker();
    expect(engine.name).toBe('tsmqtt-broker');
    const named = new Engine(engine.settings, engine.log, engine.clock, engine.realms, 'mosquitto');
    const version = SYS_ROWS.find(({ topics }) => topics[0] === 'version');
    expect(version?.read(named.sys.values(0))).toBe(`mosquitto version ${VERSION}`);
  });
});

describe('the state of the broker', () => {
  test('sessions, subscriptions, retained and stored messages', async () => {
    const { broker } = await watched();
    const away = await broker.connect({ clientId: 'away', cleanStart: false });
    await away.send(subscribePacket({ q: 1, '$share/g/s': 0, '$share/h/s': 0 }));
    const second = await broker.connect({ clientId: 'second', cleanStart: false });
    await second.send(subscribePacket({ q: 2 }));
    await away.send(disconnectPacket());
    await second.send(disconnectPacket());
    const publisher = await broker.connect({ clientId: 'publisher' });
    // One message, held by two sessions, and retained besides; then one that the sessions alone hold.
    await publisher.send(publishPacket('q', '12345', { qos: 1, retain: true }));
    await publisher.send(publishPacket('q', '678', { qos: 1, packetId: 2 }));
    // Received and not released.
    await publisher.send(publishPacket('t', '90', { qos: 2, packetId: 3 }));
    broker.open();
    const values = broker.engine.sys.values(0);
    const own = retainedMessages(broker.engine.retained, '$SYS/#');
    expect(own).toEqual([]);
    expect(values.store).toEqual({ count: 3, bytes: 10 });
    await broker.pass(1);
    const shown = standing(broker);
    const ofSys = retainedMessages(broker.engine.retained, '$SYS/#').length;
    expect(shown).toMatchObject({
      'clients/total': '4',
      'clients/connected': '3',
      'clients/disconnected': '2',
      'clients/maximum': '3',
      'subscriptions/count': '3',
      'shared_subscriptions/count': '2',
    });
    await broker.pass(10);
    const later = standing(broker);
    expect(Number(later['retained messages/count'])).toBeGreaterThanOrEqual(ofSys);
    expect(
      Number(later['messages/stored']) - Number(later['retained messages/count']),
    ).toBeGreaterThanOrEqual(2);
    expect(later['messages/stored']).toBe(later['store/messages/count']);
  });

  test('sessions that expired are counted', async () => {
    const { broker } = await watched();
    const properties = [{ name: 'sessionExpiryInterval', value: 3 }] as const;
    const client = await broker.connect({ protocolVersion: 5, clientId: 'short', properties });
    await client.vanish();
    await broker.pass(20);
    expect(standing(broker)).toMatchObject({ 'clients/expired': '1', 'clients/disconnected': '0' });
  });
});

describe('T-49: clients cannot write there', () => {
  test.each([
    [4, 1, 'PUBACK #1'],
    [4, 2, 'PUBREC #1'],
    [5, 1, 'PUBACK #1 0x87'],
    [5, 2, 'PUBREC #1 0x87'],
  ] as const)('version %i, QoS %i', async (protocolVersion, qos, answer) => {
    const { broker, watcher } = await watched();
    await broker.pass(1);
    await watcher.take();
    const client = await broker.connect({ protocolVersion, clientId: 'client' });
    const before = standing(broker);
    expect(await client.send(publishPacket('$SYS/broker/version', 'mine', { qos, retain: true }))).toEqual([
      answer,
    ]);
    expect([standing(broker), await watcher.take()]).toEqual([before, []]);
  });
});
