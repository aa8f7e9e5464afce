import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { connect } from 'node:tls';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { SocketClient } from '../packages/broker/test/socket-client.js';
import { startBrokerProcess } from './support/brokers.js';
import {
  type Authority,
  type CertificateFiles,
  certificateFolder,
  createAuthority,
} from './support/certificates.js';
import { type Child, type Ended, startChild } from './support/child.js';
import { temporaryFolder } from './support/folder.js';
import { freePort } from './support/free-port.js';
import { describePeer, findPeer } from './support/peers.js';

const folder = certificateFolder();
let own: Authority;
let server: CertificateFiles;
let stranger: CertificateFiles;
let client: CertificateFiles;
let expired: CertificateFiles;
let foreign: CertificateFiles;
let revoked: CertificateFiles;

beforeAll(() => {
  own = createAuthority(folder, 'own');
  server = own.issue('server', { name: 'localhost', alternatives: 'DNS:localhost,IP:127.0.0.1' });
  stranger = own.issue('stranger', { name: 'elsewhere', alternatives: 'DNS:elsewhere' });
  client = own.issue('client', { name: 'device 7' });
  expired = own.issue('expired', { name: 'expired', until: '20210101' });
  foreign = createAuthority(folder, 'foreign').issue('foreign', { name: 'foreign' });
  revoked = own.issue('revoked', { name: 'revoked' });
  own.revoke(revoked);
});

const tls = (files: CertificateFiles = server): string[] => [
  `certfile ${files.cert}`,
  `keyfile ${files.key}`,
];
const mutual = (): string[] => [...tls(), `cafile ${own.file}`, 'require_certificate true'];

interface Listening {
  readonly port: number;
  readonly file: string;
  readonly child: Child;
}

/** A configuration of one listener with these options; `above` stands before it. */
async function configure(
  options: readonly string[],
  above: readonly string[] = [],
): Promise<Omit<Listening, 'child'>> {
  const port = await freePort();
  const file = path.join(temporaryFolder(), 'broker.conf');
  // Root would become a user who may not read the test's files.
  const user = process.getuid?.() === 0 ? ['user root'] : [];
  writeFileSync(
    file,
    `${[...user, ...above, `listener ${port}`, 'listener_allow_anonymous true', ...options].join('\n')}\n`,
  );
  return { port, file };
}

async function start(
  options: readonly string[],
  above: readonly string[] = [],
  ...args: readonly string[]
): Promise<Listening> {
  const at = await configure(options, above);
  const child = startBrokerProcess('tsmqtt-broker', ['-c', at.file, ...args]);
  await child.line(/version \S+ running$/, 'stderr');
  return { ...at, child };
}

const run = (program: string, ...args: readonly string[]): Promise<Ended> => startChild(program, args).ended;
const trust = (): string[] => ['--cafile', own.file];
const holding = ({ cert, key }: CertificateFiles): string[] => ['--cert', cert, '--key', key];

describePeer('mosquitto_pub', "Debian's mosquitto_pub and mosquitto_sub over TLS", (mosquittoPub) => {
  const mosquittoSub = findPeer('mosquitto_sub') ?? 'mosquitto_sub';
  const at = ({ port }: Listening): string[] => ['-h', 'localhost', '-p', String(port)];
  const publish = (broker: Listening, ...args: readonly string[]): Promise<Ended> =>
    run(mosquittoPub, ...at(broker), '-t', 'a', '-q', '1', '-m', 'hello', ...args);
  const MODES = ['--tls-version tlsv1.2', '--tls-version tlsv1.3', '-V 5', '-V 31'];

  test.each(MODES)('there and back: %s', async (mode) => {
    const broker = await start(mutual());
    const more = [...trust(), ...holding(client), ...mode.split(' ')];
    expect((await publish(broker, ...more, '-r')).code).toBe(0);
    const received = await run(mosquittoSub, ...at(broker), ...more, '-t', '#', '-C', '1', '-v');
    expect(received).toMatchObject({ code: 0, stdout: Buffer.from('a hello\n') });
    await broker.child.line(/^\d+: Client \S+ negotiated TLSv1\.[23] cipher TLS_/, 'stderr');
  });

  test('the name of the server is looked at by the client', async () => {
    const broker = await start(tls(stranger));
    expect((await publish(broker, ...trust())).code).not.toBe(0);
    expect((await publish(broker, ...trust(), '--insecure')).code).toBe(0);
  });

  test.each(['expired', 'foreign', 'revoked', 'none'] as const)('a certificate that is %s', async (which) => {
    const broker = await start([...mutual(), `crlfile ${own.revocations()}`]);
    const files = { expired, foreign, revoked };
    const more = which === 'none' ? [] : holding(files[which]);
    expect((await publish(broker, ...trust(), ...more)).code).not.toBe(0);
    const words = which === 'none' ? /peer did not return a certificate/ : /certificate verify failed/;
    await broker.child.line(words, 'stderr');
    expect((await publish(broker, ...trust(), ...holding(client))).code).toBe(0);
  });

  test('the certificate is the username', async () => {
    const broker = await start([...mutual(), 'use_identity_as_username true']);
    expect((await publish(broker, ...trust(), ...holding(client), '-u', 'liar', '-P', 'x')).code).toBe(0);
    await broker.child.line(/New client connected .*, u'device 7'\)\.$/, 'stderr');
  });

  test('no certificate is asked for, and so nobody has a name (broker T-15)', async () => {
    const broker = await start([...tls(), `cafile ${own.file}`, 'use_identity_as_username true']);
    for (const [version, code] of [
      ['311', 4],
      ['5', 134],
    ] as const) {
      const ended = await publish(broker, ...trust(), ...holding(client), '-V', version);
      expect(ended.code).toBe(code);
    }
  });

  test('a TLS client at a plain listener', async () => {
    const broker = await start([]);
    expect((await publish(broker, ...trust())).code).not.toBe(0);
    await broker.child.line(
      /Client from \S+:\d+ appears to be using TLS to connect to a non-TLS listener\.$/,
      'stderr',
    );
  });

  test('a plain client at a TLS listener', async () => {
    const broker = await start(tls());
    expect((await publish(broker)).code).not.toBe(0);
    await broker.child.line(/disconnected: TLS handshake failed: wrong version number\.$/, 'stderr');
  });

  test.each(['00ab12cd', 'abc', 'f'.repeat(64)])('TLS-PSK with the key %s', async (key) => {
    const file = path.join(temporaryFolder({ psk: `me:${key}\n` }), 'psk');
    const broker = await start(['psk_hint hint', 'use_identity_as_username true'], [`psk_file ${file}`]);
    expect((await publish(broker, '--psk-identity', 'me', '--psk', key)).code).toBe(0);
    await broker.child.line(/New client connected .*, u'me'\)\.$/, 'stderr');
    await broker.child.line(/negotiated TLSv1\.2 cipher TLS_\w*PSK/, 'stderr');
    expect((await publish(broker, '--psk-identity', 'me', '--psk', '99')).code).not.toBe(0);
    expect((await publish(broker, '--psk-identity', 'you', '--psk', key)).code).not.toBe(0);
  });

  test('a hang-up reads certificates again, and leaves the old in force where they are broken (broker B-1)', async () => {
    const at1 = temporaryFolder();
    const current = { cert: path.join(at1, 'cert'), key: path.join(at1, 'key') };
    const use = (files: CertificateFiles): void => {
      writeFileSync(current.cert, readFileSync(files.cert));
      writeFileSync(current.key, readFileSync(files.key));
    };
    use(stranger);
    const broker = await start(tls(current));
    expect((await publish(broker, ...trust())).code).not.toBe(0);
    /** A client that stays, and the name in the certificate that it was shown. */
    const stays = async (): Promise<{ peer: SocketClient; shown: string | undefined }> => {
      const socket = connect({ host: '127.0.0.1', port: broker.port, rejectUnauthorized: false });
      onTestFinished(() => void socket.destroy());
      const peer = SocketClient.on(socket);
      await peer.introduce({ clientId: '' });
      return { peer, shown: socket.getPeerX509Certificate()?.subject };
    };
    const hangUp = (): unknown => process.kill(broker.child.pid, 'SIGHUP');
    const before = await stays();
    expect(before.shown).toBe('CN=elsewhere');
    use(server);
    hangUp();
    await broker.child.line(/Reloading config\.$/, 'stderr');
    while ((await publish(broker, ...trust())).code !== 0);
    const after = await stays();
    expect(after.shown).toBe('CN=localhost');
    await before.peer.ping();

    // Each of them broken for itself: the log says so, and everything stays as it was.
    const breakages: [string, string, RegExp][] = [
      [current.cert, 'garbage', /Error: Unable to load server certificate ".*"\. Check certfile\./],
      [
        current.key,
        readFileSync(client.key, 'utf8'),
        /Error: Unable to load server key file ".*"\. Check keyfile\./,
      ],
    ];
    for (const [file, content, error] of breakages) {
      use(server);
      writeFileSync(file, content);
      hangUp();
      await broker.child.line(error, 'stderr');
      expect((await stays()).shown).toBe('CN=localhost');
    }
    await before.peer.ping();
    await after.peer.ping();
  });
});

describe('the program', () => {
  test.each([
    [
      'certfile',
      () => [`certfile ${folder}/none`, `keyfile ${server.key}`],
      `Unable to load server certificate "`,
    ],
    [
      'keyfile',
      () => [`certfile ${server.cert}`, `keyfile ${client.key}`],
      `Unable to load server key file "`,
    ],
    [
      'cafile',
      () => [...tls(), 'cafile /dev/null'],
      'Unable to load CA certificates. Check cafile "/dev/null".',
    ],
    ['tls_version', () => [...tls(), 'tls_version x'], 'Unsupported tls_version "x".'],
  ] as const)(
    'ends with 1 and one line for a bad %s, which --test-config does not look at',
    async (_what, options, text) => {
      const { file } = await configure(options());
      const ended = await startBrokerProcess('tsmqtt-broker', ['-c', file]).ended;
      expect(ended.code).toBe(1);
      expect(ended.stderr.split('\n').filter((line) => /Error/.test(line))).toEqual([
        expect.stringContaining(`Error: ${text}`),
      ]);
      expect((await startBrokerProcess('tsmqtt-broker', ['-c', file, '--test-config']).ended).code).toBe(0);
    },
  );

  test('ends with 3 for a bad key in psk_file', async () => {
    const psk = path.join(temporaryFolder({ psk: 'me:xyz\n' }), 'psk');
    const { file } = await configure(['psk_hint h'], [`psk_file ${psk}`]);
    const ended = await startBrokerProcess('tsmqtt-broker', ['-c', file]).ended;
    expect(ended.code).toBe(3);
    expect(ended.stderr).toContain('Error: psk for identity "me" contains non-hexadecimal characters.');
  });

  test('writes --tls-keylog', async () => {
    const keys = path.join(temporaryFolder(), 'keys');
    const broker = await start(tls(), [], '--tls-keylog', keys);
    expect(statSync(keys).mode & 0o777).toBe(0o600);
    const socket = connect({ host: '127.0.0.1', port: broker.port, rejectUnauthorized: false });
    onTestFinished(() => void socket.destroy());
    await once(socket, 'secureConnect');
    expect(readFileSync(keys, 'utf8')).toMatch(/^SERVER_HANDSHAKE_TRAFFIC_SECRET [0-9a-f]+ [0-9a-f]+$/m);
    await broker.child.line(/TLS key logging to file \S+ is on\.$/, 'stderr');
  });
});

describePeer('openssl', 'openssl s_client', (openssl) => {
  const client1 = (broker: Listening, ...args: readonly string[]): Promise<Ended> =>
    startChild(openssl, ['s_client', '-connect', `127.0.0.1:${broker.port}`, '-CAfile', own.file, ...args], {
      input: '',
    }).ended;

  test('sees the whole chain, no compression, no renegotiation', async () => {
    const broker = await start(tls());
    const { stdout } = await client1(broker, '-tls1_2');
    expect(stdout.toString()).toContain('Verify return code: 0 (ok)');
    expect(stdout.toString()).toContain('Compression: NONE');
    const again = await startChild(openssl, ['s_client', '-connect', `127.0.0.1:${broker.port}`, '-tls1_2'], {
      input: 'R\n',
    }).ended;
    expect(again.stderr).toMatch(/no renegotiation/);
  });

  test('is told which authorities count', async () => {
    const broker = await start(mutual());
    expect((await client1(broker)).stdout.toString()).toMatch(
      /Acceptable client certificate CA names\nCN ?= ?own/,
    );
  });

  // OpenSSL's default security level has no TLS 1.1; whoever wants it says so twice.
  const OLD = 'ciphers DEFAULT:@SECLEVEL=0';
  // biome-ignore format: one row a line
  const VERSIONS: readonly (readonly [options: string[], accepted: string[]])[] = [
    [[], ['-tls1_2', '-tls1_3']],
    [[OLD], ['-tls1_2', '-tls1_3']],
    [['tls_version tlsv1.1'], ['-tls1_2', '-tls1_3']],
    [['tls_version tlsv1.1', OLD], ['-tls1_1', '-tls1_2', '-tls1_3']],
    [['tls_version tlsv1.2', OLD], ['-tls1_2', '-tls1_3']],
    [['tls_version tlsv1.3', OLD], ['-tls1_3']],
  ];
  const NAMES: Readonly<Record<string, string>> = {
    '-tls1_1': 'TLSv1.1',
    '-tls1_2': 'TLSv1.2',
    '-tls1_3': 'TLSv1.3',
  };
  test.each(VERSIONS)('%j: %j get in, and nobody else (broker §3.3)', async (options, accepted) => {
    const broker = await start([...tls(), ...options]);
    for (const version of ['-tls1', '-tls1_1', '-tls1_2', '-tls1_3']) {
      const args = [
        's_client',
        '-connect',
        `127.0.0.1:${broker.port}`,
        '-ign_eof',
        '-CAfile',
        own.file,
        version,
      ];
      const child = startChild(openssl, [...args, '-cipher', 'ALL:@SECLEVEL=0', '-quiet']);
      // CONNECT and DISCONNECT: the broker ends the connection.
      child.stdin.write(Buffer.from(`100c00044d515454040200000000${'e000'}`, 'hex'));
      const { stdout } = await child.ended;
      expect([version, stdout.toString('hex')]).toEqual([
        version,
        accepted.includes(version) ? '20020000' : '',
      ]);
    }
    for (const version of accepted) {
      await broker.child.line(new RegExp(`negotiated ${NAMES[version]} cipher TLS_`), 'stderr');
    }
    const warning = /Warning: tls_version tlsv1\.1 is insecure/;
    expect(warning.test(broker.child.stderr)).toBe(options.includes('tls_version tlsv1.1'));
  });
});
