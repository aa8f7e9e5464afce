import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Connector, connect, type TlsOptions, tcp, tls } from '@tsmqtt/client';
import { beforeAll, describe, expect, test } from 'vitest';
import { type CertificateFiles, certificateFolder, encryptKey } from './support/certificates.js';
import { fakePeer } from './support/fake-peer.js';
import { temporaryFolder } from './support/folder.js';
import { startMosquitto } from './support/mosquitto.js';
import { describePeer } from './support/peers.js';
import {
  type Certificates,
  failed,
  failure,
  LOCALHOST,
  makeCertificates,
  publish,
  tlsBroker,
} from './support/tls-trials.js';

describePeer('openssl', 'TLS with certificates of OpenSSL', () => {
  const folder = certificateFolder();
  let made: Certificates;
  beforeAll(() => {
    made = makeCertificates(folder);
  });

  describePeer('mosquitto', 'and mosquitto', () => {
    describe('client certificates', () => {
      const required = (...more: readonly string[]): Promise<number> =>
        tlsBroker(made.good, `cafile ${made.ca.file}`, 'require_certificate true', ...more);
      const own = ({ cert, key }: CertificateFiles): Partial<TlsOptions> => ({
        caFile: made.ca.file,
        certFile: cert,
        keyFile: key,
      });

      test('a good one, with the trust of a file and of the OS store', async () => {
        const port = await required();
        await publish(port, own(made.client));
        const { caFile: _file, ...rest } = own(made.client);
        await publish(port, { ...rest, env: { SSL_CERT_FILE: made.ca.file } });
      });

      test.each([['TLSv1.2'], ['TLSv1.3']] as const)('none where one is required, %s', async (version) => {
        const port = await required();
        const options = { caFile: made.ca.file, minVersion: version, maxVersion: version };
        expect(await failure(publish(port, options))).toEqual(
          failed(
            /^the server (?:requires a client certificate|found no common ground: it requires a client)/,
          ),
        );
      });

      test.each([['TLSv1.2'], ['TLSv1.3']] as const)('one of another CA, %s', async (version) => {
        const port = await required();
        const stranger = made.otherCa.issue(`stranger-${version}`, { name: 'mallory' });
        const options = { ...own(stranger), minVersion: version, maxVersion: version };
        expect(await failure(publish(port, options))).toEqual(
          failed('the server rejected the client certificate: its CA is unknown there'),
        );
      });

      test('an expired one', async () => {
        const port = await required();
        const old = made.ca.issue('old-client', { name: 'alice', until: '20210101' });
        expect(await failure(publish(port, own(old)))).toEqual(
          failed('the server rejected the client certificate: it has expired'),
        );
      });

      test('a revoked one', async () => {
        const revoked = made.ca.issue('revoked', { name: 'bob' });
        made.ca.revoke(revoked);
        const port = await required(`crlfile ${made.ca.revocations()}`);
        expect(await failure(publish(port, own(revoked)))).toEqual(
          failed('the server rejected the client certificate: it has been revoked'),
        );
        await publish(port, own(made.client));
      });

      test.each([false, true])('an encrypted key, traditional: %s', async (traditional) => {
        const port = await required();
        const keyFile = encryptKey(made.client.key, 'sésame', traditional);
        const asked: unknown[] = [];
        const options: TlsOptions = {
          host: 'localhost',
          ...own(made.client),
          keyFile,
          passphrase: async (file) => {
            asked.push(file);
            return 'sésame';
          },
        };
        const connector = tls(tcp({ host: '127.0.0.1', port }), options);
        for (let attempt = 0; attempt < 2; attempt++) {
          const client = await connect({ connector });
          await client.end();
        }
        expect(asked).toEqual([keyFile]);
        const wrong = { ...options, passphrase: async () => 'x' };
        expect(await failure(publish(port, wrong))).toEqual({
          code: 'tls-setup',
          message: `the key ${keyFile} cannot be decrypted with this passphrase`,
        });
        const { passphrase: _asked, ...silent } = options;
        expect(await failure(publish(port, silent))).toEqual({
          code: 'tls-setup',
          message: `the key ${keyFile} needs a passphrase`,
        });
      });
    });

    test('aborted while the passphrase is asked for', async () => {
      const keyFile = encryptKey(made.client.key, 'secret');
      for (const answer of ['never', 'late'] as const) {
        const controller = new AbortController();
        const never = (): never => expect.fail('it connected');
        const connector = tls(never, {
          host: 'localhost',
          caFile: made.ca.file,
          certFile: made.client.cert,
          keyFile,
          passphrase: (_file, signal) =>
            new Promise((resolve, reject) => {
              signal.addEventListener('abort', () =>
                answer === 'late' ? resolve('secret') : reject(signal.reason),
              );
              controller.abort('enough');
            }),
        });
        await expect(connector(controller.signal)).rejects.toBe('enough');
      }
    });

    describe('what is agreed on', () => {
      test.each([
        ['TLS 1.3 only', '1.2', { minVersion: 'TLSv1.3' }],
        ['TLS 1.2 at most', '1.3', { maxVersion: 'TLSv1.2' }],
      ] as const)('%s, where the server has %s', async (_title, version, options) => {
        const port = await tlsBroker(made.good, `tls_version tlsv${version}`);
        const caFile = made.ca.file;
        const outcome = publish(port, { ...options, caFile });
        // mosquitto takes its tls_version for a minimum.
        if (version === '1.2') await outcome;
        else expect(await failure(outcome)).toEqual(failed('no TLS version in common with the server'));
      });

      test('ciphers of TLS 1.2 leave TLS 1.3 alone, and suites the other way round', async () => {
        const port = await tlsBroker(made.good);
        const caFile = made.ca.file;
        const seen = async (options: Partial<TlsOptions>): Promise<string> => {
          const connector = tls(tcp({ host: '127.0.0.1', port }), { host: 'localhost', caFile, ...options });
          const socket = await connector(new AbortController().signal);
          const { name, version } = (
            socket as unknown as { getCipher(): { name: string; version: string } }
          ).getCipher();
          socket.destroy();
          return `${version} ${name}`;
        };
        const ciphers = 'ECDHE-ECDSA-AES128-GCM-SHA256';
        expect(await seen({ ciphers })).toBe('TLSv1.3 TLS_AES_256_GCM_SHA384');
        expect(await seen({ ciphers, maxVersion: 'TLSv1.2' })).toBe(`TLSv1.2 ${ciphers}`);
        const cipherSuites = 'TLS_CHACHA20_POLY1305_SHA256';
        expect(await seen({ cipherSuites, minVersion: 'TLSv1.3' })).toBe(`TLSv1.3 ${cipherSuites}`);
      });

      test('no cipher in common', async () => {
        const port = await tlsBroker(made.good);
        const options = { caFile: made.ca.file, ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' } as const;
        expect(await failure(publish(port, { ...options, maxVersion: 'TLSv1.2' }))).toEqual(
          failed('the server found no common ground: it requires a client certificate or other ciphers'),
        );
      });

      test('the key log is appended to', async () => {
        const port = await tlsBroker(made.good);
        const keyLogFile = path.join(temporaryFolder({ keys: '# mine\n' }), 'keys');
        await publish(port, { caFile: made.ca.file, keyLogFile });
        await publish(port, { caFile: made.ca.file, keyLogFile, maxVersion: 'TLSv1.2' });
        const lines = readFileSync(keyLogFile, 'utf8').split('\n');
        expect(lines[0]).toBe('# mine');
        expect(lines.filter((line) => line.startsWith('CLIENT_TRAFFIC_SECRET_0 '))).toHaveLength(1);
        expect(lines.filter((line) => line.startsWith('CLIENT_RANDOM '))).toHaveLength(1);
      });
    });

    test('reconnecting goes on where the handshake was cut short, and ends where it was refused', async () => {
      const over = (port: number) =>
        tls(tcp({ host: '127.0.0.1', port }), { host: 'localhost', caFile: made.ca.file });
      const old = made.ca.issue('outdated', {
        name: 'localhost',
        alternatives: LOCALHOST,
        until: '20210101',
      });
      const first = await startMosquitto(`certfile ${made.good.cert}`, `keyfile ${made.good.key}`);
      const ways = [
        over(first.port),
        over(await fakePeer((socket) => socket.end())),
        over(await tlsBroker(old)),
      ];
      const seen: string[] = [];
      const client = await connect({
        connector: (signal) => (ways.shift() as Connector)(signal),
        reconnect: (_attempt, { code }) => {
          seen.push(code);
          return 1;
        },
      });
      await first.child.kill('SIGKILL');
      expect(await client.closed).toMatchObject({ code: 'tls-failed', message: 'certificate has expired' });
      expect(seen).toEqual(['connection-lost', 'tls-interrupted']);
    });

    test('a port without TLS', async () => {
      const { port } = await startMosquitto();
      expect(await failure(publish(port, { caFile: made.ca.file }))).toEqual({
        code: 'tls-interrupted',
        message: 'the server closed the connection during the TLS handshake',
      });
    });
  });

  test.each([
    [
      'a CA file that is not there',
      { caFile: '/nowhere' },
      'cannot read the CA file /nowhere: no such file or directory',
    ],
    ['a CA file without CA', { caFile: '/dev/null' }, 'the CA file /dev/null holds no certificate'],
    [
      'no CA directory',
      { caDirectory: '/nowhere' },
      'cannot read the CA directory /nowhere: no such file or directory',
    ],
    ['an empty CA directory', { caDirectory: '/dev/fd' }, 'the CA directory /dev/fd holds no certificate'],
    ['unknown ciphers', { ciphers: 'NO-SUCH' }, /^no cipher matches /],
    ['unknown suites', { cipherSuites: 'TLS_NO_SUCH' }, /^no cipher matches /],
    ['ciphers for suites', { cipherSuites: 'AES128-SHA' }, 'no cipher matches AES128-SHA'],
    [
      'no place for the key log',
      { keyLogFile: '/nowhere/log' },
      'cannot write the key log /nowhere/log: no such file or directory',
    ],
  ])('nothing is sent with %s', async (_title, options, message) => {
    const never = (): never => expect.fail('it connected');
    const connector = tls(never, { host: 'localhost', ...options });
    expect(await failure(connector(new AbortController().signal))).toEqual({
      code: 'tls-setup',
      message: typeof message === 'string' ? message : expect.stringMatching(message),
    });
  });

  test('nothing is sent with a certificate or key that is none, or with the key of another', async () => {
    const { ca, good, client } = made;
    const never = (): never => expect.fail('it connected');
    const outcome = (certFile: string, keyFile: string) =>
      failure(tls(never, { host: 'a', caFile: ca.file, certFile, keyFile })(new AbortController().signal));
    const setup = (message: string) => ({ code: 'tls-setup', message });
    expect(await outcome(good.cert, client.key)).toEqual(
      setup(`the key ${client.key} does not belong to the certificate ${good.cert}`),
    );
    expect(await outcome(good.key, good.key)).toEqual(
      setup(`the certificate ${good.key} is not a certificate in PEM`),
    );
    expect(await outcome(good.cert, good.cert)).toEqual(
      setup(`the key ${good.cert} is not a private key in PEM`),
    );
    expect(await outcome('/nowhere', good.key)).toEqual(
      setup('cannot read the certificate /nowhere: no such file or directory'),
    );
  });
});
