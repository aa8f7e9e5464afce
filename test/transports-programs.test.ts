import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import path from 'node:path';
import { createServer } from 'node:tls';
import { spawn } from '@lydell/node-pty';
import { tcp } from '@tsmqtt/client';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { certificateFolder, encryptKey, hashName } from './support/certificates.js';
import { type ChildOptions, type Ended, startChild } from './support/child.js';
import { temporaryFolder } from './support/folder.js';
import { freePort } from './support/free-port.js';
import { startMosquitto, startWebSocketMosquitto } from './support/mosquitto.js';
import { describePeer } from './support/peers.js';
import { programFile, runProgram } from './support/programs.js';
import { type Certificates, LOCALHOST, makeCertificates, tlsBroker } from './support/tls-trials.js';

const HOST = '127.0.0.1';

function pub(args: readonly string[], options: ChildOptions = {}): Promise<Ended> {
  return runProgram('tsmqtt-pub', args, options);
}

/** Publishes a retained message with tsmqtt-pub and gets it back with tsmqtt-sub, both over `transport`. */
async function thereAndBack(transport: readonly string[], options: ChildOptions = {}): Promise<void> {
  const text = `message ${Math.random()}`;
  const sent = await pub([...transport, '-t', 'a/b', '-m', text, '-r', '-q', '1'], options);
  expect({ code: sent.code, stderr: sent.stderr }).toEqual({ code: 0, stderr: '' });
  const got = await runProgram(
    'tsmqtt-sub',
    [...transport, '-t', 'a/#', '-v', '-C', '1', '-W', '10'],
    options,
  );
  expect({ code: got.code, stdout: got.stdout.toString(), stderr: got.stderr }).toEqual({
    code: 0,
    stdout: `a/b ${text}\n`,
    stderr: '',
  });
}

/** pub and sub fail alike. */
async function refused(transport: readonly string[], code: number, stderr: string | RegExp): Promise<void> {
  const expected = {
    code,
    stdout: '',
    stderr: typeof stderr === 'string' ? stderr : (expect.stringMatching(stderr) as string),
  };
  const sent = await pub([...transport, '-t', 'a', '-m', 'x']);
  expect({ code: sent.code, stdout: sent.stdout.toString(), stderr: sent.stderr }).toEqual(expected);
  const got = await runProgram('tsmqtt-sub', [...transport, '-t', 'a', '-W', '10']);
  expect({ code: got.code, stdout: got.stdout.toString(), stderr: got.stderr }).toEqual(expected);
}

const tlsError = (reason: string): string => `Unable to connect (A TLS error occurred: ${reason}).\n`;

describePeer('mosquitto', 'programs and mosquitto', () => {
  describePeer('openssl', 'over TLS (cli §9.3)', () => {
    const folder = certificateFolder();
    let made: Certificates;
    beforeAll(() => {
      made = makeCertificates(folder);
    });
    const at = (port: number): string[] => ['-h', 'localhost', '-p', String(port)];

    test('a certificate of the CA in a file, in a directory, in the OS store', async () => {
      const port = await tlsBroker(made.good);
      await thereAndBack([...at(port), '--cafile', made.ca.file]);
      await thereAndBack(['-h', HOST, '-p', String(port), '--cafile', made.ca.file]);
      const directory = temporaryFolder();
      writeFileSync(path.join(directory, hashName(made.ca.file)), readFileSync(made.ca.file));
      await thereAndBack([...at(port), '--capath', directory]);
      const env = { SSL_CERT_FILE: made.ca.file };
      await thereAndBack([...at(port), '--tls-use-os-certs'], { env });
      const sent = await pub(['-L', `mqtts://localhost:${port}/a`, '-m', 'x'], { env });
      expect([sent.code, sent.stderr]).toEqual([0, '']);
    });

    test('an expired certificate (P-10)', async () => {
      const old = made.ca.issue('old', { name: 'localhost', alternatives: LOCALHOST, until: '20210101' });
      const port = await tlsBroker(old);
      await refused([...at(port), '--cafile', made.ca.file], 1, tlsError('certificate has expired'));
      await thereAndBack([...at(port), '--cafile', made.ca.file, '--insecure']);
    });

    test('a certificate of another host, with the names that it has (P-10)', async () => {
      const other = made.ca.issue('other', { name: 'x', alternatives: 'DNS:broker.example,IP:192.0.2.1' });
      const port = await tlsBroker(other);
      const error = tlsError('certificate is for broker.example, 192.0.2.1, not for localhost');
      await refused([...at(port), '--cafile', made.ca.file], 1, error);
      await thereAndBack([...at(port), '--cafile', made.ca.file, '--insecure']);
    });

    test('a certificate of another CA; --insecure checks neither chain nor name (D-12)', async () => {
      const port = await tlsBroker(made.good);
      const error = tlsError('certificate of an unknown CA');
      await refused([...at(port), '--cafile', made.otherCa.file], 1, error);
      await refused([...at(port), '--tls-use-os-certs'], 1, error);
      await thereAndBack([...at(port), '--cafile', made.otherCa.file, '--insecure']);
      await thereAndBack([...at(port), '--tls-use-os-certs', '--insecure']);
    });

    test('client certificates, with the trust of a file and of the OS store (D-12)', async () => {
      const port = await tlsBroker(made.good, `cafile ${made.ca.file}`, 'require_certificate true');
      const own = ['--cert', made.client.cert, '--key', made.client.key];
      await thereAndBack([...at(port), '--cafile', made.ca.file, ...own]);
      await thereAndBack([...at(port), '--cafile', made.ca.file, ...own, '--keyform', 'PEM']);
      const env = { SSL_CERT_FILE: made.ca.file };
      await thereAndBack([...at(port), '--tls-use-os-certs', ...own], { env });
      await refused(
        [...at(port), '--cafile', made.ca.file],
        1,
        tlsError('the server requires a client certificate'),
      );
      const stranger = made.otherCa.issue('stranger', { name: 'mallory' });
      await refused(
        [...at(port), '--cafile', made.ca.file, '--cert', stranger.cert, '--key', stranger.key],
        1,
        tlsError('the server rejected the client certificate: its CA is unknown there'),
      );
      await refused(
        [...at(port), '--cafile', made.ca.file, '--cert', stranger.cert, '--key', made.client.key],
        1,
        tlsError(`the key ${made.client.key} does not belong to the certificate ${stranger.cert}`),
      );
    });

    describe('the passphrase of an encrypted key', () => {
      /** tsmqtt-pub on a terminal of its own, with something else on standard input. */
      async function onTerminal(args: readonly string[], keys: string) {
        const command =
          'echo line | "$@"; code=$?; stty -a | grep -qw -e "-echo" -e "-icanon" && echo "[raw]"; exit $code';
        const program = [process.execPath, programFile('tsmqtt-pub'), ...args];
        const pty = spawn('/bin/sh', ['-c', command, 'sh', ...program], { cols: 500 });
        onTestFinished(() => pty.kill('SIGKILL'));
        let screen = '';
        pty.onData((text) => {
          const before = screen;
          screen += text;
          if (screen.includes('phrase:') && !before.includes('phrase:')) pty.write(keys);
        });
        const code = await new Promise<number>((resolve) => pty.onExit(({ exitCode }) => resolve(exitCode)));
        return { code, screen: screen.replaceAll('\r\n', '\n') };
      }

      test('is asked for on the terminal, not on standard input', async () => {
        const port = await tlsBroker(made.good, `cafile ${made.ca.file}`, 'require_certificate true');
        const key = encryptKey(made.client.key, 'sésame');
        const own = [...at(port), '--cafile', made.ca.file, '--cert', made.client.cert, '--key', key];
        const args = [...own, '-t', 'a', '-l', '-q', '1'];
        // --quiet: a slow connection would show a spinner.
        expect(await onTerminal([...args, '--quiet'], 'sésamx\u007fe\r')).toEqual({
          code: 0,
          screen: 'Enter PEM pass phrase:\n',
        });
        const wrong = await onTerminal(args, 'x\r');
        expect(wrong.code).toBe(1);
        expect(wrong.screen).toContain(`the key ${key} cannot be decrypted with this passphrase).`);
        // What can be found wrong without it is found first.
        const missing = await onTerminal([...args, '--cafile', '/nonexistent'], '');
        expect(missing.screen).toMatch(/^(?:(?!phrase).)+: Problem setting TLS options: File not found\.\n$/);
        expect(await onTerminal(args, '\u0003')).toEqual({ code: 130, screen: 'Enter PEM pass phrase:\n' });
      });

      test('without a terminal there is nobody to ask', async () => {
        const key = encryptKey(made.client.key, 'secret', true);
        const args = ['--cafile', made.ca.file, '--cert', made.client.cert, '--key', key, '-t', 'a', '-n'];
        const child = startChild('setsid', ['-w', process.execPath, programFile('tsmqtt-pub'), ...args], {
          input: '',
        });
        const { code, stderr } = await child.ended;
        expect([code, stderr]).toEqual([1, tlsError(`the key ${key} needs a passphrase`)]);
      });
    });

    test('versions, ciphers and ALPN', async () => {
      const port = await tlsBroker(made.good, 'tls_version tlsv1.2');
      const trusted = [...at(port), '--cafile', made.ca.file];
      await thereAndBack([...trusted, '--tls-version', 'tlsv1.2']);
      // D-12: any case.
      await thereAndBack([...trusted, '--tls-version', 'TLSv1.2', '--tls-alpn', 'mqtt']);
      await thereAndBack([...trusted, '--ciphers', 'ECDHE-ECDSA-AES128-GCM-SHA256']);
      const newer = await tlsBroker(made.good, 'tls_version tlsv1.3');
      const suite = ['--tls-version', 'tlsv1.3', '--ciphers', 'TLS_AES_256_GCM_SHA384'];
      // T-51: tlsv1.2 is the least.
      await thereAndBack([...at(newer), '--cafile', made.ca.file, '--tls-version', 'tlsv1.2']);
      await thereAndBack([...at(newer), '--cafile', made.ca.file, ...suite]);
    });

    test('--tls-version tlsv1.3 takes nothing older', async () => {
      const [cert, key] = [readFileSync(made.good.cert), readFileSync(made.good.key)];
      const server = createServer({ cert, key, maxVersion: 'TLSv1.2' }).on('tlsClientError', () => {});
      await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
      onTestFinished(() => void server.close());
      await refused(
        [...at((server.address() as AddressInfo).port), '--cafile', made.ca.file, '--tls-version', 'tlsv1.3'],
        1,
        tlsError('no TLS version in common with the server'),
      );
    });

    test('the key log is for any kind of TLS, and harmless without (D-18)', async () => {
      const log = path.join(temporaryFolder(), 'keys');
      const port = await tlsBroker(made.good);
      const env = { SSL_CERT_FILE: made.ca.file };
      const sent = await pub([...at(port), '--tls-use-os-certs', '--tls-keylog', log, '-t', 'a', '-n'], {
        env,
      });
      expect([sent.code, sent.stderr]).toEqual([0, '']);
      expect(readFileSync(log, 'latin1')).toMatch(/^CLIENT_TRAFFIC_SECRET_0 [0-9a-f]{64} [0-9a-f]+$/m);
      const plain = await startMosquitto();
      const other = path.join(path.dirname(log), 'none');
      await thereAndBack([...at(plain.port), '--tls-keylog', other]);
      expect(existsSync(other)).toBe(false);
    });

    test('--no-tls: plain text, whatever else is said', async () => {
      const { port } = await startMosquitto();
      await thereAndBack([...at(port), '--cafile', '/nonexistent', '--no-tls']);
      const url = await pub(['-L', `mqtts://localhost:${port}/a`, '-m', 'x', '--no-tls']);
      expect([url.code, url.stderr]).toEqual([0, '']);
    });

    test('TLS where there is none, and none where there is', async () => {
      const { port } = await startMosquitto();
      await refused(
        [...at(port), '--cafile', made.ca.file],
        1,
        /^Unable to connect \(A TLS error occurred: .+\)\.\n$/,
      );
      const secure = await tlsBroker(made.good);
      const sent = await pub([...at(secure), '-t', 'a', '-n']);
      expect([sent.code, sent.stderr]).toEqual([7, 'Error: The connection was lost\n']);
    });

    test('tsmqtt-rr, too: over TLS, WebSocket and both, by options and by URL', async () => {
      const secure = [`certfile ${made.good.cert}`, `keyfile ${made.good.key}`];
      const tls = await startMosquitto(...secure);
      const ws = await startWebSocketMosquitto();
      const wss = await startWebSocketMosquitto(...secure);
      const routes = [
        [...at(tls.port), '-t', 'a', '--cafile', made.ca.file],
        [...at(ws.port), '-t', 'a', '--ws'],
        ['-L', `wss://localhost:${wss.port}/a`],
      ];
      for (const route of routes) {
        // It hears its own request, which has the right correlation data.
        const { code, stdout, stderr } = await runProgram(
          'tsmqtt-rr',
          [...route, '-e', 'a', '-m', 'echo', '-W', '10'],
          { env: { SSL_CERT_FILE: made.ca.file } },
        );
        expect([code, stdout.toString(), stderr]).toEqual([0, 'echo\n', '']);
      }
    });

    test('over a Unix socket names mean nothing', async () => {
      const file = path.join(temporaryFolder(), 'm.sock');
      await startMosquitto(`listener 0 ${file}`, `certfile ${made.good.cert}`, `keyfile ${made.good.key}`);
      await thereAndBack(['--unix', file, '--cafile', made.ca.file]);
    });

    describePeer('microsocks', 'everything over everything', () => {
      test('WebSocket over TLS through SOCKS5, from a URL, with a client certificate', async () => {
        const { port } = await startWebSocketMosquitto(
          `certfile ${made.good.cert}`,
          `keyfile ${made.good.key}`,
          `cafile ${made.ca.file}`,
          'require_certificate true',
        );
        const proxy = await startMicrosocks('-u', 'u', '-P', 'p@ss');
        const own = ['--cert', made.client.cert, '--key', made.client.key];
        const route = ['--proxy', `socks5h://u:p%40ss@${HOST}:${proxy}`, ...own];
        await thereAndBack([...at(port), '--ws', '--cafile', made.ca.file, ...route]);
        const env = { SSL_CERT_FILE: made.ca.file };
        const url = ['-L', `wss://localhost:${port}/u/r/l`, ...route];
        const sent = await pub([...url, '-m', 'x', '-r'], { env });
        expect([sent.code, sent.stderr]).toEqual([0, '']);
        const got = await runProgram('tsmqtt-sub', [...url, '-C', '1', '-W', '10'], { env });
        expect([got.code, got.stdout.toString(), got.stderr]).toEqual([0, 'x\n', '']);
      });
    });
  });

  test('over TLS with a pre-shared key', async () => {
    const folder = temporaryFolder({ psk: 'me:00ab\n' });
    const { port } = await startMosquitto('psk_hint hint', `psk_file ${path.join(folder, 'psk')}`);
    const at = ['-h', HOST, '-p', String(port), '--psk-identity', 'me'];
    await thereAndBack([...at, '--psk', '00AB']);
    await thereAndBack([...at, '--psk', '00ab', '--ciphers', 'PSK-AES256-GCM-SHA384']);
    const log = path.join(folder, 'keys');
    const logged = await pub([...at, '--psk', '00ab', '--tls-keylog', log, '-t', 'a', '-n']);
    expect([logged.code, logged.stderr]).toEqual([0, '']);
    expect(readFileSync(log, 'latin1')).toMatch(/^CLIENT_RANDOM [0-9a-f]{64} [0-9a-f]{96}$/m);
    await refused(
      [...at, '--psk', 'ffff'],
      1,
      /^Unable to connect \(A TLS error occurred: the server .+\)\.\n$/,
    );
  });

  test('over a Unix socket', async () => {
    const file = path.join(temporaryFolder(), 'm.sock');
    await startMosquitto(`listener 0 ${file}`);
    await thereAndBack(['--unix', file]);
    await thereAndBack(['-h', file, '-p', '0', '-A', 'ignored.invalid', '--nodelay']);
  });

  test('over WebSocket, with the properties of CONNECT (D-11)', async () => {
    const { port } = await startWebSocketMosquitto();
    await thereAndBack(['-h', HOST, '-p', String(port), '--ws']);
    await thereAndBack(['-h', HOST, '-p', String(port), '--ws', '--ws-path', '/x?y', '--ws-header', 'A: b']);
    await thereAndBack([
      '-h',
      HOST,
      '-p',
      String(port),
      '--ws',
      '-x',
      '5',
      '-D',
      'connect',
      'user-property',
      'a',
      'b',
    ]);
    const sent = await pub(['-L', `ws://${HOST}:${port}/a`, '-m', 'x']);
    expect([sent.code, sent.stderr]).toEqual([0, '']);
  });

  test('from a local address', async () => {
    const { port, child } = await startMosquitto();
    await thereAndBack(['-h', HOST, '-p', String(port), '-A', '127.0.0.7']);
    expect(child.stderr).toContain('127.0.0.7');
  });

  describePeer('microsocks', 'through SOCKS5 (cli §9.5)', () => {
    test('with and without a password', async () => {
      const { port } = await startMosquitto();
      const at = ['-h', 'localhost', '-p', String(port)];
      await thereAndBack([...at, '--proxy', `socks5h://${HOST}:${await startMicrosocks()}`]);
      const proxy = await startMicrosocks('-u', 'u', '-P', 'p');
      await thereAndBack([...at, '--proxy', `socks5h://u:p@${HOST}:${proxy}`]);
      await refused([...at, '--proxy', `socks5h://u:x@${HOST}:${proxy}`], 16, 'Error: Proxy error\n');
      await refused([...at, '--proxy', `socks5h://${HOST}:${proxy}`], 11, 'Error: Authorisation failed\n');
    });

    test('pub does not wait for a broker that is not there', async () => {
      const at = ['-h', HOST, '-p', String(await freePort())];
      const sent = await pub([
        ...at,
        '--proxy',
        `socks5h://${HOST}:${await startMicrosocks()}`,
        '-t',
        'a',
        '-n',
      ]);
      expect([sent.code, sent.stderr]).toEqual([4, 'Error: The client is not currently connected\n']);
    });
  });

  test('sub waits for a broker that the proxy does not reach yet (cli §9.5)', async () => {
    const broker = await startMosquitto();
    const proxy = await reachingLater(broker.port);
    const at = ['-h', HOST, '-p', String(broker.port)];
    expect((await pub([...at, '-t', 'a', '-m', 'x', '-r'])).code).toBe(0);
    const route = [...at, '--proxy', `socks5h://${HOST}:${proxy}`];
    const got = await runProgram('tsmqtt-sub', [...route, '-t', 'a', '-C', '1']);
    const name = `${HOST}:${broker.port}`;
    expect([got.code, got.stdout.toString(), got.stderr]).toEqual([
      0,
      'x\n',
      `Warning: Connection to ${name} was lost (the proxy's connection was refused); reconnecting.\n` +
        `Warning: Connection to ${name} is back.\n`,
    ]);
  });
});

/** A SOCKS5 proxy that says "connection refused" to the first who comes, and leads the others to this port. */
async function reachingLater(port: number): Promise<number> {
  let connections = 0;
  const server = createTcpServer((socket) => {
    const reply = ++connections === 1 ? 5 : 0;
    socket
      .on('error', () => {})
      .once('data', () => {
        socket.write(Buffer.from([5, 0]));
        socket.once('data', () => {
          socket.write(Buffer.from([5, reply, 0, 1, 0, 0, 0, 0, 0, 0]));
          if (reply !== 0) return;
          const broker = connect(port, HOST).on('error', () => socket.destroy());
          socket.pipe(broker).pipe(socket);
        });
      });
  });
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

async function startMicrosocks(...args: readonly string[]): Promise<number> {
  const port = await freePort();
  startChild('microsocks', ['-i', HOST, '-p', String(port), ...args]);
  // It says nothing when it is ready: ask until it answers.
  const probe = tcp({ host: HOST, port });
  for (;;) {
    const open = await probe(new AbortController().signal).catch(() => undefined);
    open?.destroy();
    if (open !== undefined) return port;
  }
}
