import { statSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { startBrokerProcess } from './support/brokers.js';
import {
  type Authority,
  type CertificateFiles,
  certificateFolder,
  createAuthority,
} from './support/certificates.js';
import type { Child, Ended } from './support/child.js';
import { temporaryFolder } from './support/folder.js';
import { freePort } from './support/free-port.js';
import { runProgram, startSubscriber } from './support/programs.js';

const folder = certificateFolder();
let own: Authority;
let server: CertificateFiles;
let device: CertificateFiles;
let revoked: CertificateFiles;
beforeAll(() => {
  own = createAuthority(folder, 'own');
  server = own.issue('server', { name: 'localhost', alternatives: 'DNS:localhost,IP:127.0.0.1' });
  device = own.issue('device', { name: 'device 7' });
  revoked = own.issue('revoked', { name: 'revoked' });
  own.revoke(revoked);
});

interface Scene {
  readonly child: Child;
  readonly ports: Readonly<
    Record<'open' | 'mounted' | 'subject' | 'api' | 'interface' | 'websockets', number>
  >;
  readonly socket: string;
}

/** One of each kind, each with rules of its own. */
async function start(): Promise<Scene> {
  const at = temporaryFolder({ acl: 'user pi\ntopic readwrite m/#\n' });
  const passwords = path.join(at, 'passwords');
  await runProgram('tsmqtt-passwd', ['-c', '-b', passwords, 'pi', '123']);
  const ports = {
    open: await freePort(),
    mounted: await freePort(),
    subject: await freePort(),
    api: await freePort(),
    interface: await freePort(),
    websockets: await freePort(),
  };
  const socket = path.join(at, 'socket');
  const conf = `per_listener_settings true
${process.getuid?.() === 0 ? 'user root\n' : ''}listener ${ports.open} 127.0.0.1
allow_anonymous true
max_connections 2
listener ${ports.mounted} 127.0.0.1
password_file ${passwords}
acl_file ${at}/acl
mount_point m/
listener ${ports.subject} 127.0.0.1
certfile ${server.cert}
keyfile ${server.key}
cafile ${own.file}
crlfile ${own.revocations()}
require_certificate true
use_subject_as_username true
listener 0 ${socket}
allow_anonymous true
listener ${ports.api} 127.0.0.1
protocol http_api
allow_anonymous true
listener ${ports.interface}
bind_interface lo
allow_anonymous true
listener ${ports.websockets} 127.0.0.1
protocol websockets
allow_anonymous true
`;
  const file = path.join(temporaryFolder({ conf }), 'conf');
  const child = startBrokerProcess('tsmqtt-broker', ['-c', file]);
  await child.line(/version \S+ running$/, 'stderr');
  return { child, ports, socket };
}

const publish = async (
  where: readonly string[],
  topic: string,
  ...more: readonly string[]
): Promise<number | null> =>
  (await runProgram('tsmqtt-pub', [...where, '-t', topic, '-m', 'x', '-q', '1', ...more])).code;
const at = (port: number, host = '127.0.0.1'): string[] => ['-h', host, '-p', String(port)];
const first = (where: readonly string[], filter: string): Promise<Ended> =>
  runProgram('tsmqtt-sub', [...where, '-t', filter, '-C', '1', '-v', '-W', '10']);

test('listeners of every kind, each with its own rules (broker §3.2, §4.6)', async () => {
  const { child, ports, socket } = await start();
  const pi = [...at(ports.mounted), '-u', 'pi', '-P', '123'];

  // Passwords, rules and prefix of one listener; what it publishes is there for the others under its whole name.
  expect(await publish(at(ports.mounted), 'a')).toBe(5);
  expect(await publish(pi, 'a', '-r')).toBe(0);
  expect((await first(at(ports.open), 'm/#')).stdout.toString()).toBe('m/a x\n');
  expect((await first(pi, '#')).stdout.toString()).toBe('a x\n');

  const tls = [...at(ports.subject), '--cafile', own.file];
  const holding = ({ cert, key }: CertificateFiles): string[] => ['--cert', cert, '--key', key];
  expect(await publish([...tls, ...holding(device)], 'a')).toBe(0);
  await child.line(/New client connected .*, u'CN=device 7'\)\.$/, 'stderr');
  expect(await publish([...tls, ...holding(revoked)], 'a')).not.toBe(0);
  await child.line(/certificate verify failed \(certificate revoked\)/, 'stderr');
  expect(await publish(tls, 'a')).not.toBe(0);

  expect(statSync(socket).mode & 0o777).toBe(0o770);
  expect(await publish(['--unix', socket], 'a')).toBe(0);
  await child.line(new RegExp(`New connection from ${socket}:0 on port 0\\.$`), 'stderr');

  expect(await publish(at(ports.interface), 'a')).toBe(0);
  expect(await publish(at(ports.interface, '127.0.0.2'), 'a')).not.toBe(0);
  expect(await publish([...at(ports.websockets), '--ws'], 'a')).toBe(0);

  // Two are served, the third is closed unanswered; elsewhere there is room.
  const subscribers = [
    await startSubscriber([...at(ports.open), '-t', 'b']),
    await startSubscriber([...at(ports.open), '-t', 'b']),
  ];
  expect(await publish(at(ports.open), 'b')).not.toBe(0);
  await child.line(/Client connection from 127\.0\.0\.1 denied: max_connections exceeded\.$/, 'stderr');
  expect(await publish(['--unix', socket], 'b')).toBe(0);
  for (const subscriber of subscribers) await subscriber.message('x');

  const { listeners } = (await (await fetch(`http://127.0.0.1:${ports.api}/api/v1/listeners`)).json()) as {
    listeners: Record<string, unknown>[];
  };
  expect(listeners).toEqual([
    { port: ports.open, protocol: 'mqtt', tls: false, mtls: false, allow_anonymous: true },
    { port: ports.mounted, protocol: 'mqtt', tls: false, mtls: false, allow_anonymous: false },
    { port: ports.subject, protocol: 'mqtt', tls: true, mtls: true, allow_anonymous: false },
    { path: socket, protocol: 'mqtt', tls: false, mtls: false, allow_anonymous: true },
    { port: ports.api, protocol: 'httpapi', tls: false, mtls: false, allow_anonymous: true },
    { port: ports.interface, protocol: 'mqtt', tls: false, mtls: false, allow_anonymous: true },
    { port: ports.websockets, protocol: 'websockets', tls: false, mtls: false, allow_anonymous: true },
  ]);
  const metrics = await (await fetch(`http://127.0.0.1:${ports.api}/metrics`)).text();
  expect(metrics).toMatch(/^tsmqtt_clients_connected 2$/m);
  expect((await child.kill()).code).toBe(0);
  expect(() => statSync(socket)).toThrow('ENOENT');
});
