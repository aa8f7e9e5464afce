import { Duplex } from 'node:stream';
import { describe, expect, onTestFinished, test } from 'vitest';
import { bytes, CONNACK } from '../../test/session-probe.js';
import { type Client, connect } from '../client.js';
import { ClientError } from '../client-error.js';
import type { ConnectOptions } from '../connect-options.js';
import { Delivery } from '../index.js';

/** A connector whose duplex was destroyed before anybody could listen. */
const broken = (error?: Error) => async (): Promise<Duplex> => {
  const duplex = new Duplex({ read() {}, write: (_chunk, _encoding, callback) => callback() });
  const gone = new Promise<void>((resolve) => {
    duplex.on('error', () => {}).on('close', resolve);
  });
  duplex.destroy(error);
  await gone;
  return duplex;
};

const explained = new ClientError('tls-failed', 'the server requires a client certificate');

test.each([
  ['without error', undefined, { code: 'connection-lost', message: 'the server closed the connection' }],
  ['with an error', new Error('reset'), { code: 'connection-lost', message: 'reset' }],
  ['with an error that says what it means', explained, explained],
  ['with an error that was caused by one', new Error('alert', { cause: explained }), explained],
])('a connection that broke before anybody listened, %s', async (_title, error, expected) => {
  await expect(connect({ connector: broken(error) })).rejects.toMatchObject(expected);
});

/** A connection whose other side is in the test's hand: what is pushed comes, `push(null)` is the server's end. */
class Line extends Duplex {
  sent = 0;

  constructor() {
    super({ allowHalfOpen: false });
  }

  override _read(): void {}

  override _write(_chunk: Buffer, _encoding: string, callback: () => void): void {
    this.sent++;
    callback();
  }

  say(hexadecimal: string): void {
    this.push(bytes(hexadecimal));
  }

  /** As a socket does it: a reader that has paused hears of the end all the same. */
  hangUp(): void {
    this.push(null);
    this.read(0);
  }
}

const MESSAGES = '3003 0001 61 3003 0001 62 3003 0001 63';
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A client that pauses after each of the messages a, b, c, which came in one chunk. */
async function pausedClient({
  seen = [],
  ...options
}: Partial<ConnectOptions> & { seen?: string[] } = {}): Promise<{
  line: Line;
  client: Client;
  seen: string[];
}> {
  const line = new Line();
  const connecting = connect({
    connector: async () => line,
    protocolVersion: 4,
    onMessage: ({ topic }) => {
      seen.push(topic);
      return Delivery.PAUSE;
    },
    onConnectionLost: () => seen.push('lost'),
    ...options,
  });
  await turn();
  line.say(CONNACK[4]);
  const client = await connecting;
  onTestFinished(() => client.destroy());
  line.say(MESSAGES);
  await turn();
  expect(seen).toEqual(['a']);
  return { line, client, seen };
}

describe('what came before the end is given to a reader that has paused, and then the end is told', () => {
  test.each<[string, (line: Line) => void, string]>([
    ['the server closed', (line) => line.hangUp(), 'the server closed the connection'],
    ['the connection broke', (line) => line.destroy(new Error('read ECONNRESET')), 'read ECONNRESET'],
    ['the connection was destroyed', (line) => line.destroy(), 'the server closed the connection'],
  ])('%s', async (_title, end, message) => {
    const { line, client, seen } = await pausedClient();
    // This waits in the stream, what came before it in the session.
    line.say('3003 0001 64');
    end(line);
    await turn();
    for (const topics of ['ab', 'abc', 'abcd']) {
      client.resume();
      // What waits in a stream comes at its next opportunity.
      for (let turns = 0; turns < 3; turns++) await turn();
      expect(seen.join('')).toBe(topics);
    }
    client.resume();
    expect(await client.closed).toMatchObject({ code: 'connection-lost', message });
  });

  test('and where nothing waits, it is told at once', async () => {
    const { line, client, seen } = await pausedClient();
    client.resume();
    client.resume();
    expect(seen).toEqual(['a', 'b', 'c']);
    line.hangUp();
    expect(await client.closed).toMatchObject({ code: 'connection-lost' });
  });

  test('a client that reconnects does so behind them', async () => {
    const { line, client, seen } = await pausedClient({ reconnect: () => undefined });
    line.hangUp();
    await turn();
    client.resume();
    client.resume();
    expect(seen).toEqual(['a', 'b', 'c', 'lost']);
    await client.closed;
  });

  test('also to one that pauses and resumes while it is given messages', async () => {
    const seen: string[] = [];
    let client: Client | undefined;
    const { line, ...rest } = await pausedClient({
      onMessage: ({ topic }) => {
        seen.push(topic);
        if (topic === 'a') return Delivery.PAUSE;
        client?.pause();
        client?.resume();
        return Delivery.CONTINUE;
      },
      seen,
    });
    client = rest.client;
    line.hangUp();
    await turn();
    client.resume();
    expect(seen).toEqual(['a', 'b', 'c']);
    expect(await client.closed).toMatchObject({ code: 'connection-lost' });
  });

  test('end() waits for nobody who is gone', async () => {
    const { line, client, seen } = await pausedClient();
    line.hangUp();
    await turn();
    await client.end();
    expect(await client.closed).toBeUndefined();
    expect(seen).toEqual(['a']);
  });

  test('nothing is written to the end', async () => {
    const { line, client, seen } = await pausedClient();
    line.hangUp();
    await turn();
    const { sent } = line;
    const published = client.publish('x', 'y').catch(({ code }) => code);
    await turn();
    client.resume();
    client.resume();
    expect(seen).toEqual(['a', 'b', 'c']);
    expect(await published).toBe('connection-lost');
    expect(line.sent).toBe(sent);
  });
});
