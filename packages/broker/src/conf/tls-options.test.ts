import { describe, expect, it } from 'vitest';
import { ConfError } from './conf-error.js';
import { ConfReader } from './conf-reader.js';

function read(text: string) {
  const reader = new ConfReader({ readFile: () => Buffer.from(text), readDir: () => [] }, () => {});
  reader.read('main.conf');
  return reader.finish().settings;
}

describe('options of TLS (contract broker §2.3, §3.3)', () => {
  it('set what they say', () => {
    const text = `listener 8883
certfile c
keyfile k
cafile a
capath p
crlfile r
require_certificate true
use_identity_as_username true
use_subject_as_username true
tls_version tlsv1.3
ciphers HIGH
ciphers_tls1.3 TLS_AES_128_GCM_SHA256
tls_keyform pem
listener 8884
psk_hint hint`;
    const [one, two] = read(text).listeners;
    expect(one).toMatchObject({
      certFile: 'c',
      keyFile: 'k',
      caFile: 'a',
      caPath: 'p',
      crlFile: 'r',
      requireCertificate: true,
      useIdentityAsUsername: true,
      useSubjectAsUsername: true,
      tlsVersion: 'tlsv1.3',
      ciphers: 'HIGH',
      ciphersTls13: 'TLS_AES_128_GCM_SHA256',
    });
    expect(two?.pskHint).toBe('hint');
  });

  it.each([
    'enable_proxy_protocol 1\ncertfile c\nkeyfile k\nuse_subject_as_username true',
    'enable_proxy_protocol 2\nrequire_certificate true\nuse_identity_as_username true\nuse_subject_as_username false',
  ])('go with a proxy: %j', (text) => {
    expect(() => read(`listener 1\n${text}`)).not.toThrow();
  });

  it('hold for the loopback listeners where there is no other (broker T-1)', () => {
    const settings = read('certfile c\nkeyfile k\nrequire_certificate true');
    expect(settings.localOnly).toBe(true);
    expect(settings.listeners).toMatchObject([{ certFile: 'c', keyFile: 'k', requireCertificate: true }]);
  });

  // biome-ignore format: one row a line
  it.each([
    ['listener 1\ncertfile c', 'Error: Both certfile and keyfile must be provided to enable a TLS listener.', 2],
    ['listener 1\nkeyfile k', 'Error: Both certfile and keyfile must be provided to enable a TLS listener.', 2],
    ['certfile c', 'Error: Both certfile and keyfile must be provided to enable a TLS listener.', 1],
    ['listener 1\ncafile a', 'Error: cafile specified without certfile and keyfile.', 2],
    ['listener 1\nlistener 2\n\ncapath a', 'Error: capath specified without certfile and keyfile.', 4],
    ['listener 1\ncertfile c\nkeyfile k\npsk_hint h', 'Error: Cannot use both certificate and psk encryption in a single listener.', 4],
    ['listener 1\ncertfile c\nkeyfile k\nenable_proxy_protocol 2', 'Error: certfile and keyfile cannot be used with `enable_proxy_protocol 2`.', 2],
    ['listener 1\nenable_proxy_protocol 2\nkeyfile k', 'Error: certfile and keyfile cannot be used with `enable_proxy_protocol 2`.', 3],
    ['listener 1\nenable_proxy_protocol 2\nuse_subject_as_username true', 'Error: use_subject_as_username cannot be used with `enable_proxy_protocol 2`.', 3],
  ])('%j: %s', (text, message, line) => {
    let error: unknown;
    try {
      read(text);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(ConfError);
    expect((error as ConfError).lines).toEqual([message, `Error found at main.conf:${line}.`]);
  });
});
