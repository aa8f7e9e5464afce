import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { encodePacket } from '@tsmqtt/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { publishPacket, subscribePacket } from '../../test/raw-client.js';
import { SocketClient } from '../../test/socket-client.js';
import { type Broker, startBroker } from '../broker.js';
import { silentLog } from '../log/log.js';
import { DEFAULT_LISTENER } from '../settings.js';

let folder: string;
let broker: Broker;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tsmqtt-transport-'));
});
afterEach(async () => {
  await broker.close();
  rmSync(folder, { recursive: true });
});

/** Messages of sizes around what sockets and the broker cut at, some 3 MB. */
const SIZES = [0, 1, 1_000, 1_024, 1_025, 16_384, 65_535, 65_536, 65_537, 200_000, 1_000_000];
const messages = Array.from({ length: 20 }, (_, index) => {
  const payload = Buffer.alloc(SIZES[(index * 7) % SIZES.length] as number, index + 1);
  return publishPacket('a', payload);
});

describe.each(['tcp', 'unix'] as const)('%s', (transport) => {
  async function dial(): Promise<Socket> {
    const socket = transport === 'tcp' ? connect(broker.port, '127.0.0.1') : connect(path.join(folder, 's'));
    await once(socket, 'connect');
    return socket;
  }

  it('carries every byte, in order, both ways [MQTT-4.2.0-1] [MQTT311-7.1.1-1]', async () => {
    const place = transport === 'tcp' ? { host: '127.0.0.1' } : { path: path.join(folder, 's') };
    broker = await startBroker({
      listeners: [{ ...DEFAULT_LISTENER, port: 0, allowAnonymous: true, ...place }],
      log: silentLog,
    });
    const subscriber = SocketClient.on(await dial());
    await subscriber.introduce({ clientId: 'subscriber' });
    subscriber.send(subscribePacket({ a: 0 }));
    const suback = '9003000100';
    await subscriber.until((bytes) => bytes === suback);
    const publisher = SocketClient.on(await dial());
    await publisher.introduce({ clientId: 'publisher' });
    publisher.send(...messages);
    const expected =
      suback + Buffer.concat(messages.map((message) => encodePacket(message, 4))).toString('hex');
    await subscriber.until((bytes) => bytes.length >= expected.length);
    expect(subscriber.bytes === expected).toBe(true);
  });
});
