import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { faultPeer, whenClosed } from '../../test/fault-peer.js';
import { type SocksOptions, socks } from './socks.js';
import { tcp } from './tcp.js';

const never = new AbortController().signal;
const HOST = '127.0.0.1';

/** A proxy that gives these answers, one to each thing it is told, and then closes or echoes. */
async function proxy(
  answers: readonly (readonly number[])[],
  end: 'close' | 'echo' | 'silence' = 'close',
): Promise<{ readonly port: number; readonly told: Buffer[] }> {
  const told: Buffer[] = [];
  const port = await faultPeer((socket) => {
    let turn = 0;
    socket.on('data', (chunk) => {
      const answer = answers[turn++];
      if (answer === undefined) {
        if (end === 'echo') socket.write(chunk);
        return;
      }
      told.push(chunk);
      socket.write(Uint8Array.from(answer));
      if (turn === answers.length && end === 'close') socket.end();
    });
  });
  return { port, told };
}

async function through(port: number, options: Partial<SocksOptions> = {}): Promise<Duplex> {
  const duplex = await socks(tcp({ host: HOST, port }), { host: 'h', port: 1883, ...options })(never);
  onTestFinished(() => {
    duplex.destroy();
  });
  return duplex;
}

const GRANTED = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0];
const refusal = (reply: number): number[] => [5, reply, ...GRANTED.slice(2)];

test.each([
  ['a name', 'mqtt.example', [3, 12, ...Buffer.from('mqtt.example')]],
  ['an IPv4 address', '192.0.2.1', [1, 192, 0, 2, 1]],
  ['an IPv6 address', '2001:db8::5', [4, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5]],
])('asks for %s as it is, and then carries bytes', async (_title, host, address) => {
  const { port, told } = await proxy([[5, 0], GRANTED], 'echo');
  const duplex = await through(port, { host, port: 0x1234 });
  expect(told.map((bytes) => [...bytes])).toEqual([
    [5, 1, 0],
    [5, 1, 0, ...address, 0x12, 0x34],
  ]);
  const back = new Promise<Buffer>((resolve) => duplex.once('data', resolve));
  duplex.write('hello');
  expect((await back).toString()).toBe('hello');
});

test.each([
  ['password', { username: 'us', password: 'pw' }, [1, 2, 117, 115, 2, 112, 119]],
  ['no password', { username: 'us' }, [1, 2, 117, 115, 0]],
])('a user name and %s', async (_title, user, message) => {
  const { port, told } = await proxy([[5, 2], [1, 0], GRANTED], 'echo');
  await through(port, user);
  expect(told.slice(0, 2).map((bytes) => [...bytes])).toEqual([[5, 2, 0, 2], message]);
});

test('an answer of single bytes, and an address of the proxy that is a name', async () => {
  const answer = [...Buffer.from([5, 0, 0, 3, 2]), ...Buffer.from('px'), 0, 1];
  const port = await faultPeer((socket) => {
    socket.once('data', () => {
      socket.write(Uint8Array.of(5));
      setImmediate(() => socket.write(Uint8Array.of(0)));
      socket.once('data', async () => {
        for (const byte of answer)
          await new Promise<void>((sent) => socket.write(Uint8Array.of(byte), () => sent()));
      });
    });
    socket.setNoDelay();
  });
  await through(port);
});

// biome-ignore format: one row a line
test.each([
  ['reply 1', [[5, 0], refusal(1)], 'proxy-failed', 'the proxy has a general failure', 1],
  ['reply 2', [[5, 0], refusal(2)], 'proxy-denied', 'the proxy does not allow this connection', 2],
  ['reply 3', [[5, 0], refusal(3)], 'proxy-unreachable', "the proxy cannot reach the server's network", 3],
  ['reply 4', [[5, 0], refusal(4)], 'proxy-unreachable', 'the proxy cannot reach the server', 4],
  ['reply 5', [[5, 0], refusal(5)], 'proxy-unreachable', "the proxy's connection was refused", 5],
  ['reply 6', [[5, 0], refusal(6)], 'proxy-failed', 'the TTL ran out between the proxy and the server', 6],
  ['reply 7', [[5, 0], refusal(7)], 'proxy-failed', 'the proxy does not know the command CONNECT', 7],
  ['reply 8', [[5, 0], refusal(8)], 'proxy-failed', 'the proxy does not know this type of address', 8],
  ['reply 9', [[5, 0], refusal(9)], 'proxy-failed', 'the proxy gave the unknown reply 9', 9],
  ['reply 255', [[5, 0], refusal(255)], 'proxy-failed', 'the proxy gave the unknown reply 255', 255],
  ['no method', [[5, 255]], 'proxy-denied', 'the proxy wants another kind of authentication', undefined],
  ['another method', [[5, 1]], 'proxy-failed', 'the proxy chose a method that was not offered', undefined],
  ['a wrong password', [[5, 2], [1, 1]], 'proxy-failed', 'the proxy refused the user name or password', undefined],
  ['a refusal after authentication', [[5, 2], [1, 0], refusal(2)], 'proxy-denied', 'the proxy does not allow this connection', 2],
  ['another version', [[4, 0]], 'proxy-failed', 'it is no SOCKS5 proxy', undefined],
  ['HTTP', [[...Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')]], 'proxy-failed', 'it is no SOCKS5 proxy', undefined],
  ['nothing but the end', [[]], 'connection-lost', 'the proxy closed the connection', undefined],
  ['half of the first answer', [[5]], 'connection-lost', 'the proxy closed the connection', undefined],
  ['no second answer', [[5, 0], []], 'connection-lost', 'the proxy closed the connection', undefined],
  ['half of the second answer', [[5, 0], GRANTED.slice(0, 7)], 'connection-lost', 'the proxy closed the connection', undefined],
])('%s', async (_title, answers, code, message, reasonCode) => {
  const { port } = await proxy(answers as number[][]);
  const username = answers.length > 1 && answers[0]?.[1] === 2 ? { username: 'u' } : {};
  await expect(through(port, username)).rejects.toMatchObject({ name: 'ClientError', code, message, reasonCode });
});

test('what is too long to be asked for', async () => {
  const long = 'x'.repeat(256);
  for (const [options, what] of [
    [{ host: long }, 'host name'],
    [{ username: long }, 'user name'],
    [{ username: 'u', password: `${'é'.repeat(128)}` }, 'password'],
  ] as const) {
    await expect(through(1, options)).rejects.toMatchObject({
      code: 'proxy-failed',
      message: `the ${what} is too long for a SOCKS5 proxy`,
    });
  }
});

test('a proxy that never answers', async () => {
  let closed: Promise<void> | undefined;
  const port = await faultPeer((socket: Socket) => {
    closed = whenClosed(socket);
  });
  await expect(through(port, { timeoutMs: 50 })).rejects.toMatchObject({
    code: 'connection-lost',
    message: 'no answer from the proxy within 50 ms',
  });
  await closed;
});

test('aborted while the proxy thinks', async () => {
  const controller = new AbortController();
  let closed: Promise<void> | undefined;
  const port = await faultPeer((socket) => {
    closed = whenClosed(socket);
    socket.once('data', () => controller.abort('enough'));
  });
  const connecting = socks(tcp({ host: HOST, port }), { host: 'h', port: 1 })(controller.signal);
  await expect(connecting).rejects.toBe('enough');
  await closed;
});
