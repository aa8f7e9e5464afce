import { afterEach, describe, expect, it } from 'vitest';
import { DeferredStore } from '../../test/deferred-store.js';
import {
  type Broker,
  type BrokerOptions,
  type HostMessage,
  type Log,
  silentLog,
  startBroker,
} from '../index.js';

let broker: Broker | undefined;

/** A broker without a port. */
async function start(options: BrokerOptions = {}): Promise<Broker> {
  broker = await startBroker({ listeners: [], ...options });
  return broker;
}

afterEach(async () => {
  await broker?.close();
  broker = undefined;
});

const text = ({ topic, payload, retain }: HostMessage) => `${topic}=${payload}${retain ? ' retain' : ''}`;

function collect(from: Broker, filter: string): string[] {
  const seen: string[] = [];
  from.subscribe(filter, (message) => seen.push(text(message)));
  return seen;
}

describe('the host program', () => {
  it('gets what it publishes, in order, at every QoS', async () => {
    const broker = await start();
    const seen = collect(broker, 'a/#');
    expect(await broker.publish('a/0', 'zero')).toBe(true);
    expect(await broker.publish('a/1', Buffer.from('one'), { qos: 1 })).toBe(true);
    expect(await broker.publish('a/2', 'two', { qos: 2 })).toBe(true);
    expect(await broker.publish('b', 'nobody')).toBe(false);
    expect(seen).toEqual(['a/0=zero', 'a/1=one', 'a/2=two']);
  });

  it('gets retained messages first, if it wants them, and sees which are retained', async () => {
    const broker = await start();
    await broker.publish('a', 'old', { retain: true });
    const seen = collect(broker, '#');
    const fresh: string[] = [];
    broker.subscribe('#', (message) => fresh.push(text(message)), { retained: false });
    await broker.publish('a', 'new', { retain: true });
    expect(seen).toEqual(['a=old retain', 'a=new retain']);
    expect(fresh).toEqual(['a=new retain']);
  });

  it('publishes what a handler publishes behind the message at hand, for everybody', async () => {
    const broker = await start();
    broker.subscribe('a', () => void broker.publish('b', 'answer'));
    const seen = collect(broker, '#');
    const sent = broker.publish('a', 'question');
    await broker.publish('c', 'end');
    expect(await sent).toBe(true);
    expect(seen).toEqual(['a=question', 'c=end', 'b=answer']);
  });

  it('may answer itself any number of times', async () => {
    const failures: string[] = [];
    const broker = await start({ log: { ...silentLog, error: (line) => void failures.push(line) } });
    const last = await new Promise<string>((resolve) => {
      broker.subscribe('count', ({ payload }) => {
        const count = Number(payload);
        if (count === 20_000 || failures.length > 0) resolve(String(payload));
        else void broker.publish('count', String(count + 1));
      });
      void broker.publish('count', '0');
    });
    expect([last, failures]).toEqual(['20000', []]);
  });

  it('sends what it was given, though that is changed behind the call', async () => {
    const broker = await start();
    const seen = collect(broker, 'a');
    const payload = Buffer.from('before');
    const sent = broker.publish('a', payload);
    payload.fill('x');
    await sent;
    expect(seen).toEqual(['a=before']);
  });

  it('has two subscriptions where it subscribes twice, and ends each by itself', async () => {
    const broker = await start();
    const one = collect(broker, 'a');
    const other: string[] = [];
    const end = broker.subscribe('a', (message) => other.push(text(message)));
    await broker.publish('a', '1');
    end();
    end();
    await broker.publish('a', '2');
    expect(one).toEqual(['a=1', 'a=2']);
    expect(other).toEqual(['a=1']);
  });

  it('passes properties on, and keeps a message as long as it likes', async () => {
    const broker = await start();
    const kept: HostMessage[] = [];
    broker.subscribe('a', (message) => kept.push(message));
    const properties = [
      { name: 'contentType', value: 'text/plain' },
      { name: 'userProperty', value: ['k', 'v'] },
    ] as const;
    const payload = Buffer.from('first');
    await broker.publish('a', payload, { properties });
    payload.fill('x');
    expect(kept[0]?.payload.toString()).toBe('first');
    expect(kept[0]?.properties).toEqual(properties);
  });

  it('keeps the others supplied when a handler throws, and tells the log', async () => {
    const lines: string[] = [];
    const log: Log = { ...silentLog, error: (line) => void lines.push(line) };
    const broker = await start({ log });
    broker.subscribe('a', () => {
      throw new Error('mine');
    });
    const seen = collect(broker, 'a');
    await broker.publish('a', 'x');
    expect(seen).toEqual(['a=x']);
    expect(lines).toEqual(['Error: A handler of the host program failed: Error: mine']);
  });

  it.each([
    ['a/#', {}, 'topic-name'],
    ['', {}, 'topic-name'],
    ['$SYS/broker/x', {}, 'topic-reserved'],
    ['$share/g/a', {}, 'topic-reserved'],
    ['a', { retain: true }, 'retain-not-available'],
  ])('cannot publish to %j with %j', async (topic, options, code) => {
    const broker = await start({ retainAvailable: false });
    await expect(broker.publish(topic, 'x', options)).rejects.toMatchObject({ name: 'UsageError', code });
  });

  it('cannot subscribe with a filter that is none', async () => {
    const broker = await start();
    expect(() => broker.subscribe('a/#/b', () => {})).toThrow(
      expect.objectContaining({ name: 'UsageError', code: 'topic-filter' }),
    );
  });

  it('can do nothing with a broker that is closed', async () => {
    const broker = await start();
    await broker.close();
    await expect(broker.publish('a', 'x')).rejects.toThrow('ended');
    expect(() => broker.subscribe('a', () => {})).toThrow('closed');
    expect(() => broker.openConnection()).toThrow('closed');
  });

  it('is told when its message is saved, and when it could not be', async () => {
    const store = new DeferredStore();
    const broker = await start({ store });
    store.prompt = false;
    let published = false;
    const publishing = broker.publish('a', 'x', { retain: true }).then(() => {
      published = true;
    });
    await expect.poll(() => store.commits).toBe(1);
    expect(published).toBe(false);
    await store.save();
    await publishing;
    expect(store.saved('retained')).toHaveLength(1);
    store.broken = true;
    await expect(broker.publish('a', 'y', { retain: true })).rejects.toThrow('could not save');
    store.broken = false;
    store.prompt = true;
  });
});
