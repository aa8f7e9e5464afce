import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { datelessFailure } from '../packages/broker/src/listener/tls/dateless-trust.js';
import { readRevocationList } from '../packages/broker/src/listener/tls/revocation-list.js';
import { startBrokerProcess } from './support/brokers.js';
import {
  type Authority,
  type CertificateFiles,
  certificateFolder,
  createAuthority,
  selfSigned,
} from './support/certificates.js';
import { startChild } from './support/child.js';
import { temporaryFolder } from './support/folder.js';
import { freePort } from './support/free-port.js';
import { describePeer } from './support/peers.js';

const folder = certificateFolder();

describePeer('mosquitto_pub', 'disable_client_cert_date_checks (broker B-11)', (mosquittoPub) => {
  let own: Authority;
  let server: CertificateFiles;
  let crl: string;
  const clients: Record<string, CertificateFiles> = {};
  beforeAll(() => {
    const past = { until: '20210101' };
    own = createAuthority(folder, 'own');
    server = own.issue('server', { name: 'localhost', alternatives: 'DNS:localhost' });
    clients.good = own.issue('good', { name: 'good' });
    clients.expired = own.issue('expired', { name: 'expired', ...past });
    clients.early = own.issue('early', { name: 'early', from: '20480101' });
    clients.revoked = own.issue('revoked', { name: 'revoked', ...past });
    clients['for servers'] = own.issue('for-servers', { name: 'for-servers', use: 'serverAuth', ...past });
    clients.foreign = createAuthority(folder, 'foreign').issue('foreign', { name: 'foreign', ...past });
    // The same name and another key.
    clients.impostor = createAuthority(path.join(folder, 'other'), 'own').issue('impostor', {
      name: 'impostor',
      ...past,
    });
    clients.lone = selfSigned(folder, 'lone', 'DNS:lone');
    own.revoke(clients.revoked);
    crl = own.revocations();
  });

  test.each([
    ['good', true],
    ['expired', true],
    ['early', true],
    ['revoked', false],
    ['for servers', false],
    ['foreign', false],
    ['impostor', false],
    ['lone', false],
  ] as const)('a certificate that is %s: %s', async (who, welcome) => {
    const port = await freePort();
    const lines = [
      ...(process.getuid?.() === 0 ? ['user root'] : []),
      `listener ${port}\nlistener_allow_anonymous true\nrequire_certificate true\ndisable_client_cert_date_checks true`,
      `certfile ${server.cert}\nkeyfile ${server.key}\ncafile ${own.file}\ncrlfile ${crl}`,
    ];
    const file = path.join(temporaryFolder(), 'conf');
    writeFileSync(file, `${lines.join('\n')}\n`);
    const broker = startBrokerProcess('tsmqtt-broker', ['-c', file]);
    await broker.line(/ running$/, 'stderr');
    const { cert = '', key = '' } = clients[who] ?? {};
    const args = ['-h', 'localhost', '-p', String(port), '--cafile', own.file, '--cert', cert, '--key', key];
    const { code } = await startChild(mosquittoPub, [...args, '-t', 'a', '-m', 'b', '-q', '1']).ended;
    expect(code === 0).toBe(welcome);
    if (!welcome) await broker.line(/TLS handshake failed: certificate verify failed \(/, 'stderr');
  });
});

describePeer('openssl', 'what else a certificate out of its time must be', (openssl) => {
  const at = mkdtempSync(path.join(tmpdir(), 'tsmqtt-chain-'));
  afterAll(() => rmSync(at, { recursive: true }));
  const run = (...args: readonly string[]): string =>
    execFileSync(openssl, args, { stdio: 'pipe', encoding: 'utf8' });
  const CA = 'basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign,cRLSign';

  interface Made {
    readonly file: string;
    readonly certificate: X509Certificate;
  }
  let count = 0;
  /** A certificate with these extensions, signed by `issuer` or by itself. */
  function make(name: string, extensions: string, issuer?: Made, ...more: readonly string[]): Made {
    const file = path.join(at, `${count++}`);
    const rsa = more.includes('-rsa512');
    if (rsa) run('genrsa', '-out', `${file}.key`, '512');
    else run('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', `${file}.key`);
    run('req', '-new', '-key', `${file}.key`, '-subj', `/CN=${name}`, '-out', `${file}.csr`);
    writeFileSync(`${file}.ext`, `${extensions}\n`);
    const signed =
      issuer === undefined
        ? ['-signkey', `${file}.key`]
        : ['-CA', issuer.file, '-CAkey', `${issuer.file}.key`, '-CAcreateserial'];
    const digest = more.filter((one) => one !== '-rsa512');
    run(
      'x509',
      '-req',
      '-in',
      `${file}.csr`,
      '-extfile',
      `${file}.ext`,
      '-days',
      '10',
      ...signed,
      ...digest,
      '-out',
      file,
    );
    return { file, certificate: new X509Certificate(readFileSync(file)) };
  }
  const failure = (
    leaf: Made,
    presented: readonly Made[],
    authorities: readonly Made[],
    now = Date.now(),
  ): string | undefined =>
    datelessFailure(
      leaf.certificate,
      presented.map(({ certificate }) => certificate),
      { authorities: authorities.map(({ certificate }) => certificate), revocationLists: undefined, now },
    );
  const root = make('root', CA);
  const middle = make('middle', CA, root);

  // biome-ignore format: one row a line
  const ROWS: readonly (readonly [what: string, run: () => string | undefined, expected: string | undefined])[] = [
    ['by the authority itself', () => failure(make('a', ''), [], [root]), 'unable to get a trusted issuer certificate'],
    ['by an authority', () => failure(make('a', '', root), [], [root]), undefined],
    ['by one that the client sends', () => failure(make('a', '', middle), [middle], [root]), undefined],
    ['by one that is configured', () => failure(make('a', '', middle), [], [middle, root]), undefined],
    ['by one that nobody has', () => failure(make('a', '', middle), [], [root]), 'unable to get a trusted issuer certificate'],
    ['by one that is configured, whose own is not', () => failure(make('a', '', middle), [], [middle]), 'unable to get a trusted issuer certificate'],
    ['by a root that the client sends', () => failure(make('a', '', root), [root], []), 'unable to get a trusted issuer certificate'],
    ['by somebody who may not', () => {
      const nobody = make('nobody', 'basicConstraints=CA:FALSE', root);
      return failure(make('a', '', nobody), [nobody], [root]);
    }, 'invalid CA certificate'],
    ['by somebody whose key is for something else', () => {
      const other = make('other', 'basicConstraints=CA:TRUE\nkeyUsage=digitalSignature', root);
      return failure(make('a', '', other), [other], [root]);
    }, 'unable to get a trusted issuer certificate'],
    ['further down than allowed', () => {
      const short = make('short', 'basicConstraints=critical,CA:TRUE,pathlen:0', root);
      const below = make('below', CA, short);
      return failure(make('a', '', below), [below, short], [root]);
    }, 'invalid CA certificate'],
    ['as far down as allowed', () => {
      const short = make('short', 'basicConstraints=critical,CA:TRUE,pathlen:0', root);
      return failure(make('a', '', short), [short], [root]);
    }, undefined],
    ['by an authority of certain names', () => {
      const narrow = make('narrow', `${CA}\nnameConstraints=permitted;DNS:example.org`, root);
      return failure(make('a', '', narrow), [narrow], [root]);
    }, 'name constraints'],
    ['by an authority for servers', () => {
      const servers = make('servers', `${CA}\nextendedKeyUsage=serverAuth`, root);
      return failure(make('a', '', servers), [servers], [root]);
    }, 'unsuitable certificate purpose'],
    ['for servers', () => failure(make('a', 'extendedKeyUsage=serverAuth', root), [], [root]), 'unsuitable certificate purpose'],
    ['for clients', () => failure(make('a', 'extendedKeyUsage=clientAuth\nkeyUsage=digitalSignature', root), [], [root]), undefined],
    ['for encryption only', () => failure(make('a', 'keyUsage=keyEncipherment', root), [], [root]), 'unsuitable certificate purpose'],
    ['with something critical that nobody knows', () => failure(make('a', '1.3.6.1.4.1.99999.1=critical,DER:0500', root), [], [root]), 'unhandled critical extension'],
    ['signed over SHA-1', () => failure(make('a', '', root, '-sha1'), [], [root]), 'unable to get a trusted issuer certificate'],
    ['by an authority that is out of its own time', () => failure(make('a', '', root), [], [root], Date.now() + 20 * 86_400_000), 'CA certificate out of its time'],
  ];
  test.each(ROWS)('signed %s', (_what, attempt, expected) => expect(attempt()).toBe(expected));

  test('of one name and many keys: each is tried once', () => {
    const others = Array.from({ length: 9 }, () => make('root', CA));
    const leaf = make('a', '', root);
    expect(failure(leaf, [...others, root], [root])).toBeUndefined();
    expect(failure(leaf, others, others)).toBe('unable to get a trusted issuer certificate');
  });
});

describe('revocation lists', () => {
  const DAY = 86_400_000;
  let own: Authority;
  let leaf: X509Certificate;
  let revoked: X509Certificate;
  let list: string;
  let authority: X509Certificate;
  const failure = (
    certificate: X509Certificate,
    lists: readonly string[],
    now = Date.now(),
  ): string | undefined =>
    datelessFailure(certificate, [], {
      authorities: [authority],
      revocationLists: lists.map(readRevocationList),
      now,
    });

  beforeAll(() => {
    own = createAuthority(folder, 'lists');
    const files = own.issue('leaf', { name: 'leaf' });
    const gone = own.issue('gone', { name: 'gone' });
    own.revoke(gone);
    list = readFileSync(own.revocations(), 'utf8');
    const read = (file: string): X509Certificate => new X509Certificate(readFileSync(file));
    [leaf, revoked, authority] = [read(files.cert), read(gone.cert), read(own.file)];
  });

  test('tell who is revoked', () => {
    expect(failure(leaf, [list])).toBeUndefined();
    expect(failure(revoked, [list])).toBe('certificate revoked');
  });

  test('must be there, of this authority', () => {
    const other = createAuthority(path.join(folder, 'again'), 'lists');
    expect(failure(leaf, [])).toBe('unable to get certificate CRL');
    // The same name, another key.
    expect(failure(leaf, [readFileSync(other.revocations(), 'utf8')])).toBe('unable to get certificate CRL');
  });

  test('must be of today', () => {
    expect(failure(leaf, [list], Date.now() + 31 * DAY)).toBe('CRL is not valid');
    expect(failure(leaf, [list], Date.now() - DAY)).toMatch(/not valid|out of its time/);
  });

  test.each([1, 5, 40, 80, 120, 200])('that were changed at byte %i do not count', (offset) => {
    const der = Buffer.from(list.replace(/-----[^-]+-----/g, ''), 'base64');
    const at = Math.min(offset, der.length - 1);
    der[at] = (der[at] ?? 0) ^ 1;
    const changed = `-----BEGIN X509 CRL-----\n${der.toString('base64')}\n-----END X509 CRL-----\n`;
    let result: string | undefined;
    try {
      result = failure(leaf, [changed]);
    } catch (error) {
      expect(error).toBeInstanceOf(RangeError);
      return;
    }
    expect(result).toBeDefined();
  });
});
