import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import type { ListenerSettings } from '../packages/broker/src/settings.js';
import { VERSION } from '../packages/broker/src/version.js';
import { EngineHost, LISTENER } from '../packages/broker/test/engine-host.js';
import { bytesOf, connectPacket } from '../packages/broker/test/raw-client.js';
import { SocketClient } from '../packages/broker/test/socket-client.js';
import { frame, request } from '../packages/broker/test/web-client.js';
import {
  type Authority,
  type CertificateFiles,
  certificateFolder,
  createAuthority,
} from './support/certificates.js';

const CONNECT = bytesOf(connectPacket({}), 4);
let authority: Authority;
let server: CertificateFiles;
let client: CertificateFiles;
let host: EngineHost;
beforeAll(() => {
  const folder = certificateFolder();
  authority = createAuthority(folder, 'own');
  server = authority.issue('server', { name: 'localhost', alternatives: 'DNS:localhost,IP:127.0.0.1' });
  client = authority.issue('client', { name: 'device 7', use: 'clientAuth' });
});
afterEach(() => host.stop());

async function start(more: Partial<ListenerSettings>): Promise<void> {
  const tls = { certFile: server.cert, keyFile: server.key };
  host = await EngineHost.start({ listeners: [{ ...LISTENER, ...tls, ...more }] });
}

const trust = (): { ca: Buffer } => ({ ca: readFileSync(authority.file) });

describe('WebSocket over TLS', () => {
  it('serves wss', async () => {
    await start({ protocol: 'websockets' });
    const socket = new WebSocket(`wss://127.0.0.1:${host.port}/mqtt`, 'mqtt', trust());
    await once(socket, 'open');
    socket.send(CONNECT);
    const [connack] = await once(socket, 'message');
    expect((connack as Buffer).toString('hex')).toBe('20020000');
    socket.send(Buffer.from('e000', 'hex'));
    const [code] = await once(socket, 'close');
    expect(code).toBe(1000);
  });

  it('takes the client certificate for the username', async () => {
    const identity = { caFile: authority.file, requireCertificate: true, useIdentityAsUsername: true };
    await start({ protocol: 'websockets', ...identity });
    const holding = { cert: readFileSync(client.cert), key: readFileSync(client.key) };
    const socket = new WebSocket(`wss://127.0.0.1:${host.port}`, 'mqtt', { ...trust(), ...holding });
    await once(socket, 'open');
    socket.send(CONNECT);
    await once(socket, 'message');
    expect(host.notices).toContainEqual(expect.stringMatching(/as client \(p4, c1, k0, u'device 7'\)\.$/));
    socket.terminate();
  });

  it('answers what asks for no WebSocket', async () => {
    await start({ protocol: 'websockets' });
    const raw = connectTls({ port: host.port, host: '127.0.0.1', ...trust() });
    const peer = SocketClient.on(raw, 4);
    raw.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(Buffer.from(await peer.closed(), 'hex').toString()).toMatch(/^HTTP\/1\.1 426 /);
  });
});

it('a PROXY header, TLS and WebSocket come in this order', async () => {
  await start({ protocol: 'websockets', proxyProtocol: 1 });
  const plain = connectPlain({ port: host.port, host: '127.0.0.1' });
  plain.write('PROXY TCP6 2001:db8::1 ::1 4000 443\r\n');
  const raw = connectTls({ socket: plain, servername: 'localhost', ...trust() });
  const peer = SocketClient.on(raw, 4);
  raw.write(Buffer.concat([Buffer.from(request()), frame(CONNECT)]));
  await peer.until((bytes) => bytes.endsWith('820420020000'));
  expect(host.notices).toContainEqual(
    expect.stringMatching(/^New client connected from 2001:db8::1:4000 as client /),
  );
  raw.destroy();
});

describe('TLS behind a proxy that leaves it to the broker', () => {
  const header2 = Buffer.from(
    '0d0a0d0a000d0a515549540a 21 11 000c c0a80001 0a000002 1f90 075b'.replaceAll(' ', ''),
    'hex',
  );

  /** Header and handshake as they may come: together, or the header in two pieces. */
  const dial = async (
    header: Buffer,
    together: boolean,
    options: ConnectionOptions,
  ): Promise<SocketClient> => {
    const plain = connectPlain({ port: host.port, host: '127.0.0.1', noDelay: true });
    await once(plain, 'connect');
    if (together) plain.cork();
    plain.write(header.subarray(0, 7));
    if (!together) await new Promise((resolve) => setImmediate(resolve));
    plain.write(header.subarray(7));
    const raw = connectTls({ socket: plain, servername: 'localhost', ...options });
    if (together) setImmediate(() => plain.uncork());
    return SocketClient.on(raw, 4);
  };

  it.each([false, true])(
    "version 1: the address is the header's, the name that of the certificate (together: %s)",
    async (together) => {
      await start({
        proxyProtocol: 1,
        caFile: authority.file,
        requireCertificate: true,
        useIdentityAsUsername: true,
      });
      const header = Buffer.from('PROXY TCP4 192.168.0.1 10.0.0.2 8080 1883\r\n');
      const holding = { cert: readFileSync(client.cert), key: readFileSync(client.key) };
      const peer = await dial(header, together, { ...trust(), ...holding });
      await peer.introduce();
      expect(host.notices).toContainEqual(
        expect.stringMatching(
          /^New client connected from 192\.168\.0\.1:8080 as client \(.*u'device 7'\)\.$/,
        ),
      );
      await peer.ping();
      peer.socket.destroy();
    },
  );

  it('version 1: the certificate is looked at all the same', async () => {
    await start({ proxyProtocol: 1, caFile: authority.file, requireCertificate: true });
    const peer = await dial(Buffer.from('PROXY UNKNOWN\r\n'), false, trust());
    await peer.closed();
    expect(host.notices).toContainEqual(expect.stringMatching(/peer did not return a certificate\.$/));
  });

  // Certificates of the broker's own are an error of the configuration with version 2 (broker §10.3).
  it.each([false, true])('version 2 and TLS-PSK (together: %s)', async (together) => {
    const listener = { ...LISTENER, proxyProtocol: 2 as const, pskHint: 'hint', useIdentityAsUsername: true };
    host = await EngineHost.start(
      { listeners: [listener] },
      { preSharedKeys: new Map([['me', Buffer.from('0badcafe', 'hex')]]) },
    );
    const pskCallback = () => ({ identity: 'me', psk: Buffer.from('0badcafe', 'hex') });
    const options = {
      ciphers: 'PSK',
      maxVersion: 'TLSv1.2',
      checkServerIdentity: () => undefined,
      pskCallback,
    } as const;
    const peer = await dial(header2, together, options);
    await peer.introduce();
    expect(host.notices).toContainEqual(
      expect.stringMatching(/^New client connected from 192\.168\.0\.1:8080 as client \(.*u'me'\)\.$/),
    );
    peer.socket.destroy();
  });

  it.each([1, 2] as const)('TLS where version %i of the header should be: closed', async (proxyProtocol) => {
    const material = proxyProtocol === 1 ? {} : { certFile: undefined, keyFile: undefined, pskHint: 'hint' };
    await start({ proxyProtocol, ...material });
    const peer = SocketClient.on(connectTls({ port: host.port, host: '127.0.0.1', ...trust() }), 4);
    await peer.closed();
    expect(host.notices).toContainEqual(
      expect.stringMatching(/^Connection .*rejected, corrupt PROXY header\.$/),
    );
  });
});

describe('TLS on a Unix socket', () => {
  it('serves, asks for certificates, and logs the path', async () => {
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'tsmqtt-layers-')), 'broker.sock');
    onTestFinished(() => rmSync(path.dirname(file), { recursive: true }));
    const mutual = { caFile: authority.file, requireCertificate: true, useIdentityAsUsername: true };
    await start({ port: 0, host: undefined, path: file, ...mutual });
    const holding = { cert: readFileSync(client.cert), key: readFileSync(client.key) };
    const peer = SocketClient.on(
      connectTls({ path: file, servername: 'localhost', ...trust(), ...holding }),
      4,
    );
    await peer.introduce();
    expect(host.notices).toContainEqual(
      `New client connected from ${file}:0 as client (p4, c1, k0, u'device 7').`,
    );
    expect(host.notices).toContainEqual(
      expect.stringMatching(/^Client client negotiated TLSv1\.3 cipher TLS_/),
    );
    const nobody = SocketClient.on(connectTls({ path: file, servername: 'localhost', ...trust() }), 4);
    await nobody.closed();
    peer.socket.destroy();
  });
});

it('the HTTP API is served over TLS, and says so', async () => {
  await start({ protocol: 'http_api' });
  const body = async (path: string): Promise<string> => {
    const asked = get({ host: '127.0.0.1', port: host.port, path, agent: false, ...trust() });
    const [response] = await once(asked, 'response');
    let text = '';
    for await (const chunk of response) text += chunk;
    return text;
  };
  expect(await body('/api/v1/version')).toBe(VERSION);
  expect(JSON.parse(await body('/api/v1/listeners'))).toMatchObject({
    listeners: [{ protocol: 'httpapi', tls: true, mtls: false }],
  });
});
