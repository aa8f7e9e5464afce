import path from 'node:path';
import {
  type ClientError,
  type Connector,
  connect,
  pskFromHex,
  type SocksOptions,
  socks,
  type TlsOptions,
  tcp,
  tls,
  tlsPsk,
  unix,
  type WebSocketOptions,
  websocket,
} from '@tsmqtt/client';
import type { Publish } from '@tsmqtt/protocol';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import {
  type Authority,
  type CertificateFiles,
  certificateFolder,
  createAuthority,
} from './support/certificates.js';
import { startChild } from './support/child.js';
import { temporaryFolder } from './support/folder.js';
import { freePort } from './support/free-port.js';
import { startMosquitto, startWebSocketMosquitto } from './support/mosquitto.js';
import { describePeer } from './support/peers.js';

const HOST = '127.0.0.1';

/** Sends messages to itself: small, empty, and of `most` bytes, which are many records and reads. */
async function roundTrip(connector: Connector, most = 300_000): Promise<void> {
  const payloads = ['small', '', 'x'.repeat(most)];
  const received: Publish[] = [];
  let finish = (): void => {};
  const all = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const client = await connect({
    connector,
    // D-11: properties of CONNECT are sent whatever carries them.
    properties: [{ name: 'sessionExpiryInterval', value: 5 }],
    onMessage: (message) => {
      received.push(message.detach());
      if (received.length === payloads.length) finish();
      return 0;
    },
  });
  onTestFinished(() => client.destroy());
  const request = {
    filter: 't',
    qos: 1,
    noLocal: false,
    retainAsPublished: false,
    retainHandling: 0,
  } as const;
  await client.subscribe([request]);
  await Promise.all(payloads.map((payload) => client.publish('t', payload, { qos: 1 })));
  await all;
  expect(received.map(({ payload }) => payload.toString())).toEqual(payloads);
  await client.end();
  expect(await client.closed).toBeUndefined();
}

/** mosquitto 2.0.11 reads 4 KiB of a WebSocket in a tenth of a second. */
const overWebSocket = (connector: Connector): Promise<void> => roundTrip(connector, 10_000);

async function failure(connector: Connector): Promise<Record<string, unknown>> {
  const error = await connect({ connector }).then(
    (client) => {
      client.destroy();
      expect.fail('it worked');
    },
    (reason: ClientError) => reason,
  );
  const { code, message, reasonCode } = error;
  return { code, message, ...(reasonCode === undefined ? {} : { reasonCode }) };
}

const mosquittoTests = (define: () => void): void => describePeer('mosquitto', 'mosquitto', define);

mosquittoTests(() => {
  describe('Unix socket', () => {
    test('there and back', async () => {
      const file = path.join(temporaryFolder(), 'm.sock');
      await startMosquitto(`listener 0 ${file}`);
      await roundTrip(unix({ path: file }));
    });
  });

  describe('TLS-PSK', () => {
    const keys = ['00ab', 'abc', 'DEADbeef00', 'f'.repeat(64)];
    const start = (): ReturnType<typeof startMosquitto> => {
      const lines = keys.map((key, index) => `user${index}:${key}\n`).join('');
      const file = path.join(temporaryFolder({ psk: lines }), 'psk');
      return startMosquitto('psk_hint hint', `psk_file ${file}`, 'use_identity_as_username true');
    };

    test.each(keys.map((key, index) => [key, `user${index}`] as const))('key %s', async (key, identity) => {
      const { port } = await start();
      const options = { identity, key: pskFromHex(key), host: 'localhost' };
      await roundTrip(tlsPsk(tcp({ host: HOST, port }), options));
    });

    test('another key, another identity, a server that has none', async () => {
      const { port } = await start();
      const over = tcp({ host: HOST, port });
      expect(await failure(tlsPsk(over, { identity: 'user0', key: pskFromHex('ff') }))).toEqual({
        code: 'tls-failed',
        message: expect.stringMatching(/^the server (?:could not decrypt|rejected|had|does not)/),
      });
      expect(await failure(tlsPsk(over, { identity: 'nobody', key: pskFromHex('ff') }))).toEqual({
        code: 'tls-failed',
        message: expect.stringMatching(
          /^the server (?:does not know the PSK identity|had an internal error)$/,
        ),
      });
    });

    test('its ciphers can be chosen', async () => {
      const { port } = await start();
      const options = { identity: 'user0', key: pskFromHex('00ab'), ciphers: 'PSK-AES256-GCM-SHA384' };
      await roundTrip(tlsPsk(tcp({ host: HOST, port }), options));
      const none = tlsPsk(tcp({ host: HOST, port }), { ...options, ciphers: 'NO-SUCH' });
      expect(await failure(none)).toEqual({ code: 'tls-setup', message: 'no cipher matches NO-SUCH' });
    });
  });

  describe('WebSocket', () => {
    const options = (port: number, more: Partial<WebSocketOptions> = {}): WebSocketOptions => ({
      host: HOST,
      port,
      ...more,
    });

    test('there and back', async () => {
      const { port } = await startWebSocketMosquitto();
      await overWebSocket(websocket(tcp({ host: HOST, port }), options(port)));
      const more = { path: '/elsewhere?x=1', headers: [['X-A', '1']] } as const;
      await overWebSocket(websocket(tcp({ host: HOST, port }), options(port, more)));
    });

    test('a broker without WebSocket', async () => {
      const { port } = await startMosquitto();
      expect(await failure(websocket(tcp({ host: HOST, port }), options(port)))).toEqual({
        code: 'connection-lost',
        message: 'the server closed the connection during the WebSocket handshake',
      });
    });
  });
});

describePeer('microsocks', 'SOCKS5 with microsocks', () => {
  const start = async (...args: readonly string[]): Promise<number> => {
    const port = await freePort();
    startChild('microsocks', ['-i', HOST, '-p', String(port), ...args]);
    // It says nothing when it is ready: ask until it answers.
    const probe = tcp({ host: HOST, port });
    for (;;) {
      const open = await probe(new AbortController().signal).catch(() => undefined);
      open?.destroy();
      if (open !== undefined) return port;
    }
  };
  const through = (proxy: number, options: SocksOptions): Connector =>
    socks(tcp({ host: HOST, port: proxy }), options);

  mosquittoTests(() => {
    test.each([HOST, 'localhost'])('to %s', async (host) => {
      const { port } = await startMosquitto();
      await roundTrip(through(await start(), { host, port }));
    });

    test('from a local address to the proxy', async () => {
      const { port } = await startMosquitto();
      const proxy = tcp({ host: HOST, port: await start(), bindAddress: '127.0.0.3' });
      await roundTrip(socks(proxy, { host: 'localhost', port }));
    });

    test('with a user name and a password', async () => {
      const { port } = await startMosquitto();
      const proxy = await start('-u', 'us:er', '-P', 'pä@ss');
      const options = { host: HOST, port, username: 'us:er', password: 'pä@ss' };
      await roundTrip(through(proxy, options));
      expect(await failure(through(proxy, { ...options, password: 'other' }))).toEqual({
        code: 'proxy-failed',
        message: 'the proxy refused the user name or password',
      });
      expect(await failure(through(proxy, { host: HOST, port }))).toEqual({
        code: 'proxy-denied',
        message: 'the proxy wants another kind of authentication',
      });
    });
  });

  test('nobody listens behind the proxy', async () => {
    const options = { host: HOST, port: await freePort() };
    expect(await failure(through(await start(), options))).toEqual({
      code: 'proxy-unreachable',
      message: "the proxy's connection was refused",
      reasonCode: 5,
    });
  });

  test('nobody is the proxy', async () => {
    const port = await freePort();
    expect(await failure(through(port, { host: HOST, port: 1 }))).toMatchObject({ code: 'connect-failed' });
  });

  describePeer('openssl', 'everything over everything', () => {
    const folder = certificateFolder();
    let ca: Authority;
    let server: CertificateFiles;
    let client: CertificateFiles;
    beforeAll(() => {
      ca = createAuthority(folder, 'Test CA');
      server = ca.issue('server', { name: 'localhost', alternatives: 'DNS:localhost' });
      client = ca.issue('client', { name: 'alice' });
    });
    const secured = (): string[] => [
      `certfile ${server.cert}`,
      `keyfile ${server.key}`,
      `cafile ${ca.file}`,
      'require_certificate true',
      'use_identity_as_username true',
    ];
    const trusted = (): TlsOptions => ({
      host: 'localhost',
      caFile: ca.file,
      certFile: client.cert,
      keyFile: client.key,
    });

    mosquittoTests(() => {
      test('TLS through SOCKS5', async () => {
        const { port } = await startMosquitto(...secured());
        await roundTrip(tls(through(await start(), { host: 'localhost', port }), trusted()));
      });

      test('TLS over a Unix socket, where names mean nothing', async () => {
        const file = path.join(temporaryFolder(), 'm.sock');
        await startMosquitto(`listener 0 ${file}`, ...secured());
        await roundTrip(tls(unix({ path: file }), { ...trusted(), host: undefined }));
      });

      test('WebSocket over a Unix socket', async () => {
        const file = path.join(temporaryFolder(), 'm.sock');
        const { port } = await startMosquitto(`listener 0 ${file}`);
        // mosquitto has no WebSocket on a Unix socket: it is only seen to be asked for.
        expect(await failure(websocket(unix({ path: file }), { host: 'localhost', port }))).toMatchObject({
          message: 'the server closed the connection during the WebSocket handshake',
        });
      });

      test('WebSocket through SOCKS5', async () => {
        const { port } = await startWebSocketMosquitto();
        const over = through(await start(), { host: 'localhost', port });
        await overWebSocket(websocket(over, { host: 'localhost', port }));
      });

      test.each([['TLSv1.2'], ['TLSv1.3']] as const)('WebSocket over %s through SOCKS5', async (version) => {
        const { port } = await startWebSocketMosquitto(...secured());
        const over = through(await start('-u', 'u', '-P', 'p'), {
          host: 'localhost',
          port,
          username: 'u',
          password: 'p',
        });
        const secure = tls(over, { ...trusted(), minVersion: version, maxVersion: version });
        await overWebSocket(websocket(secure, { host: 'localhost', port, secure: true }));
      });

      test('WebSocket over TLS: a certificate of another host, and none where one is required', async () => {
        const { port } = await startWebSocketMosquitto(...secured());
        const over = tcp({ host: HOST, port });
        const stack = (options: TlsOptions): Connector =>
          websocket(tls(over, options), { host: HOST, port, secure: true });
        expect(await failure(stack({ ...trusted(), host: HOST }))).toEqual({
          code: 'tls-failed',
          message: `certificate is for localhost, not for ${HOST}`,
        });
        expect(await failure(stack({ host: 'localhost', caFile: ca.file }))).toMatchObject({
          code: 'tls-failed',
          message: 'the server requires a client certificate',
        });
      });
    });
  });
});
