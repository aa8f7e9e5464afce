import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { certificateFolder, hashName, selfSigned } from './support/certificates.js';
import { temporaryFolder } from './support/folder.js';
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

describePeer('openssl', "the server's certificate, made by OpenSSL", () => {
  const folder = certificateFolder();
  let made: Certificates;
  beforeAll(() => {
    made = makeCertificates(folder);
  });

  describePeer('mosquitto', 'and mosquitto', () => {
    describe('trust', () => {
      test.each(['localhost', '127.0.0.1'])('a CA file, by %s', async (host) => {
        const port = await tlsBroker(made.good);
        await publish(port, { host, caFile: made.ca.file });
        await publish(port, { host, caFile: Buffer.from(made.ca.file) });
      });

      test('a CA file with several CAs and words between them', async () => {
        const both = path.join(temporaryFolder(), 'both.pem');
        const text = [made.otherCa, made.ca].map(({ file }) => `# Größe\r\n${readFileSync(file)}`).join('');
        writeFileSync(both, text);
        await publish(await tlsBroker(made.good), { caFile: both });
      });

      test.each([
        ['by hash', (ca: string) => hashName(ca)],
        ['by .pem', () => 'ca.pem'],
        ['by .crt', () => 'ca.crt'],
      ])('a CA directory, %s', async (_title, name) => {
        const directory = temporaryFolder({ 'readme.txt': 'no CA', 'junk.pem': 'no CA either' });
        copyFileSync(made.ca.file, path.join(directory, name(made.ca.file)));
        symlinkSync('gone', path.join(directory, '00000000.0'));
        await publish(await tlsBroker(made.good), { caDirectory: directory });
      });

      test('CA file and CA directory add up', async () => {
        const directory = temporaryFolder();
        copyFileSync(made.ca.file, path.join(directory, 'ca.pem'));
        const port = await tlsBroker(made.good);
        await publish(port, { caFile: made.otherCa.file, caDirectory: directory });
      });

      test.each([
        ['SSL_CERT_FILE', () => ({ SSL_CERT_FILE: made.ca.file })],
        [
          'SSL_CERT_DIR',
          () => ({ SSL_CERT_DIR: `${path.join(folder, 'cas')}:${path.dirname(made.otherCa.file)}` }),
        ],
      ])('the OS store with %s', async (_title, env) => {
        mkdirSync(path.join(folder, 'cas'), { recursive: true });
        copyFileSync(made.ca.file, path.join(folder, 'cas', hashName(made.ca.file)));
        const port = await tlsBroker(made.good);
        await publish(port, { osStore: true, env: env() });
        await publish(port, { env: env() });
        await publish(port, { osStore: true, caFile: made.otherCa.file, env: env() });
      });

      test('the OS store alone does not trust a CA of ours', async () => {
        const port = await tlsBroker(made.good);
        expect(await failure(publish(port, { osStore: true, env: {} }))).toEqual(
          failed('certificate of an unknown CA'),
        );
      });
    });

    describe("what is wrong with the server's certificate", () => {
      test('another CA', async () => {
        const port = await tlsBroker(made.good);
        expect(await failure(publish(port, { caFile: made.otherCa.file }))).toEqual(
          failed('certificate of an unknown CA'),
        );
        await publish(port, { caFile: made.otherCa.file, insecure: true });
      });

      test('expired, and not valid yet', async () => {
        const old = made.ca.issue('old', { name: 'localhost', alternatives: LOCALHOST, until: '20210101' });
        const port = await tlsBroker(old);
        const caFile = made.ca.file;
        expect(await failure(publish(port, { caFile }))).toEqual(failed('certificate has expired'));
        await publish(port, { caFile, insecure: true });
        const early = { name: 'localhost', alternatives: LOCALHOST, from: '20480101' };
        const young = await tlsBroker(made.ca.issue('young', early));
        expect(await failure(publish(young, { caFile }))).toEqual(failed('certificate is not valid yet'));
      });

      test('another host', async () => {
        const names = { name: 'a', alternatives: 'DNS:mqtt.example,DNS:*.mqtt.example,IP:192.0.2.1' };
        const port = await tlsBroker(made.ca.issue('elsewhere', names));
        const caFile = made.ca.file;
        for (const host of ['localhost', '127.0.0.1', 'a.b.mqtt.example']) {
          expect(await failure(publish(port, { host, caFile }))).toEqual(
            failed(`certificate is for mqtt.example, *.mqtt.example, 192.0.2.1, not for ${host}`),
          );
        }
        for (const host of ['mqtt.example', 'a.mqtt.example', 'MQTT.example', '192.0.2.1']) {
          await publish(port, { host, caFile });
        }
        await publish(port, { caFile, insecure: true });
      });

      test('another host, known by its common name', async () => {
        const port = await tlsBroker(made.ca.issue('plain', { name: 'plain.example' }));
        const caFile = made.ca.file;
        expect(await failure(publish(port, { caFile }))).toEqual(
          failed('certificate is for plain.example, not for localhost'),
        );
        await publish(port, { host: 'plain.example', caFile });
      });

      test('self-signed', async () => {
        const own = selfSigned(folder, 'own', LOCALHOST);
        const port = await tlsBroker(own);
        expect(await failure(publish(port, { caFile: made.ca.file }))).toEqual(
          failed('self-signed certificate, which is not among the trusted ones'),
        );
        await publish(port, { caFile: own.cert });
      });

      test('meant for clients', async () => {
        const port = await tlsBroker(made.client);
        expect(await failure(publish(port, { host: 'alice', caFile: made.ca.file }))).toEqual(
          failed('certificate is not meant for servers'),
        );
      });
    });
  });
});
