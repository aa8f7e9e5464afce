import { Writable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { setup } from '../../test/outgoing-setup.js';
import {
  acknowledgement,
  disconnectPacket,
  publishPacket,
  subscribePacket,
  unsubscribePacket,
} from '../../test/raw-client.js';
import { SocketClient } from '../../test/socket-client.js';
import { TestBroker } from '../../test/test-broker.js';
import { type Broker, startBroker } from '../broker.js';
import { DEFAULT_SETTINGS } from '../settings.js';
import { BrokerLog } from './broker-log.js';
import { ALL_LOG_TYPES } from './log-type-table.js';

let broker: Broker | undefined;
afterEach(() => broker?.close());

/** A broker that logs to topics alone, at a time of its own. */
async function logging(): Promise<Broker> {
  const nowhere = new Writable({ write: () => expect.fail('the log goes to topics alone') });
  const outputs = {
    stdout: nowhere,
    stderr: nowhere,
    now: () => 1_700_000_000_000,
    followSymlinks: false,
    openSyslog: () => expect.fail('nobody writes to syslog'),
  };
  const settings = { ...DEFAULT_SETTINGS.log, stderr: false, topic: true, types: ALL_LOG_TYPES };
  broker = await startBroker({ port: 0, sysInterval: 0, log: new BrokerLog(outputs, settings) });
  return broker;
}

/** PUBLISH packets among bytes of MQTT 5 as hex digits, as `TOPIC PAYLOAD qN expiry retain`. */
function published(hex: string): string[] {
  const bytes = Buffer.from(hex, 'hex');
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    let length = 0;
    let start = at + 1;
    for (let shift = 0; ; shift += 7, start++) {
      length |= (bytes[start]! & 0x7f) << shift;
      if (bytes[start]! < 0x80) break;
    }
    start++;
    const first = bytes[at]!;
    if (first >> 4 === 3) {
      const qos = (first >> 1) & 3;
      const topicEnd = start + 2 + bytes.readUInt16BE(start);
      const properties = topicEnd + (qos === 0 ? 0 : 2);
      // One property, Message Expiry Interval: its length of 5, its identifier of 2, four bytes.
      expect([bytes[properties], bytes[properties + 1]]).toEqual([5, 2]);
      const expiry = bytes.readUInt32BE(properties + 2);
      const topic = bytes.toString('utf8', start + 2, topicEnd);
      const payload = bytes.toString('utf8', properties + 6, start + length);
      lines.push(
        `${topic.replace('$SYS/broker/log/', '')} ${payload} q${qos} ${expiry}${first & 1 ? ' retain' : ''}`,
      );
    }
    at = start + length;
  }
  return lines;
}

describe('log_dest topic', () => {
  it('each line at its topic, QoS 2, not retained, for 20 seconds; subscriptions with the time; no debug lines', async () => {
    const { port } = await logging();
    const watcher = await SocketClient.connect(port, { protocolVersion: 5, clientId: 'watcher' });
    watcher.send(subscribePacket({ '$SYS/broker/log/#': 2 }));
    await watcher.ping();
    const client = await SocketClient.connect(port, { clientId: 'client' });
    client.send(subscribePacket({ 'a/+': 1 }), unsubscribePacket(['a/+']), disconnectPacket());
    await client.closed();
    await watcher.until((hex) => hex.includes(Buffer.from('disconnected.').toString('hex')));
    const address = /127\.0\.0\.1:\d+/g;
    expect(
      published(watcher.bytes).map((line) => line.replace(address, 'ADDRESS').replace(/port \d+/, 'port N')),
    ).toEqual([
      'M/subscribe 1700000000: watcher 2 $SYS/broker/log/# q2 20',
      'N New connection from ADDRESS on port N. q2 20',
      'N New client connected from ADDRESS as client (p4, c1, k0). q2 20',
      'M/subscribe 1700000000: client 1 a/+ q2 20',
      'M/unsubscribe client a/+ q2 20',
      'N Client client [ADDRESS] disconnected. q2 20',
    ]);
    watcher.socket.destroy();
  });

  it('a line that publishing a line brings about is not published', async () => {
    const { port } = await logging();
    // It takes no message of more than 60 bytes: each line that is too large for it brings about another one.
    const properties = [{ name: 'maximumPacketSize', value: 60 }] as const;
    const small = await SocketClient.connect(port, { protocolVersion: 5, clientId: 'small', properties });
    small.send(subscribePacket({ '$SYS/broker/log/#': 0 }));
    await small.ping();
    const watcher = await SocketClient.connect(port, { protocolVersion: 5, clientId: 'watcher' });
    watcher.send(subscribePacket({ '$SYS/broker/log/#': 0 }));
    await watcher.ping();
    const client = await SocketClient.connect(port, { clientId: 'client' });
    client.socket.destroy();
    await watcher.until((hex) => hex.includes(Buffer.from('closed by client').toString('hex')));
    const texts = published(watcher.bytes);
    expect(texts.filter((text) => text.includes('New client connected'))).toHaveLength(1);
    expect(texts.filter((text) => text.includes('too large'))).toEqual([]);
    expect(broker!.counters.dropped).toBeGreaterThan(2);
    small.socket.destroy();
    watcher.socket.destroy();
  });
});

describe('said once', () => {
  it('that messages are dropped, until the queue has drained', async () => {
    const {
      broker: engine,
      client,
      publish,
      back,
    } = await setup(4, 1, { settings: { maxQueuedMessages: 2 } });
    const said = () => engine.logged.filter((line) => line.includes('being dropped')).length;
    await client.vanish();
    await publish(1, 6);
    expect(said()).toBe(1);
    const again = (await back()).client;
    again.write(acknowledgement('PUBACK', 1), acknowledgement('PUBACK', 2));
    await again.vanish();
    await publish(7, 9);
    expect(said()).toBe(2);
  });
});

it('a client that sends more at QoS 2 than it may is warned about', async () => {
  const engine = new TestBroker({ settings: { maxInflightMessages: 1 } });
  const client = await engine.connect({ protocolVersion: 5 });
  await client.send(
    publishPacket('t', '1', { qos: 2, packetId: 1 }),
    publishPacket('t', '2', { qos: 2, packetId: 2 }),
  );
  expect(engine.logged).toContain(
    'warning Client client has exceeded its receive-maximum quota. This behaviour must be fixed on the client.',
  );
});
