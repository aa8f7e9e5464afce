import type { Packet } from '@tsmqtt/protocol';
import { expect, test } from 'vitest';
import {
  acknowledgement,
  type ConnectFields,
  disconnectPacket,
  PINGREQ,
  publishPacket,
  subscribePacket,
  unsubscribePacket,
} from '../packages/broker/test/raw-client.js';
import { SocketClient } from '../packages/broker/test/socket-client.js';
import { type BrokerName, startBroker } from './support/brokers.js';
import { startChild } from './support/child.js';
import { LOG_DIFFERENCES, OWN_LINES } from './support/log-differences.js';
import { describePeer } from './support/peers.js';

const will = { topic: 'w/t', payload: Buffer.from('bye'), qos: 1, retain: true, properties: [] } as const;

/** Resolves when the broker has answered everything that was sent before. */
async function ping(client: SocketClient): Promise<void> {
  const before = client.bytes.length;
  client.send(PINGREQ);
  await client.until((bytes) => bytes.length > before && bytes.endsWith('d000'));
}

/** A session with every packet, one step after the other, so that the order of the lines is fixed. */
async function session(port: number): Promise<void> {
  const connect = (fields: ConnectFields) => SocketClient.connect(port, fields);
  const watcher = await connect({ protocolVersion: 5, clientId: 'watcher', will, keepAlive: 10 });
  watcher.send(subscribePacket({ 'a/#': 2, '$share/g/s': 1 }));
  await ping(watcher);
  const client = await connect({ clientId: 'client', username: 'user', password: Buffer.from('') });
  const step = async (packet: Packet): Promise<void> => {
    client.send(packet);
    await ping(client);
    await ping(watcher);
  };
  await step(publishPacket('a/x', 'hello'));
  await step(publishPacket('a/x', 'hello', { qos: 1, packetId: 3, retain: true }));
  watcher.send(acknowledgement('PUBACK', 1));
  await ping(watcher);
  await step(publishPacket('a/x', 'hello', { qos: 2, packetId: 4 }));
  await step(publishPacket('a/x', 'other', { qos: 2, packetId: 4 }));
  await step(acknowledgement('PUBREL', 4));
  watcher.send(acknowledgement('PUBREC', 2));
  await ping(watcher);
  watcher.send(acknowledgement('PUBCOMP', 2));
  await ping(watcher);
  await step(acknowledgement('PUBREL', 9));
  await step(publishPacket('a/x', '', { retain: true }));
  await step(subscribePacket({ b: 0, 'c/+': 1 }));
  await step(unsubscribePacket(['b', 'nothing']));
  client.send(disconnectPacket());
  await client.closed();
  await ping(watcher);

  const other = await connect({ protocolVersion: 5, clientId: 'watcher', cleanStart: false, keepAlive: 10 });
  await watcher.closed();
  await ping(other);
  other.send('30 01 00');
  await other.closed();
  const twice = await connect({ clientId: 'twice', keepAlive: 60 });
  twice.send('10 0d 00 04 4d515454 04 02 003c 0001 78');
  await twice.closed();
  const stranger = await SocketClient.open(port);
  stranger.send('30 00');
  await stranger.closed();
  const leaves = await connect({ clientId: 'leaves', keepAlive: 60 });
  leaves.socket.destroy();
}

async function logOf(name: BrokerName): Promise<string[]> {
  const broker = await startBroker(name, {
    conf: ['allow_anonymous true', 'log_type all', 'log_timestamp false', 'sys_interval 0'],
  });
  await session(broker.port);
  await broker.child.line(/Client leaves .*(closed|disconnected)/, 'stderr');
  broker.child.kill('SIGTERM');
  const { stderr } = await broker.child.ended;
  const lines = stderr.split('\n');
  const from = lines.findIndex((line) => line.startsWith('New connection'));
  const to = lines.findIndex((line) => line.endsWith(' terminating'));
  return lines
    .slice(from, to)
    .map((line) => line.replaceAll(/127\.0\.0\.1:\d+/g, 'ADDRESS').replace(/port \d+\.$/, 'port PORT.'));
}

describePeer('mosquitto', 'the log of tsmqtt-broker beside that of mosquitto 2.0.11', () => {
  test('says the same of the same session, but for what is listed', async () => {
    const used = new Set<string>();
    const expected = (await logOf('mosquitto')).map((line) => {
      const difference = LOG_DIFFERENCES.find(({ theirs }) => theirs.test(line));
      if (difference === undefined) return line;
      used.add(difference.theirs.source);
      return line.replace(difference.theirs, difference.ours);
    });
    const ours = await logOf('tsmqtt-broker');
    expect(ours.filter((line) => !OWN_LINES.some((own) => own.test(line)))).toEqual(expected);
    expect(ours.length).toBeGreaterThan(60);
    // A difference that is gone leaves the list.
    expect(LOG_DIFFERENCES.filter(({ theirs }) => !used.has(theirs.source))).toEqual([]);
    for (const own of OWN_LINES) expect(ours.some((line) => own.test(line))).toBe(true);
  });
});

/** Topics of 2.1 that 2.0.11 does not have. */
const NEW_TOPICS = ['connections/socket/count', 'packet/out/bytes', 'packet/out/count'];

/** What `mosquitto_sub -v` shows below `$SYS/broker/` while three clients are connected: topics and last values. */
async function sysOf(name: BrokerName, mosquittoSub: string): Promise<ReadonlyMap<string, string>> {
  const broker = await startBroker(name, { conf: ['allow_anonymous true', 'sys_interval 1'] });
  const client = await SocketClient.connect(broker.port, { clientId: 'one' });
  await SocketClient.connect(broker.port, { clientId: 'two', cleanStart: false });
  client.send(subscribePacket({ 'a/#': 1, '$share/g/s': 1 }));
  // Not retained: 2.0.11 does not count what is.
  client.send(publishPacket('a/x', 'hello', { qos: 1 }));
  await ping(client);
  const watcher = startChild(mosquittoSub, [...broker.at, '-t', '$SYS/#', '-v']);
  const values = (): Map<string, string> =>
    new Map(
      [
        ...watcher.stdout
          .toString()
          .matchAll(/^\$SYS\/broker\/(.*?) ([0-9.]+(?: seconds)?|\S+ version \S+)$/gm),
      ].map(([, topic, value]) => [topic!, value!]),
    );
  // All that depends on the clients has come with the second tick after them.
  await watcher.line(/^\$SYS\/broker\/uptime [2-9] seconds$/);
  await watcher.line(/^\$SYS\/broker\/uptime [5-9] seconds$/);
  await broker.child.kill('SIGTERM');
  await watcher.kill();
  return values();
}

describePeer('mosquitto_sub', '$SYS as mosquitto_sub shows it', (mosquittoSub) => {
  describePeer('mosquitto', 'beside that of mosquitto 2.0.11', () => {
    test('the same topics and those that 2.1 added; the same state', { timeout: 30_000 }, async () => {
      const [theirs, ours] = await Promise.all([
        sysOf('mosquitto', mosquittoSub),
        sysOf('tsmqtt-broker', mosquittoSub),
      ]);
      expect([...ours.keys()].sort()).toEqual([...theirs.keys(), ...NEW_TOPICS].sort());
      for (const topic of [
        'clients/total',
        'clients/connected',
        'clients/active',
        'clients/disconnected',
        'clients/inactive',
        'clients/maximum',
        'clients/expired',
        'subscriptions/count',
        'shared_subscriptions/count',
        'publish/messages/received',
        'publish/messages/dropped',
        'publish/bytes/received',
        'messages/received',
        'bytes/received',
      ]) {
        expect([topic, ours.get(topic)]).toEqual([topic, theirs.get(topic)]);
      }
      expect(ours.get('version')).toMatch(/^tsmqtt-broker version \d/);
    });
  });
});
