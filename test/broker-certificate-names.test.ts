import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { identityOf } from '../packages/broker/src/listener/tls/certificate-identity.js';
import { oidText, readDer } from '../packages/broker/src/listener/tls/der.js';
import { describePeer } from './support/peers.js';

const folder = mkdtempSync(path.join(tmpdir(), 'tsmqtt-names-'));
afterAll(() => rmSync(folder, { recursive: true }));

describePeer('openssl', 'names of certificates, beside openssl', (openssl) => {
  const key = path.join(folder, 'key');
  const run = (...args: readonly string[]): string =>
    execFileSync(openssl, args, { stdio: 'pipe', encoding: 'utf8' });
  run('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', key);
  const cert = path.join(folder, 'cert');
  /** @param subject lines of a [dn] section; `+` before a name joins it to the one before. */
  const issue = (subject: readonly string[], mask = 'utf8only'): X509Certificate => {
    const conf = path.join(folder, 'conf');
    writeFileSync(
      conf,
      `oid_section = oids\n[oids]\nown = 1.3.6.1.4.1.99999.1\n[req]\nprompt = no\nutf8 = yes\nstring_mask = ${mask}\ndistinguished_name = dn\n[dn]\n${subject.join('\n')}\n`,
    );
    run('req', '-x509', '-new', '-key', key, '-days', '1', '-config', conf, '-out', cert);
    return new X509Certificate(readFileSync(cert));
  };
  const asOpenssl = (): string =>
    run('x509', '-in', cert, '-noout', '-subject', '-nameopt', 'RFC2253')
      .trim()
      .replace(/^subject=/, '');

  // biome-ignore format: one row a line
  it.each<[string, string[], string | undefined]>([
    ['the example of the contract', ['C = GB', 'ST = County', 'L = Town', 'O = Example', 'OU = Lab', 'CN = device 7'], 'device 7'],
    ['several Common Names: the first', ['0.CN = one', '1.CN = two'], 'one'],
    ['none', ['O = Example'], undefined],
    ['other characters', ['CN = Gerät 東京'], 'Gerät 東京'],
    ['what is escaped', ['CN = a\\,b+c\\"d<e>f\\;g=h/i'], 'a,b+c"d<e>f;g=h/i'],
    ['a blank and a sharp sign at the edges', ['O = \\#x', 'CN = " y "'], ' y '],
    ['several values together', ['O = x', 'CN = y', '+UID = z'], 'y'],
    ['rare attributes', ['DC = org', 'emailAddress = a@b.c', 'serialNumber = 12', 'SN = s', 'GN = g', 'title = t', 'street = st', 'pseudonym = p', 'dnQualifier = q'], undefined],
    ['one that nobody knows', ['own = x', 'CN = y'], 'y'],
  ])('%s', (_what, subject, commonName) => {
    const identity = identityOf(issue(subject));
    expect(identity.commonName).toBe(commonName);
    expect(identity.subject).toBe(asOpenssl());
  });

  it.each([
    ['BMPString', 'MASK:0x800', 'Gerät 東京'],
    ['T61String', 'MASK:0x4', 'Gerät'],
  ])('a subject in %s, whose Common Name is not UTF-8', (_what, mask, name) => {
    const identity = identityOf(issue([`CN = ${name}`], mask));
    expect(identity.subject).toBe(asOpenssl());
    expect(identity.commonName).toBeUndefined();
  });

  it.each([
    ['NUL', '\u0000'],
    ['a control character', '\u0007'],
  ])('a Common Name with %s is none', (_what, bad) => {
    // Written over the bytes of a good one: the signature is not looked at here.
    const raw = Buffer.from(issue(['CN = deviceXname']).raw);
    let at = raw.lastIndexOf('deviceXname');
    expect(at).toBeGreaterThan(0);
    raw.write(bad, at + 6, 'latin1');
    at = raw.indexOf('deviceXname');
    if (at >= 0) raw.write(bad, at + 6, 'latin1');
    expect(identityOf(new X509Certificate(raw)).commonName).toBeUndefined();
  });
});

describe('DER', () => {
  it.each(['30', '3001', '308001', '3085000000000100', '3082ffff00'])('%s is refused', (hex) => {
    expect(() => readDer(Buffer.from(hex, 'hex'))).toThrow(RangeError);
  });

  it.each([
    ['0603550403', '2.5.4.3'],
    ['06092a864886f70d010901', '1.2.840.113549.1.9.1'],
    ['060a0992268993f22c640101', '0.9.2342.19200300.100.1.1'],
    ['06082b0601040186 8d1f'.replace(' ', ''), '1.3.6.1.4.1.99999'],
  ])('%s is %s', (hex, text) => expect(oidText(readDer(Buffer.from(hex, 'hex'))[0])).toBe(text));
});
