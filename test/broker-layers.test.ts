import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { get } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
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
