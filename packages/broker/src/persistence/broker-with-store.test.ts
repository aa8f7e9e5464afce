import { createServer } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { DeferredStore } from '../../test/deferred-store.js';
import { type ConnectFields, publishPacket, subscribePacket } from '../../test/raw-client.js';
import { SocketClient } from '../../test/socket-client.js';
import { type Broker, type BrokerOptions, startBroker } from '../broker.js';
import { silentLog } from '../log/log.js';
import { MemoryStore } from './memory-store.js';

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

async function start(options: BrokerOptions): Promise<Broker> {
  const broker = await startBroker({ port: 0, ...options });
  open.push(() => broker.close());
  return broker;
}

const lasting: ConnectFields = { clientId: 'client', cleanStart: false };
const turn = () => new Promise((resolve) => setImmediate(resolve));

it('what one broker leaves the next one with the same store takes up', async () => {
  const store = new MemoryStore();
  const first = await start({ store });
  const will = { topic: 'will', payload: Buffer.from('w'), qos: 0, retain: true, properties: [] } as const;
  const client = await SocketClient.connect(first.port, { ...lasting, will });
  client.send(subscribePacket({ a: 1 }));
  await client.ping();
  client.socket.destroy();
  const other = await SocketClient.connect(first.port, {
    clientId: 'other',
    will: { ...will, topic: 'last' },
  });
  other.send(publishPacket('a', '1', { qos: 1 }));
  await other.until((bytes) => bytes.includes('40020001'));
  await first.close();
  const second = await start({ store });
  const again = await SocketClient.open(second.port);
  again.socket.write(Buffer.from('101200044d51545404000000' + '0006636c69656e74', 'hex'));
  // CONNACK with Session Present, then the message.
  await again.until((bytes) => bytes === '200201003206000161000131');
  again.send('40020001', subscribePacket({ '+': 0 }, 2));
  // Both wills are retained: of the connection that broke, and of the one that the broker closed.
  await again.until((bytes) => bytes.includes('310700047769') && bytes.includes('310700046c617374'));
});

it('close() resolves when the last change is saved', async () => {
  const store = new DeferredStore();
  const broker = await start({ store });
  const client = await SocketClient.connect(broker.port, lasting);
  store.prompt = false;
  let closed = false;
  const closing = broker.close().then(() => {
    closed = true;
  });
  await client.closed();
  while (store.waiting === undefined) await turn();
  expect(store.saved('session')[0]?.offlineSince).toBeUndefined();
  expect(closed).toBe(false);
  await store.save();
  await closing;
  expect(store.saved('session')[0]?.offlineSince).toBeTypeOf('number');
});

it('close() resolves where the store fails, and the log says so', async () => {
  const store = new DeferredStore();
  const errors: string[] = [];
  const log = { ...silentLog, error: (text: string) => void errors.push(text) };
  const broker = await start({ store, log });
  await SocketClient.connect(broker.port, lasting);
  store.broken = true;
  await broker.close();
  expect(errors).toEqual([
    'Error: The store cannot save: no space left. What it would acknowledge is not acknowledged.',
  ]);
});

it('does not start where the store cannot be read, and leaves nothing open', async () => {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  const store = new MemoryStore();
  await store.commit(new Map([[2, { kind: 'retained', message: 1, since: 0, source: undefined }]]));
  await expect(start({ store, port })).rejects.toThrow('record 2 of the store refers to record 1');
  await expect(SocketClient.open(port)).rejects.toThrow('ECONNREFUSED');
});
