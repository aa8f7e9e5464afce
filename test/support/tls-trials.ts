import { type Client, type ClientError, connect, type TlsOptions, tcp, tls } from '@tsmqtt/client';
import { expect, onTestFinished } from 'vitest';
import { type Authority, type CertificateFiles, createAuthority } from './certificates.js';
import { startMosquitto } from './mosquitto.js';

/** What a certificate for this machine is for. */
export const LOCALHOST = 'DNS:localhost,IP:127.0.0.1';

export interface Certificates {
  readonly ca: Authority;
  readonly otherCa: Authority;
  readonly good: CertificateFiles;
  readonly client: CertificateFiles;
}

export function makeCertificates(folder: string): Certificates {
  const ca = createAuthority(folder, 'Test CA');
  return {
    ca,
    otherCa: createAuthority(folder, 'Other CA'),
    good: ca.issue('good', { name: 'localhost', alternatives: LOCALHOST }),
    client: ca.issue('client', { name: 'alice', use: 'clientAuth' }),
  };
}

/** A TLS listener of mosquitto with this certificate. */
export async function tlsBroker(
  { cert, key }: CertificateFiles,
  ...more: readonly string[]
): Promise<number> {
  return (await startMosquitto(`certfile ${cert}`, `keyfile ${key}`, ...more)).port;
}

/** Connects, publishes with QoS 1 and ends; what it rejects with otherwise. */
export async function publish(port: number, options: Partial<TlsOptions>): Promise<void> {
  const { host = 'localhost', ...rest } = options;
  const connector = tls(tcp({ host: '127.0.0.1', port }), { host, ...rest });
  const client: Client = await connect({ connector });
  onTestFinished(() => client.destroy());
  await client.publish('t', 'hello', { qos: 1 });
  await client.end();
  expect(await client.closed).toBeUndefined();
}

/** What a connection is refused with. */
export async function failure(promise: Promise<unknown>): Promise<{ code: string; message: string }> {
  const error = await promise.then(
    () => expect.fail('it worked'),
    (reason: ClientError) => reason,
  );
  return { code: error.code, message: error.message };
}

/** A failure of TLS with these words. */
export const failed = (message: string | RegExp) => ({
  code: 'tls-failed',
  message: typeof message === 'string' ? message : expect.stringMatching(message),
});
