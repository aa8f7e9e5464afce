import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { faultPeer, whenClosed } from '../../test/fault-peer.js';
import { tcp } from './tcp.js';
import { pskFromHex, type TlsOptions, tls, tlsPsk } from './tls.js';

const HOST = '127.0.0.1';
const never = new AbortController().signal;
const shake = (port: number, signal = never, more: Partial<TlsOptions> = {}) =>
  tls(tcp({ host: HOST, port }), { host: 'localhost', insecure: true, ...more })(signal);

/** A fatal alert of TLS 1.2: content type 21, version, length 2, fatal, what. */
const alert = (what: number): Uint8Array => Uint8Array.of(21, 3, 3, 0, 2, 2, what);
const once = (act: (socket: Socket) => void) => (socket: Socket) => {
  socket.once('data', () => act(socket));
};

const CLOSED = 'the server closed the connection during the TLS handshake';

// biome-ignore format: one row a line
test.each([
  ['closes at once', (socket: Socket) => socket.end(), CLOSED],
  ['closes at the first message', once((socket) => socket.end()), CLOSED],
  ['resets', once((socket) => socket.resetAndDestroy()), CLOSED],
  ['breaks off in a record', once((socket) => socket.end(Uint8Array.of(22, 3, 3, 0, 90, 2, 0))), CLOSED],
  ['speaks MQTT', once((socket) => socket.write(Uint8Array.of(0x20, 2, 0, 0, 0, 0, 0, 0))), 'the server does not speak TLS on this port'],
  ['speaks HTTP', once((socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')), 'the server does not speak TLS on this port'],
  ['finds no common cipher', once((socket) => socket.end(alert(40))), 'the server found no common ground: it requires a client certificate or other ciphers'],
  ['has no such version', once((socket) => socket.end(alert(70))), 'no TLS version in common with the server'],
  ['has an internal error', once((socket) => socket.end(alert(80))), 'the server had an internal error'],
  ['does not know the name', once((socket) => socket.end(alert(112))), 'the server does not know the host name'],
  ['does not know the protocol', once((socket) => socket.end(alert(120))), 'the server does not know the ALPN protocol'],
  ['wants more security', once((socket) => socket.end(alert(71))), 'the server requires stronger ciphers'],
])('a server that %s', async (_title, serve, message) => {
  let closed: Promise<void> | undefined;
  const port = await faultPeer((socket) => {
    serve(socket);
    closed = whenClosed(socket);
  });
  await expect(shake(port)).rejects.toMatchObject({ name: 'ClientError', code: message === CLOSED ? 'tls-interrupted' : 'tls-failed', message });
  await closed;
});

test('a server that never answers', async () => {
  let closed: Promise<void> | undefined;
  const port = await faultPeer((socket) => {
    closed = whenClosed(socket);
  });
  await expect(shake(port, never, { timeoutMs: 50 })).rejects.toMatchObject({
    code: 'tls-interrupted',
    message: 'no answer to the TLS handshake within 50 ms',
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
  await expect(shake(port, controller.signal)).rejects.toBe('enough');
  await closed;
});

/** What the client says first. */
async function hello(options: Partial<TlsOptions>): Promise<Buffer> {
  let seen: (bytes: Buffer) => void = () => {};
  const first = new Promise<Buffer>((resolve) => {
    seen = resolve;
  });
  const port = await faultPeer((socket) => {
    socket.once('data', (bytes) => {
      seen(bytes);
      socket.end();
    });
  });
  await expect(shake(port, never, options)).rejects.toMatchObject({ code: 'tls-interrupted' });
  return await first;
}

test('SNI is the host, unless it is an address or there is none', async () => {
  expect((await hello({ host: 'mqtt.example' })).includes('mqtt.example')).toBe(true);
  expect((await hello({ host: '192.0.2.1' })).includes('192.0.2.1')).toBe(false);
  // No extension server_name (0) of a host name (0) with that length.
  expect((await hello({ host: undefined })).includes('localhost')).toBe(false);
});

test('ALPN', async () => {
  expect((await hello({ alpn: 'x-amzn-mqtt-ca' })).includes('\x0ex-amzn-mqtt-ca')).toBe(true);
  expect((await hello({ alpn: Buffer.from('é') })).includes('\x02é')).toBe(true);
  for (const alpn of ['', 'x'.repeat(255)]) {
    await expect(shake(1, never, { alpn })).rejects.toMatchObject({
      code: 'tls-setup',
      message: 'the name of the ALPN protocol is not 1 to 254 bytes long',
    });
  }
});

test('a certificate without its key is refused, and the other way round', () => {
  for (const options of [{ certFile: 'a' }, { keyFile: 'a' }]) {
    expect(() => tls(tcp({ host: HOST, port: 1 }), { host: 'a', ...options })).toThrow(
      expect.objectContaining({ name: 'UsageError', code: 'client-certificate' }),
    );
  }
});

// biome-ignore format: one row a line
test.each([
  ['00', [0]],
  ['00ab', [0, 0xab]],
  ['abc', [0x0a, 0xbc]],
  ['ABCD', [0xab, 0xcd]],
  ['ff'.repeat(256), Array.from({ length: 256 }, () => 255)],
])('the pre-shared key %s', (hex, bytes) => {
  expect([...pskFromHex(hex)]).toEqual(bytes);
});

test.each(['', '0x12', '12 34', 'xyz', 'ab\n', '0'.repeat(513)])('no pre-shared key: %j', (hex) => {
  expect(() => pskFromHex(hex)).toThrow(expect.objectContaining({ name: 'UsageError', code: 'invalid-psk' }));
});

test('TLS-PSK: a server that does not know us', async () => {
  const port = await faultPeer(once((socket) => socket.end(alert(115))));
  const connector = tlsPsk(tcp({ host: HOST, port }), { identity: 'i', key: Buffer.of(1) });
  await expect(connector(never)).rejects.toMatchObject({
    code: 'tls-failed',
    message: 'the server does not know the PSK identity',
  });
});
