import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import path from 'node:path';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Broker, type BrokerOptions, startBroker } from '../packages/broker/src/broker.js';
import { silentLog } from '../packages/broker/src/log/log.js';
import {
  DEFAULT_LISTENER,
  DEFAULT_SETTINGS,
  type ListenerSettings,
} from '../packages/broker/src/settings.js';
import { connectPacket } from '../packages/broker/test/raw-client.js';
import { SocketClient } from '../packages/broker/test/socket-client.js';
import {
  type Authority,
  type CertificateFiles,
  certificateFolder,
  createAuthority,
  selfSigned,
} from './support/certificates.js';

const folder = certificateFolder();
const HOST = '127.0.0.1';
let own: Authority;
let foreign: Authority;
let server: CertificateFiles;
let good: CertificateFiles;
let revoked: CertificateFiles;
let clients: Record<'expired' | 'early' | 'foreign' | 'lone' | 'forServers', CertificateFiles>;

beforeAll(() => {
  own = createAuthority(folder, 'own');
  foreign = createAuthority(folder, 'foreign');
  server = own.issue('server', { name: 'localhost', alternatives: 'DNS:localhost,IP:127.0.0.1' });
  good = own.issue('good', { name: 'device 7', use: 'clientAuth' });
  revoked = own.issue('revoked', { name: 'revoked' });
  clients = {
    expired: own.issue('expired', { name: 'expired', until: '20210101' }),
    early: own.issue('early', { name: 'early', from: '20480101' }),
    foreign: foreign.issue('foreign', { name: 'foreign' }),
    lone: selfSigned(folder, 'lone', 'DNS:lone'),
    forServers: own.issue('for-servers', { name: 'for-servers', use: 'serverAuth' }),
  };
  own.revoke(revoked);
});

const logged: string[] = [];
const brokers: Broker[] = [];
const sockets: { destroy(): unknown }[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const broker of brokers.splice(0)) await broker.close();
  logged.length = 0;
});

const listener = (more: Partial<ListenerSettings> = {}): ListenerSettings => ({
  ...DEFAULT_LISTENER,
  port: 0,
  host: HOST,
  certFile: server.cert,
  keyFile: server.key,
  ...more,
});

async function start(more: Partial<ListenerSettings> = {}, options: BrokerOptions = {}): Promise<Broker> {
  const write = (text: string): void => void logged.push(text);
  const broker = await startBroker({
    listeners: [listener(more)],
    allowAnonymous: true,
    log: { ...silentLog, notice: write, error: write },
    ...options,
  });
  brokers.push(broker);
  return broker;
}

const mutual = (): Partial<ListenerSettings> => ({ caFile: own.file, requireCertificate: true });

function dial(broker: Broker, options: ConnectionOptions = {}): TLSSocket {
  const ca = readFileSync(own.file);
  const socket = connectTls({ host: HOST, port: broker.port, ca, servername: 'localhost', ...options });
  sockets.push(socket);
  return socket;
}

const holding = ({ cert, key }: CertificateFiles): ConnectionOptions => ({
  cert: readFileSync(cert),
  key: readFileSync(key),
});

/** What becomes of a CONNECT: the first bytes of the answer, or `closed`. */
async function answer(socket: TLSSocket, version: 4 | 5 = 4): Promise<string> {
  const client = SocketClient.on(socket, version);
  client.send(connectPacket({ clientId: 'c', protocolVersion: version, username: 'liar' }));
  try {
    await client.until((bytes) => bytes.length >= (version === 4 ? 8 : 10));
    return version === 4 ? client.bytes : client.bytes.slice(0, 10);
  } catch {
    return 'closed';
  }
}

/** Waits for a log line. */
async function logs(text: RegExp): Promise<string> {
  for (;;) {
    const line = logged.find((one) => text.test(one));
    if (line !== undefined) return line;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('a listener with a certificate', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)('serves %s, and logs version and cipher', async (version) => {
    const broker = await start();
    const socket = dial(broker, { minVersion: version, maxVersion: version });
    expect(await answer(socket)).toBe('20020000');
    expect(socket.authorized).toBe(true);
    expect(logged).toContain(`Client c negotiated ${version} cipher ${socket.getCipher().standardName}`);
  });

  it('is an mqtts URL', async () => {
    const broker = await start();
    expect(broker.url).toBe(`mqtts://127.0.0.1:${broker.port}`);
  });

  it('takes tlsv1.1 as the lowest with a warning', async () => {
    const warnings: string[] = [];
    const log = { ...silentLog, warning: (text: string) => void warnings.push(text) };
    const broker = await start({ tlsVersion: 'tlsv1.1' }, { log });
    expect(warnings).toEqual([expect.stringMatching(/^Warning: tls_version tlsv1\.1 is insecure/)]);
    expect(await answer(dial(broker))).toBe('20020000');
  });

  it('asks for no certificate unless it requires one (broker §10.4)', async () => {
    const broker = await start({ caFile: own.file });
    const socket = dial(broker, holding(clients.foreign));
    expect(await answer(socket)).toBe('20020000');
  });

  it('takes what comes with the handshake and behind it in the same bytes', async () => {
    const broker = await start();
    const socket = dial(broker);
    const client = SocketClient.on(socket);
    // Written before the handshake is over: it leaves right behind it.
    client.send(connectPacket({ clientId: 'c' }), 'c0 00');
    await client.until((bytes) => bytes === '20020000d000');
  });

  it('ignores an offer of ALPN (broker §10.4)', async () => {
    const broker = await start();
    const socket = dial(broker, { ALPNProtocols: ['mqtt'] });
    expect(await answer(socket)).toBe('20020000');
    expect(socket.alpnProtocol).toBe(false);
  });

  it('goes by tls_version as the lowest', async () => {
    const broker = await start({ tlsVersion: 'tlsv1.3' });
    expect(await answer(dial(broker, { maxVersion: 'TLSv1.2' }))).toBe('closed');
    expect(await logs(/handshake failed/)).toMatch(
      /disconnected: TLS handshake failed: unsupported protocol\.$/,
    );
    expect(await answer(dial(broker))).toBe('20020000');
  });

  it.each<[Partial<ListenerSettings>, ConnectionOptions, string]>([
    [
      { ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' },
      { maxVersion: 'TLSv1.2' },
      'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
    ],
    // The other list stays as it is.
    [{ ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' }, {}, 'TLS_AES_256_GCM_SHA384'],
    [{ ciphersTls13: 'TLS_CHACHA20_POLY1305_SHA256' }, {}, 'TLS_CHACHA20_POLY1305_SHA256'],
    [
      { ciphersTls13: 'TLS_CHACHA20_POLY1305_SHA256' },
      { maxVersion: 'TLSv1.2' },
      'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
    ],
  ])('%j with %j: %s', async (settings, options, cipher) => {
    const broker = await start(settings);
    const socket = dial(broker, options);
    expect(await answer(socket)).toBe('20020000');
    expect(socket.getCipher().standardName).toBe(cipher);
  });

  it('closes bytes that are no TLS, and others notice nothing', async () => {
    const broker = await start();
    const witness = SocketClient.on(dial(broker));
    await witness.introduce();
    for (const bytes of [
      '100c00044d5154540400000000',
      '474554202f20485454502f312e310d0a0d0a',
      '16030100',
      '1603010005deadbeef00',
    ]) {
      const socket = connectPlain(broker.port, HOST);
      const client = SocketClient.on(socket);
      socket.end(Buffer.from(bytes, 'hex'));
      await client.closed();
    }
    expect(logged.filter((line) => /disconnected: /.test(line))).toHaveLength(4);
    await witness.ping();
  });

  it('survives whatever bytes come at whatever point of the handshake', async () => {
    const broker = await start(mutual());
    const hello = await firstFlight(broker);
    let seed = 7;
    const random = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed % below;
    };
    for (let round = 0; round < 200; round++) {
      const bytes = Buffer.from(hello);
      for (let change = random(6); change >= 0; change--) bytes[random(bytes.length)] = random(256);
      const socket = connectPlain(broker.port, HOST);
      const client = SocketClient.on(socket);
      const cut = random(bytes.length);
      socket.write(bytes.subarray(0, cut));
      if (random(3) === 0) socket.resetAndDestroy();
      else socket.end(bytes.subarray(cut));
      await client.closed();
    }
    expect(await answer(dial(broker, holding(good)))).toBe('20020000');
  });

  it('closes a handshake that does not end, and a client that sends no CONNECT behind it, after 30 s', async () => {
    let now = Date.now();
    const broker = await start({}, { clock: { now: () => now } });
    const half = connectPlain(broker.port, HOST);
    const client = SocketClient.on(half);
    half.write((await firstFlight(broker)).subarray(0, 20));
    const silent = SocketClient.on(connectPlain(broker.port, HOST));
    const secured = dial(broker);
    await once(secured, 'secureConnect');
    while (logged.filter((line) => line.startsWith('New connection')).length < 3) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    now += 30_001;
    // The broker looks once a second.
    await Promise.all([client.closed(), silent.closed(), SocketClient.on(secured).closed()]);
    expect(logged.filter((line) => /disconnected: exceeded timeout\.$/.test(line))).toHaveLength(3);
  });

  it('closes with close_notify behind the last packet', async () => {
    const broker = await start();
    const client = SocketClient.on(dial(broker));
    await client.introduce();
    client.send('30 00');
    const errors: Error[] = [];
    client.socket.on('error', (error) => errors.push(error));
    await client.closed();
    expect(errors).toEqual([]);
  });
});

/** The bytes that a client begins a handshake with. */
async function firstFlight(broker: Broker): Promise<Buffer> {
  const { Duplex } = await import('node:stream');
  return new Promise((resolve) => {
    const wire = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        resolve(chunk);
        done();
      },
    });
    sockets.push(wire);
    connectTls({ socket: wire, host: HOST, port: broker.port, ...holding(good) }).on('error', () => {});
  });
}

describe('require_certificate', () => {
  it('lets in who has a certificate of the authority', async () => {
    const broker = await start(mutual());
    expect(await answer(dial(broker, holding(good)))).toBe('20020000');
  });

  // biome-ignore format: one row a line
  it.each<[keyof typeof clients, string]>([
    ['expired', 'certificate has expired'],
    ['early', 'certificate is not yet valid'],
    ['foreign', 'unable to verify the first certificate'],
    ['lone', 'self-signed certificate'],
    ['forServers', 'unsuitable certificate purpose'],
  ])('refuses one that is %s: %s (broker §4.5)', async (who, reason) => {
    const broker = await start(mutual());
    expect(await answer(dial(broker, holding(clients[who])))).toBe('closed');
    expect(await logs(/certificate/)).toMatch(
      new RegExp(`^Client 127.0.0.1:\\d+ disconnected: TLS handshake failed: certificate verify failed \\(${reason}\\)\\.$`),
    );
  });

  it('refuses who has none', async () => {
    const broker = await start(mutual());
    expect(await answer(dial(broker))).toBe('closed');
    expect(await logs(/handshake/)).toMatch(/peer did not return a certificate\.$/);
  });

  it('without any authority refuses everybody, also those whom Node would trust', async () => {
    const broker = await start({ requireCertificate: true });
    expect(await answer(dial(broker, holding(good)))).toBe('closed');
  });

  it('takes the authorities of capath', async () => {
    const broker = await start({ requireCertificate: true, caPath: path.dirname(own.file) });
    expect(await answer(dial(broker, holding(good)))).toBe('20020000');
    expect(await answer(dial(broker, holding(clients.foreign)))).toBe('closed');
  });

  it('refuses what crlfile revokes', async () => {
    const broker = await start({ ...mutual(), crlFile: own.revocations() });
    expect(await answer(dial(broker, holding(revoked)))).toBe('closed');
    expect(await logs(/certificate/)).toMatch(/certificate verify failed \(certificate revoked\)\.$/);
    expect(await answer(dial(broker, holding(good)))).toBe('20020000');
  });

  it('looks at the certificate at every connection: no session is resumed', async () => {
    const broker = await start(mutual());
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const first = dial(broker, { ...holding(good), maxVersion });
      const sessions: Buffer[] = [];
      first.on('session', (session) => sessions.push(session));
      expect(await answer(first)).toBe('20020000');
      const session = sessions.at(-1) ?? first.getSession();
      const second = dial(broker, {
        ...holding(good),
        maxVersion,
        ...(session === undefined ? {} : { session }),
      });
      await answer(second);
      expect(second.isSessionReused()).toBe(false);
    }
  });
});

describe('identity as username (broker §4.5)', () => {
  it('is the Common Name, whatever CONNECT and the password file say (broker T-14)', async () => {
    const broker = await start({ ...mutual(), useIdentityAsUsername: true }, { allowAnonymous: false });
    expect(await answer(dial(broker, holding(good)))).toBe('20020000');
    expect(logged.find((line) => line.startsWith('New client'))).toMatch(/, u'device 7'\)\.$/);
  });

  it('is the whole subject with use_subject_as_username', async () => {
    const broker = await start({ ...mutual(), useSubjectAsUsername: true });
    expect(await answer(dial(broker, holding(good)))).toBe('20020000');
    expect(logged.find((line) => line.startsWith('New client'))).toMatch(/, u'CN=device 7'\)\.$/);
  });

  it.each([
    [4, '20020004'],
    [5, '2003008600'],
  ] as const)('none, because none is asked for: version %i: %s (broker T-15)', async (version, bytes) => {
    const broker = await start({ caFile: own.file, useIdentityAsUsername: true });
    expect(await answer(dial(broker, holding(good)), version)).toBe(bytes);
  });

  it('stays when the password file changes (broker §4.8)', async () => {
    const settings = {
      listeners: [listener({ ...mutual(), useIdentityAsUsername: true })],
      allowAnonymous: false,
    };
    const broker = await start({}, settings);
    const client = SocketClient.on(dial(broker, holding(good)));
    await client.introduce();
    await broker.reload({ ...DEFAULT_SETTINGS, ...settings });
    await client.ping();
  });
});

describe('a reload', () => {
  it('reads certificates, authorities and revocation lists again, for new connections', async () => {
    const cert = path.join(folder, 'current.pem');
    const key = path.join(folder, 'current.key');
    const crl = path.join(folder, 'current.crl');
    const use = (files: CertificateFiles): void => {
      writeFileSync(cert, readFileSync(files.cert));
      writeFileSync(key, readFileSync(files.key));
    };
    const other = own.issue('second-server', { name: 'localhost', alternatives: 'DNS:localhost' });
    const leaving = own.issue('leaving', { name: 'leaving' });
    use(server);
    writeFileSync(crl, readFileSync(own.revocations()));
    const one = listener({ ...mutual(), certFile: cert, keyFile: key, crlFile: crl });
    const broker = await start({}, { listeners: [one] });
    const settings = { ...DEFAULT_SETTINGS, listeners: [{ ...one }], allowAnonymous: true };
    const before = SocketClient.on(dial(broker, holding(leaving)));
    await before.introduce({ clientId: 'before' });
    use(other);
    own.revoke(leaving);
    writeFileSync(crl, readFileSync(own.revocations()));
    await broker.reload(settings);
    const socket = dial(broker, holding(good));
    expect(await answer(socket)).toBe('20020000');
    expect(socket.getPeerX509Certificate()?.raw.toString('base64')).toBe(
      readFileSync(other.cert, 'utf8').replace(/-----.*?-----|\n/g, ''),
    );
    expect(await answer(dial(broker, holding(leaving)))).toBe('closed');
    await before.ping();

    // What is broken now is logged, and what was read before stays in force (broker B-1).
    writeFileSync(cert, 'garbage');
    await broker.reload({ ...settings, listeners: [{ ...one }] });
    expect(logged.at(-1)).toBe(
      `Error: Unable to load server certificate "${cert}". Check certfile. (it holds no certificate in PEM)`,
    );
    expect(await answer(dial(broker, holding(good)))).toBe('20020000');
    expect(await answer(dial(broker, holding(leaving)))).toBe('closed');
  });
});

describe('TLS-PSK', () => {
  const KEYS = 'one:0badcafe\ntwo:00ab\n# comment\none:ff\n';
  const psk = async (
    more: Partial<ListenerSettings> = {},
    keys = KEYS,
  ): Promise<{ broker: Broker; file: string }> => {
    const file = path.join(folder, 'psk');
    writeFileSync(file, keys, { mode: 0o600 });
    const more1 = { certFile: undefined, keyFile: undefined, pskHint: 'hint', ...more };
    return { broker: await start(more1, { pskFile: file }), file };
  };
  const knows = (identity: string, key: string, hints: (string | null)[] = []): ConnectionOptions => ({
    ciphers: 'PSK',
    maxVersion: 'TLSv1.2',
    checkServerIdentity: () => undefined,
    pskCallback: (hint) => {
      hints.push(hint);
      return { identity, psk: Buffer.from(key, 'hex') };
    },
  });

  it('serves who has the key, on TLS 1.2, and tells the hint', async () => {
    const { broker } = await psk();
    const hints: string[] = [];
    const socket = dial(broker, knows('one', '0badcafe', hints));
    expect(await answer(socket)).toBe('20020000');
    expect(socket.getProtocol()).toBe('TLSv1.2');
    expect(hints).toEqual(['hint']);
  });

  it.each([
    ['another key', 'one', 'ff'],
    ['an unknown identity', 'three', '0badcafe'],
  ])('refuses %s', async (_what, identity, key) => {
    const { broker } = await psk();
    expect(await answer(dial(broker, knows(identity, key)))).toBe('closed');
    await logs(/disconnected: TLS handshake failed: /);
  });

  it('makes the identity the username', async () => {
    const { broker } = await psk({ useIdentityAsUsername: true });
    expect(await answer(dial(broker, knows('two', '00ab')))).toBe('20020000');
    expect(logged.find((line) => line.startsWith('New client'))).toMatch(/, u'two'\)\.$/);
  });

  it('leaves TLS 1.3 to the other listeners (broker T-44)', async () => {
    const file = path.join(folder, 'psk');
    writeFileSync(file, KEYS, { mode: 0o600 });
    const both = [listener(), listener({ certFile: undefined, keyFile: undefined, pskHint: 'hint' })];
    const broker = await start({}, { listeners: both, pskFile: file });
    const socket = dial(broker);
    expect(await answer(socket)).toBe('20020000');
    expect(socket.getProtocol()).toBe('TLSv1.3');
  });

  it('goes by the keys of the last reload', async () => {
    const { broker, file } = await psk();
    writeFileSync(file, 'three:77\n');
    const one = listener({ certFile: undefined, keyFile: undefined, pskHint: 'hint' });
    await broker.reload({ ...DEFAULT_SETTINGS, listeners: [one], pskFile: file, allowAnonymous: true });
    expect(await answer(dial(broker, knows('three', '77')))).toBe('20020000');
    expect(await answer(dial(broker, knows('one', '0badcafe')))).toBe('closed');
  });
});

describe('what cannot be used', () => {
  const text = (name: string, content: string): string => {
    const file = path.join(folder, name);
    writeFileSync(file, content);
    return file;
  };
  // biome-ignore format: one row a line
  it.each<[string, () => Partial<ListenerSettings>, RegExp]>([
    ['no certificate file', () => ({ certFile: '/nowhere/c' }), /^Error: Unable to load server certificate "\/nowhere\/c"\. Check certfile\. \(ENOENT/],
    ['a certificate that is none', () => ({ certFile: text('bad.pem', 'x') }), /Check certfile\. \(it holds no certificate in PEM\)$/],
    ['a broken certificate', () => ({ certFile: text('broken.pem', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n') }), /Check certfile\. \(/],
    ['no key file', () => ({ keyFile: '/nowhere/k' }), /^Error: Unable to load server key file "\/nowhere\/k"\. Check keyfile\. \(ENOENT/],
    ['a key that is none', () => ({ keyFile: text('bad.key', 'x') }), /Check keyfile\. \(it holds no private key in PEM\)$/],
    ['the key of another', () => ({ keyFile: good.key }), /good\.key"\. Check keyfile\. \(it does not belong to the certificate .*server\.pem\)$/],
    ['an authority that is none', () => ({ caFile: text('bad-ca.pem', 'x') }), /^Error: Unable to load CA certificates\. Check cafile ".*bad-ca\.pem"\. \(/],
    ['no folder of authorities', () => ({ caPath: '/nowhere' }), /^Error: Unable to load CA certificates\. Check capath "\/nowhere"\. \(ENOENT/],
    ['a revocation list that is none', () => ({ ...mutual(), crlFile: text('bad.crl', 'x') }), /^Error: Unable to load certificate revocation file ".*bad\.crl"\. Check crlfile\. \(/],
    ['an unknown version', () => ({ tlsVersion: 'tlsv1.4' }), /^Error: Unsupported tls_version "tlsv1\.4"\.$/],
    ['an unknown cipher', () => ({ ciphers: 'HIGH:NOPE' }), /^Error: Unable to set TLS ciphers\. Check cipher list "HIGH:NOPE"\. \(unknown: NOPE\)$/],
    ['a suite among the ciphers', () => ({ ciphers: 'TLS_AES_128_GCM_SHA256' }), /unknown: TLS_AES/],
    ['an unknown suite', () => ({ ciphersTls13: 'TLS_NOPE' }), /^Error: Unable to set TLS 1\.3 ciphersuites\. Check cipher_tls13 list "TLS_NOPE"\. \(unknown: TLS_NOPE\)$/],
    ['PSK with TLS 1.3', () => ({ certFile: undefined, keyFile: undefined, pskHint: 'h', tlsVersion: 'tlsv1.3' }), /^Error: Unsupported tls_version/],
  ])('%s', async (_what, settings, message) => {
    await expect(start(settings())).rejects.toMatchObject({ name: 'ListenerError', message: expect.stringMatching(message) });
  });

  it.each([
    'HIGH:!aNULL:!RC4',
    'ECDHE+AESGCM',
    'DEFAULT:@SECLEVEL=1',
    'ECDHE-ECDSA-AES128-GCM-SHA256,AES128-SHA',
  ])('the cipher list %s can', async (ciphers) => {
    await start({ ciphers });
  });
});

it('writes the key log', async () => {
  const lines: string[] = [];
  const broker = await start({}, { tlsKeyLog: (line) => void lines.push(line.toString()) });
  expect(await answer(dial(broker))).toBe('20020000');
  expect(lines.some((line) => /^SERVER_TRAFFIC_SECRET_0 [0-9a-f]{64} [0-9a-f]+\n$/.test(line))).toBe(true);
});
