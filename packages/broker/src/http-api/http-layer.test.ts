import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { type IncomingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { hashPassword, PasswordVerifier } from '@tsmqtt/credentials';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EngineHost, LISTENER } from '../../test/engine-host.js';
import { publishPacket } from '../../test/raw-client.js';
import { SocketClient } from '../../test/socket-client.js';
import { parseAcl } from '../auth/acl-parser.js';
import { silentLog } from '../log/log.js';
import type { BrokerSettings, ListenerSettings } from '../settings.js';
import { VERSION } from '../version.js';

const API: ListenerSettings = { ...LISTENER, protocol: 'http_api' };
const MQTT: ListenerSettings = { ...LISTENER };

let host: EngineHost;
afterEach(() => host.stop());

interface Got {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function get(url: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Got> {
  return new Promise((resolve, reject) => {
    // As it is written: a URL object would take `..` out of it.
    const sent = request(
      { host: '127.0.0.1', port: host.port, path: url, method, headers, agent: false },
      (response) => {
        let body = '';
        response
          .setEncoding('latin1')
          .on('data', (text: string) => {
            body += text;
          })
          .on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }))
          .on('error', reject);
      },
    );
    sent.on('error', reject).end();
  });
}

describe('the API', () => {
  beforeEach(async () => {
    const other = { ...MQTT, port: 0, allowAnonymous: false, protocol: 'websockets' as const };
    host = await EngineHost.start({ listeners: [API, other] });
  });

  it('tells the version', async () => {
    const { status, headers, body } = await get('/api/v1/version');
    expect([status, body]).toEqual([200, VERSION]);
    expect(headers).toMatchObject({ 'access-control-allow-origin': '*', connection: 'close' });
  });

  it('tells the numbers of $SYS by their whole names, without averages', async () => {
    host.pass(7);
    const { status, headers, body } = await get('/api/v1/systree?x=1');
    expect([status, headers['content-type']]).toEqual([200, 'application/json']);
    const tree = JSON.parse(body) as Record<string, number>;
    expect(tree).toMatchObject({
      '$SYS/broker/uptime': 7,
      '$SYS/broker/clients/total': 0,
      '$SYS/broker/clients/active': tree['$SYS/broker/clients/connected'],
      '$SYS/broker/retained messages/count': 0,
    });
    expect(Object.values(tree).every(Number.isInteger)).toBe(true);
    expect(Object.keys(tree).filter((topic) => /load|version/.test(topic))).toEqual([]);
  });

  it('tells the listeners', async () => {
    const { body } = await get('/api/v1/listeners');
    const plain = { tls: false, mtls: false };
    expect(JSON.parse(body)).toEqual({
      listeners: [
        { port: 0, protocol: 'httpapi', ...plain, allow_anonymous: true },
        { port: 0, protocol: 'websockets', ...plain, allow_anonymous: false },
      ],
    });
  });

  it.each(['/api/v1/other', '/api', '/', '/index.html', '/api/v1/../v1/version', '/%00', '/%', '/toString'])(
    'has nothing at %s',
    async (url) => {
      expect(await get(url)).toMatchObject({ status: 404, body: 'Not found.\n' });
    },
  );

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD'])('answers %s with 405', async (method) => {
    const { status, headers, body } = await get('/api/v1/version', {}, method);
    expect([status, headers.allow]).toEqual([405, 'GET']);
    expect(body).toBe(method === 'HEAD' ? '' : 'Invalid HTTP Method\n');
  });

  it('answers one request for each connection, and each within 30 s of its socket', async () => {
    const client = await SocketClient.open(host.port);
    client.socket.write('GET /api/v1/version HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(2));
    const text = Buffer.from(await client.closed(), 'hex').toString();
    expect(text.match(/HTTP\/1\.1 200/g)).toHaveLength(1);
    const silent = await SocketClient.open(host.port);
    silent.socket.write('GET / HTTP/1.1\r\nHost:');
    await expect.poll(() => host.notices.length).toBe(2);
    host.pass(31);
    expect(await silent.closed()).toBe('');
  });

  it.each([
    [`GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(17_000)}\r\n\r\n`, 431],
    ['MQTT\r\n\r\n', 400],
  ])('refuses what it cannot take: %j', async (sent, status) => {
    const client = await SocketClient.open(host.port);
    client.socket.write(sent);
    expect(Buffer.from(await client.closed(), 'hex').toString()).toMatch(
      new RegExp(`^HTTP/1\\.1 ${status} `),
    );
  });
});

describe('/metrics', () => {
  const SAMPLE = /^tsmqtt_[a-z_]+(?:\{version="[^"]+"\})? \d+$/;

  it('has a HELP and a TYPE line for every sample, and counts what was sent', async () => {
    host = await EngineHost.start({ listeners: [API, MQTT] });
    const { body: before } = await get('/metrics');
    const client = await SocketClient.connect(host.ports[1] as number);
    client.send(...['a', 'bc', 'def'].map((payload) => publishPacket('t', payload)));
    await client.ping();
    expect((await get('/metrics')).body).toBe(before);
    host.pass(1);
    const { status, headers, body } = await get('/metrics');
    expect([status, headers['content-type']]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    const lines = body.trimEnd().split('\n');
    expect(lines.length % 3).toBe(0);
    const kinds = new Map<string, string>();
    for (let at = 0; at < lines.length; at += 3) {
      const [help = '', type = '', sample = ''] = lines.slice(at, at + 3);
      const [name = ''] = /^[a-z_]+/.exec(sample) ?? [];
      expect(sample).toMatch(SAMPLE);
      expect(help).toMatch(new RegExp(`^# HELP ${name} \\S.*\\.$`));
      expect(type).toMatch(new RegExp(`^# TYPE ${name} (counter|gauge)$`));
      expect(kinds.has(name)).toBe(false);
      kinds.set(name, type.split(' ').at(-1) ?? '');
    }
    for (const [name, kind] of kinds) expect(name.endsWith('_total')).toBe(kind === 'counter');
    expect(lines).toContain('tsmqtt_publish_messages_received_total 3');
    expect(lines).toContain('tsmqtt_publish_bytes_received_total 6');
    expect(lines).toContain('tsmqtt_messages_received_total 5');
    expect(lines).toContain('tsmqtt_messages_sent_total 2');
    expect(lines).toContain('tsmqtt_uptime_seconds 1');
    expect(lines).toContain(`tsmqtt_info{version="${VERSION}"} 1`);
    expect(lines).toContain('tsmqtt_clients 1');
  });
});

describe('who may ask', () => {
  let verifier: PasswordVerifier;
  beforeAll(async () => {
    verifier = PasswordVerifier.fromText(
      `pi:${await hashPassword(Buffer.from('sec:ret'), { iterations: 1 })}`,
      'passwd',
    );
  });

  const basic = (text: string): Record<string, string> => ({
    Authorization: `Basic ${Buffer.from(text).toString('base64')}`,
  });

  // biome-ignore format: one row a line
  const CASES: readonly [what: string, settings: Partial<BrokerSettings>, passwords: boolean, headers: Record<string, string>, status: number][] = [
    ['nobody, where anonymous clients may in', {}, false, {}, 200],
    ['nobody, where they may not', { allowAnonymous: false }, false, {}, 401],
    ['somebody, where there are no passwords', { allowAnonymous: false }, false, basic('pi:sec:ret'), 401],
    ['nobody, where there are passwords', { allowAnonymous: false }, true, {}, 401],
    ['nobody, where there are passwords and anonymous clients (broker T-10)', { allowAnonymous: true }, true, {}, 200],
    ['the right password', { allowAnonymous: false }, true, basic('pi:sec:ret'), 200],
    ['a wrong password', { allowAnonymous: true }, true, basic('pi:secret'), 401],
    ['an unknown user', { allowAnonymous: true }, true, basic('po:sec:ret'), 401],
    ['no password', { allowAnonymous: true }, true, basic('pi'), 401],
    ['another scheme', { allowAnonymous: true }, true, { Authorization: 'Bearer abc' }, 401],
    ['no base64', { allowAnonymous: true }, true, { Authorization: 'Basic =' }, 401],
  ];
  it.each(CASES)('%s', async (_what, settings, passwords, headers, status) => {
    host = await EngineHost.start({ listeners: [API], ...settings }, passwords ? { verifier } : {});
    const got = await get('/api/v1/version', headers);
    expect(got.status).toBe(status);
    if (status !== 401) return;
    expect(got.body).toBe('Not authorised\n');
    expect(got.headers['www-authenticate']).toMatch(/^Basic realm="Mosquitto API"/);
    // What there is and what not is nobody's business either.
    expect(await get('/nothing', headers)).toMatchObject({ status: 401 });
  });

  // biome-ignore format: one row a line
  it.each([
    ['topic read /api/v1/version', {}, 200],
    ['topic read /api/#', {}, 200],
    ['topic readwrite #', {}, 200],
    ['topic read /api/v1/systree', {}, 401],
    ['topic write /api/v1/version', {}, 401],
    ['topic read #\ntopic deny /api/v1/version', {}, 401],
    ['user pi\ntopic read /api/v1/version', {}, 401],
    ['user pi\ntopic read /api/v1/version', basic('pi:anything'), 200],
    ['user po\ntopic read /api/v1/version', basic('pi:anything'), 401],
    ['pattern read /api/v1/version', {}, 200],
    ['', {}, 401],
  ])('an ACL file that says %j', async (text, headers, status) => {
    host = await EngineHost.start({ listeners: [API] }, { acl: parseAcl(Buffer.from(text), 'acl', silentLog) });
    expect((await get('/api/v1/version?topic', headers)).status).toBe(status);
  });

  it('is http-api to patterns, and everything it may not read is 401, there or not', async () => {
    const acl = parseAcl(Buffer.from('pattern read /%c/#'), 'acl', silentLog);
    host = await EngineHost.start({ listeners: [API] }, { acl });
    expect(await get('/http-api/x')).toMatchObject({ status: 404 });
    expect(await get('/metrics')).toMatchObject({ status: 401 });
    expect(await get('/http-api/../metrics')).toMatchObject({ status: 404 });
  });

  it('waits its turn where too many passwords are being checked (broker B-12)', async () => {
    const busy = { verify: async () => 'busy' } as unknown as PasswordVerifier;
    host = await EngineHost.start({ listeners: [API] }, { verifier: busy });
    const { status, headers } = await get('/metrics', basic('pi:sec:ret'));
    expect([status, headers['retry-after']]).toEqual([503, '1']);
  });

  it('says that it failed, and goes on, where a check fails', async () => {
    const broken = { verify: () => Promise.reject(new Error('no')) } as unknown as PasswordVerifier;
    host = await EngineHost.start({ listeners: [API] }, { verifier: broken });
    expect(await get('/metrics', basic('pi:sec:ret'))).toMatchObject({
      status: 500,
      body: 'Internal error\n',
    });
    expect(await get('/api/v1/version')).toMatchObject({ status: 200 });
  });
});

describe('http_dir', () => {
  let folder: string;
  const PAGE = '<p>hello</p>';
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'tsmqtt-http-'));
    const www = path.join(folder, 'www');
    await mkdir(path.join(www, 'sub'), { recursive: true });
    await mkdir(`${www}-private`);
    await writeFile(path.join(www, 'index.html'), PAGE);
    await writeFile(path.join(www, 'sub', 'a b.JS'), 'js');
    await writeFile(path.join(www, 'empty.txt'), '');
    await writeFile(path.join(www, 'large'), Buffer.alloc(3_000_000, 'x'));
    await writeFile(path.join(folder, 'secret'), 'secret');
    await writeFile(path.join(`${www}-private`, 'secret'), 'secret');
    await symlink('../secret', path.join(www, 'out'));
    await symlink('../www-private', path.join(www, 'beside'));
    await symlink('sub/a b.JS', path.join(www, 'in'));
    await symlink('loop', path.join(www, 'loop'));
  });
  afterAll(() => rm(folder, { recursive: true }));
  beforeEach(async () => {
    host = await EngineHost.start({ listeners: [{ ...API, httpDir: path.join(folder, 'www') }] });
  });

  // biome-ignore format: one row a line
  it.each([
    ['/', 'text/html; charset=utf-8', PAGE],
    ['/index.html?x', 'text/html; charset=utf-8', PAGE],
    ['/sub/a%20b.JS', 'text/javascript; charset=utf-8', 'js'],
    ['/in', 'text/javascript; charset=utf-8', 'js'],
    ['/empty.txt', 'text/plain; charset=utf-8', ''],
    ['/large', 'application/octet-stream', 'x'.repeat(3_000_000)],
  ])('gives %s', async (url, type, body) => {
    const got = await get(url);
    expect([got.status, got.headers['content-type']]).toEqual([200, type]);
    expect(got.body === body).toBe(true);
    expect(got.headers['access-control-allow-origin']).toBe('*');
  });

  // biome-ignore format: one row a line
  it.each([
    '/missing', '/sub', '/sub/', '/index.html/', '/index.html/x', '/../secret', '/sub/../../secret', '/%2e%2e/secret', '/..%2fsecret',
    '/../www-private/secret', '/out', '/beside/secret', '/loop', '//index.html', '/./index.html', '/..\\secret', `/${'x'.repeat(5000)}`, '/api/index.html',
  ])('gives nothing for %s', async (url) => {
    expect(await get(url)).toMatchObject({ status: 404, body: 'Not found.\n' });
  });

  it('gives no other file in place of its own answers', async () => {
    expect(await get('/api/v1/version')).toMatchObject({ status: 200, body: VERSION });
  });
});
