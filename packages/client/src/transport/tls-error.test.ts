import type { PeerCertificate } from 'node:tls';
import { expect, test } from 'vitest';
import { nameMismatch, tlsErrorText } from './tls-error.js';

const error = (code: string | undefined, message = 'as it is') => Object.assign(new Error(message), { code });

// biome-ignore format: one row a line
test.each([
  ['CERT_HAS_EXPIRED', 'certificate has expired'],
  ['CERT_REVOKED', 'certificate has been revoked'],
  ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', 'the server rejected the client certificate: it has expired'],
  ['ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED', 'the server rejected the client certificate: it has expired'],
  ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', 'the server rejected the client certificate: its CA is unknown there'],
  ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'the server requires a client certificate'],
  ['ERR_SSL_TLSV1_UNRECOGNIZED_NAME', 'the server does not know the host name'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'the server does not speak TLS on this port'],
  ['ERR_SSL_OF_TOMORROW', 'as it is'],
  [undefined, 'as it is'],
])('%s', (code, text) => {
  expect(tlsErrorText(error(code))).toBe(text);
});

test("OpenSSL's own words are taken out of its line", () => {
  const line =
    '80CC2495AA7F0000:error:0A0000C1:SSL routines:tls_post_process:no shared cipher:../ssl/statem.c:2220:\n';
  expect(tlsErrorText(error('ERR_SSL_NO_SHARED_CIPHER', line))).toBe('no shared cipher');
  expect(tlsErrorText(error('X', 'error:1C800064:Provider routines::bad decrypt'))).toBe('bad decrypt');
});

test.each([
  ['DNS:a.example, DNS:*.b.example, IP Address:192.0.2.1', 'x', 'a.example, *.b.example, 192.0.2.1'],
  ['URI:urn:x', 'x', 'x'],
  [undefined, 'x', 'x'],
  [undefined, undefined, 'no host'],
])('the names of a certificate: %s and %s', (subjectaltname, name, names) => {
  const certificate = { subjectaltname, subject: { CN: name } } as unknown as PeerCertificate;
  expect(nameMismatch('h', certificate)).toBe(`certificate is for ${names}, not for h`);
});
