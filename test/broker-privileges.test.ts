import { chmodSync, chownSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { PacketType } from '@tsmqtt/protocol';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { SocketPeer } from '../packages/broker/test/engine-host.js';
import { connectPacket } from '../packages/broker/test/raw-client.js';
import { authProperties, SCRAM, ScramClient } from '../packages/broker/test/scram-client.js';
import { type CertificateFiles, certificateFolder, createAuthority } from './support/certificates.js';
import { type Child, startChild } from './support/child.js';
import { temporaryFolder } from './support/folder.js';
import { freePort } from './support/free-port.js';
import { programFile, runProgram } from './support/programs.js';

const NOBODY = 65_534;
const isRoot = process.geteuid?.() === 0;
const certificates = certificateFolder();
let authority: string;
let server: CertificateFiles;

beforeAll(() => {
  const own = createAuthority(certificates, 'own');
  authority = own.file;
  server = own.issue('server', { name: 'localhost', alternatives: 'DNS:localhost,IP:127.0.0.1' });
});

/** One user for each kind of hash, the password being the name of the kind. */
const HASHES = ['sha512', 'sha512-pbkdf2', 'bcrypt', 'argon2id'] as const;
const SCRAM_USER = 'scram';
const LISTENERS = ['mqtt', 'tls', 'websockets', 'http_api'] as const;
type Ports = Readonly<Record<(typeof LISTENERS)[number], number>>;

interface Stage {
  readonly conf: string;
  readonly ports: Ports;
  readonly folder: string;
}

/** A folder that nobody can read and write, with everything that a configuration of all features names. */
async function stage(): Promise<Stage> {
  const folder = temporaryFolder();
  const at = (name: string): string => path.join(folder, name);
  for (const kind of HASHES) {
    const create = kind === HASHES[0] ? ['-c'] : [];
    await runProgram('tsmqtt-passwd', [...create, '-b', '-H', kind, at('passwords'), kind, kind]);
  }
  await runProgram('tsmqtt-passwd', ['-c', '-b', '-H', 'scram-sha-256', at('scram'), SCRAM_USER, SCRAM_USER]);
  writeFileSync(at('cert'), readFileSync(server.cert));
  writeFileSync(at('key'), readFileSync(server.key));
  mkdirSync(at('bin'));
  writeFileSync(at('bin/logger'), `#!/bin/sh\nexec /bin/cat >> "${at('syslog')}"\n`);
  chmodSync(at('bin'), 0o755);
  chmodSync(at('bin/logger'), 0o755);
  for (const name of ['passwords', 'scram', 'cert', 'key', '.']) chownSync(at(name), NOBODY, NOBODY);
  const ports = {} as Record<(typeof LISTENERS)[number], number>;
  for (const name of LISTENERS) ports[name] = await freePort();
  return { conf: at('broker.conf'), ports, folder };
}

/** Everything that the broker loads when it is asked for. */
function everything({ ports, folder }: Stage): string {
  return `user nobody
allow_anonymous false
password_file ${folder}/passwords
scram_file ${folder}/scram
log_dest stderr
log_dest syslog
listener ${ports.mqtt} 127.0.0.1
listener ${ports.tls} 127.0.0.1
certfile ${folder}/cert
keyfile ${folder}/key
listener ${ports.websockets} 127.0.0.1
protocol websockets
listener ${ports.http_api} 127.0.0.1
protocol http_api
`;
}

function nothing({ ports }: Stage): string {
  const listeners = LISTENERS.map((name) => `listener ${ports[name]} 127.0.0.1\n`);
  return `user nobody\nallow_anonymous false\n${listeners.join('')}`;
}

/** The built program, in a folder that root alone may look into. */
async function start({ conf, folder }: Stage): Promise<Child> {
  const program = path.join(temporaryFolder(), 'program');
  cpSync(path.dirname(programFile('tsmqtt-broker')), program, { recursive: true });
  chmodSync(program, 0o700);
  const env = { PATH: `${folder}/bin:${process.env.PATH}` };
  const child = startChild(process.execPath, [path.join(program, 'tsmqtt-broker'), '-c', conf], { env });
  await child.line(/version \S+ running$/, 'stderr');
  expect(readFileSync(`/proc/${child.pid}/status`, 'utf8')).toMatch(/^Uid:(\t65534){4}$/m);
  return child;
}

const publish = (port: number, user: string, ...more: readonly string[]): Promise<{ code: number | null }> =>
  runProgram('tsmqtt-pub', ['-p', String(port), '-u', user, '-P', user, '-t', 'a', '-m', 'x', ...more]);

async function everythingWorks({ ports, folder }: Stage): Promise<void> {
  // At the same time, so that every thread that may hash is started.
  const codes = await Promise.all(
    HASHES.flatMap((kind) => [publish(ports.mqtt, kind), publish(ports.mqtt, kind)]),
  );
  expect(codes.map(({ code }) => code)).toEqual(HASHES.flatMap(() => [0, 0]));
  expect((await publish(ports.tls, 'sha512', '--cafile', authority)).code).toBe(0);
  expect((await publish(ports.websockets, 'sha512', '--ws')).code).toBe(0);
  const authorization = `Basic ${Buffer.from('argon2id:argon2id').toString('base64')}`;
  const metrics = await fetch(`http://127.0.0.1:${ports.http_api}/metrics`, { headers: { authorization } });
  expect(metrics.status).toBe(200);
  const socket = connect({ port: ports.mqtt, host: '127.0.0.1' });
  onTestFinished(() => void socket.destroy());
  const peer = new SocketPeer(socket, 5);
  const scram = new ScramClient(SCRAM_USER, SCRAM_USER);
  peer.send(connectPacket({ protocolVersion: 5, properties: authProperties(SCRAM, scram.first) }));
  peer.send(scram.answer(await peer.next(PacketType.AUTH)));
  expect(await peer.next(PacketType.CONNACK)).toMatchObject({ reasonCode: 0 });
  expect(readFileSync(path.join(folder, 'syslog'), 'utf8')).toMatch(/^New client connected/m);
}

describe.skipIf(!isRoot)(
  'after root is given up (needs root), with the program where its user cannot read it (B-13)',
  () => {
    test('everything that is loaded on demand works, before and after a reload', async () => {
      const at = await stage();
      writeFileSync(at.conf, everything(at));
      const broker = await start(at);
      await everythingWorks(at);
      process.kill(broker.pid, 'SIGHUP');
      await broker.line(/Reloading config\.$/, 'stderr');
      await everythingWorks(at);
      expect((await broker.kill()).stderr).not.toMatch(/Error/);
    });

    test('everything that only a reload asks for works', async () => {
      const at = await stage();
      writeFileSync(at.conf, nothing(at));
      const broker = await start(at);
      writeFileSync(at.conf, everything(at));
      // Done when it is in force: TLS at a listener that was plain.
      process.kill(broker.pid, 'SIGHUP');
      while ((await publish(at.ports.tls, 'sha512', '--cafile', authority)).code !== 0);
      await everythingWorks(at);
      await broker.kill();
    });
  },
);
