import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { faultPeer, whenClosed } from '../../test/fault-peer.js';
import { tcp } from './tcp.js';
import { type WebSocketOptions, websocket } from './websocket.js';

const HOST = '127.0.0.1';
const never = new AbortController().signal;

interface Server {
  readonly port: number;
  /** The first connection: its request and the server's end of it. */
  readonly accepted: Promise<{ url: string; headers: IncomingHttpHeaders; socket: WebSocket }>;
}

async function serve(): Promise<Server> {
  const http = createServer();
  const server = new WebSocketServer({ server: http });
  const accepted = new Promise<Awaited<Server['accepted']>>((resolve) => {
    server.on('connection', (socket, { url = '', headers }) => resolve({ url, headers, socket }));
  });
  await new Promise<void>((resolve) => http.listen(0, HOST, resolve));
  onTestFinished(() => {
    for (const socket of server.clients) socket.terminate();
    http.close();
  });
  return { port: (http.address() as AddressInfo).port, accepted };
}

async function open(port: number, options: Partial<WebSocketOptions> = {}): Promise<Duplex> {
  const duplex = await websocket(tcp({ host: HOST, port }), { host: HOST, port, ...options })(never);
  onTestFinished(() => {
    duplex.on('error', () => {}).destroy();
  });
  return duplex;
}

function collect(duplex: Duplex, length: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let left = length;
  return new Promise((resolve) => {
    duplex.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      left -= chunk.length;
      if (left <= 0) resolve(Buffer.concat(chunks));
    });
  });
}

test('the request [MQTT-6.0.0-3] [MQTT311-6.0.0-3]', async () => {
  const { port, accepted } = await serve();
  await open(port);
  const { url, headers } = await accepted;
  expect(url).toBe('/mqtt');
  expect(headers).toEqual({
    host: `${HOST}:${port}`,
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': expect.stringMatching(/^[A-Za-z0-9+/]{22}==$/),
    'sec-websocket-protocol': 'mqtt',
  });
});

// biome-ignore format: one row a line
test.each([
  ['the default port', { port: 80 }, '/mqtt', HOST],
  ['the default port of TLS', { port: 443, secure: true }, '/mqtt', HOST],
  ['the port of the other', { port: 443 }, '/mqtt', `${HOST}:443`],
  ['an IPv6 address', { host: '::1', port: 99 }, '/mqtt', '[::1]:99'],
  ['a name', { host: 'MQTT.example', port: 99 }, '/mqtt', 'mqtt.example:99'],
  ['a path', { port: 99, path: '/a b/ü?x=1&y=%2F' }, '/a%20b/%C3%BC?x=1&y=%2F', `${HOST}:99`],
  ['a path without slash', { port: 99, path: 'a' }, '/a', `${HOST}:99`],
  ['two slashes', { port: 99, path: '//a' }, '//a', `${HOST}:99`],
  ['no path', { port: 99, path: '' }, '/', `${HOST}:99`],
  ['a number sign', { port: 99, path: '/a#b' }, '/a%23b', `${HOST}:99`],
])('%s', async (_title, options, url, host) => {
  const { port, accepted } = await serve();
  const duplex = await websocket(tcp({ host: HOST, port }), { host: HOST, ...options })(never);
  onTestFinished(() => {
    duplex.destroy();
  });
  expect(await accepted).toMatchObject({ url, headers: { host } });
});

test('headers, one of them twice', async () => {
  const { port, accepted } = await serve();
  const headers = [
    ['X-Token', 'a'],
    ['x-token', 'b'],
    ['Authorization', 'Basic eA=='],
    ['Host', 'other'],
  ] as const;
  await open(port, { headers });
  const got = (await accepted).headers;
  expect(got).toMatchObject({ 'x-token': 'a, b', authorization: 'Basic eA==', host: 'other' });
});

test.each([
  ['a header name', { headers: [['X Y', '1']] }],
  ['a header value', { headers: [['X', '1\r\nY: 2']] }],
  ['a host', { host: 'a b' }],
] as const)('%s that cannot be sent', async (_title, options) => {
  const { port } = await serve();
  await expect(open(port, options)).rejects.toMatchObject({ name: 'UsageError', code: 'websocket-request' });
});

test('bytes, however they are cut into frames [MQTT-6.0.0-2] [MQTT311-6.0.0-2]', async () => {
  const { port, accepted } = await serve();
  const duplex = await open(port);
  const { socket } = await accepted;
  const text = Buffer.from('0123456789'.repeat(3000));
  const received = collect(duplex, text.length);
  socket.send(text.subarray(0, 1));
  socket.send(Buffer.alloc(0));
  socket.send(text.subarray(1, 20_000), { fin: false });
  socket.ping();
  socket.send(text.subarray(20_000, 25_000));
  socket.send(text.subarray(25_000));
  expect(await received).toEqual(text);
});

test('what is written together leaves in one frame, and more than 64 KiB in several', async () => {
  const { port, accepted } = await serve();
  const duplex = await open(port);
  const { socket } = await accepted;
  const frames: [number, boolean][] = [];
  const all = new Promise<void>((resolve) => {
    socket.on('message', (data: Buffer, isBinary) => {
      frames.push([data.length, isBinary]);
      if (data.length === 9) resolve();
    });
  });
  for (const lengths of [[1, 2, 3], [5, 70_000, 40_000, 20_000], [9]]) {
    duplex.cork();
    const written = lengths.map(
      (length) => new Promise((resolve) => duplex.write(Buffer.alloc(length), resolve)),
    );
    duplex.uncork();
    expect(await Promise.all(written)).toEqual(lengths.map(() => null));
  }
  await all;
  expect(frames).toEqual([6, 5, 70_000, 60_000, 9].map((length) => [length, true]));
});

test('a reader that does not read stops the server', async () => {
  const { port, accepted } = await serve();
  const duplex = await open(port);
  const { socket } = await accepted;
  const chunk = Buffer.alloc(1 << 20);
  let sent = 0;
  // The kernel's buffers hold some; the rest stays with the server.
  for (; sent < 64; sent++) socket.send(chunk);
  duplex.once('readable', () => {});
  await once(duplex, 'readable');
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(duplex.readableLength).toBeLessThan(4 * chunk.length);
  expect(socket.bufferedAmount).toBeGreaterThan(16 * chunk.length);
  duplex.removeAllListeners('readable');
  const all = collect(duplex, sent * chunk.length);
  expect((await all).length).toBe(sent * chunk.length);
});

test('end() sends Close with 1000, and waits for nothing to say that it is finished', async () => {
  const { port, accepted } = await serve();
  const duplex = await open(port);
  const { socket } = await accepted;
  const messages: number[] = [];
  socket.on('message', (data: Buffer) => messages.push(data.length));
  const closed = once(socket, 'close');
  duplex.resume();
  duplex.write('last');
  duplex.end();
  await once(duplex, 'close');
  expect((await closed)[0]).toBe(1000);
  expect(messages).toEqual([4]);
});

test('a peer that does not close its side does not keep end() from finishing', async () => {
  const port = await faultPeer((socket) => shakeHands(socket));
  const duplex = await open(port);
  duplex.resume().end();
  await once(duplex, 'finish');
  expect(duplex.destroyed).toBe(false);
});

test.each([
  ['with a Close frame', (socket: WebSocket) => socket.close(1001)],
  ['without one', (socket: WebSocket) => socket.terminate()],
])('the server goes, %s', async (_title, leave) => {
  const { port, accepted } = await serve();
  const duplex = await open(port);
  leave((await accepted).socket);
  await once(duplex.resume(), 'end');
});

test('a text frame ends it [MQTT-6.0.0-1] [MQTT311-6.0.0-1]', async () => {
  const { port, accepted } = await serve();
  const duplex = await open(port);
  (await accepted).socket.send('text');
  const [error] = await once(duplex.resume(), 'error');
  expect(error).toMatchObject({ code: 'protocol-error', message: 'WebSocket: the server sent a text frame' });
});

test('a frame that is none ends it', async () => {
  const port = await faultPeer((socket) => shakeHands(socket, () => socket.write(Uint8Array.of(0xff, 0xff))));
  const duplex = await open(port);
  const [error] = await once(duplex.resume(), 'error');
  expect(error).toMatchObject({ code: 'protocol-error', message: expect.stringMatching(/^WebSocket: /) });
});

/** Answers the handshake as it should be, or with other headers. */
function shakeHands(socket: Socket, then?: () => void, change: Readonly<Record<string, string>> = {}): void {
  socket.once('data', (request) => {
    const key = /Sec-WebSocket-Key: (\S+)/i.exec(request.toString())?.[1];
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    const headers: Record<string, string> = {
      Upgrade: 'websocket',
      Connection: 'Upgrade',
      'Sec-WebSocket-Accept': accept,
      'Sec-WebSocket-Protocol': 'mqtt',
      ...change,
    };
    const lines = Object.entries(headers).flatMap(([name, value]) =>
      value === '' ? [] : [`${name}: ${value}`],
    );
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n`);
    then?.();
  });
}

const CLOSED = 'the server closed the connection during the WebSocket handshake';
const ANSWERED = 'the server answered the WebSocket handshake with';
const answer = (text: string) => (socket: Socket) => {
  socket.once('data', () => socket.end(text));
};

// biome-ignore format: one row a line
test.each([
  ['400', answer('HTTP/1.1 400 Bad Request\r\n\r\n'), `${ANSWERED} 400 Bad Request`],
  ['401', answer('HTTP/1.1 401\r\nContent-Length: 2\r\n\r\nno'), `${ANSWERED} 401 Unauthorized`],
  ['403', answer('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n'), `${ANSWERED} 403 Forbidden`],
  ['404', answer('HTTP/1.1 404 Not here\r\n\r\n'), `${ANSWERED} 404 Not here`],
  ['a redirect, which is not followed', answer('HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n'), `${ANSWERED} 302 Found`],
  ['200', answer('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'), `${ANSWERED} 200 OK`],
  ['another status without meaning', answer('HTTP/1.1 599 \r\n\r\n'), `${ANSWERED} 599`],
  ['an MQTT broker', answer('\x20\x02\x00\x00'), 'the server does not speak HTTP on this port'],
  ['nothing', (socket: Socket) => socket.end(), CLOSED],
  ['half of the head', answer('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websoc'), CLOSED],
  ['no subprotocol', (socket: Socket) => shakeHands(socket, undefined, { 'Sec-WebSocket-Protocol': '' }), 'Server sent no subprotocol'],
  ['another subprotocol', (socket: Socket) => shakeHands(socket, undefined, { 'Sec-WebSocket-Protocol': 'mqttv3.1' }), 'Server sent an invalid subprotocol'],
  ['a wrong Accept', (socket: Socket) => shakeHands(socket, undefined, { 'Sec-WebSocket-Accept': 'x' }), 'Invalid Sec-WebSocket-Accept header'],
  ['another Upgrade', (socket: Socket) => shakeHands(socket, undefined, { Upgrade: 'h2c' }), 'Invalid Upgrade header'],
])('the server answers the handshake with %s', async (_title, serveIt, message) => {
  let closed: Promise<void> | undefined;
  const port = await faultPeer((socket) => {
    closed = whenClosed(socket);
    serveIt(socket);
  });
  await expect(open(port)).rejects.toMatchObject({ name: 'ClientError', code: message === CLOSED ? 'connection-lost' : 'websocket-handshake', message });
  await closed;
});

test('the server never answers the handshake', async () => {
  let closed: Promise<void> | undefined;
  const port = await faultPeer((socket) => {
    closed = whenClosed(socket);
  });
  await expect(open(port, { timeoutMs: 50 })).rejects.toMatchObject({
    code: 'connection-lost',
    message: 'no answer to the WebSocket handshake within 50 ms',
  });
  await closed;
});

test('aborted during the handshake', async () => {
  const controller = new AbortController();
  let closed: Promise<void> | undefined;
  const port = await faultPeer((socket) => {
    closed = whenClosed(socket);
    socket.once('data', () => controller.abort('enough'));
  });
  const options = { host: HOST, port };
  await expect(websocket(tcp(options), options)(controller.signal)).rejects.toBe('enough');
  await closed;
});
