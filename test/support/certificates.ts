import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';
import { findPeer } from './peers.js';

/** What a certificate says. */
export interface CertificateRequest {
  /** Common name. */
  readonly name: string;
  /** Subject alternative names as OpenSSL spells them: `DNS:localhost,IP:127.0.0.1`. */
  readonly alternatives?: string;
  /** Day it begins and day it ends, `YYYYMMDD`; default: 2020 to 2049. */
  readonly from?: string;
  readonly until?: string;
  readonly use?: 'serverAuth' | 'clientAuth';
}

/** PEM files of a certificate and its key. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority of the tests, in a folder of its own. */
export interface Authority {
  /** Its certificate. */
  readonly file: string;
  /** Key and certificate signed by it; `label` names the files. */
  issue(label: string, request: CertificateRequest): CertificateFiles;
  revoke(certificate: CertificateFiles): void;
  /** Its revocation list. */
  revocations(): string;
}

function openssl(...args: readonly string[]): string {
  return execFileSync(findPeer('openssl') ?? 'openssl', args, { stdio: 'pipe', encoding: 'utf8' });
}

/** A folder for the tests of one file, removed after them. */
export function certificateFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'tsmqtt-certificates-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A new authority with a self-signed certificate. */
export function createAuthority(parent: string, name: string): Authority {
  const folder = path.join(parent, name);
  mkdirSync(path.join(folder, 'issued'), { recursive: true });
  const at = (file: string): string => path.join(folder, file);
  writeFileSync(at('index.txt'), '');
  writeFileSync(at('index.txt.attr'), 'unique_subject = no\n');
  writeFileSync(at('ca.cnf'), configuration(folder));
  newKey(at('ca.key'));
  const subject = `/CN=${name}`;
  const extensions = ['-addext', 'keyUsage=critical,keyCertSign,cRLSign'];
  openssl(
    'req',
    '-x509',
    '-new',
    '-key',
    at('ca.key'),
    '-subj',
    subject,
    '-days',
    '3650',
    ...extensions,
    '-out',
    at('ca.pem'),
  );
  return {
    file: at('ca.pem'),
    issue(label, request) {
      const { name: commonName, alternatives, from = '20200101', until = '20491231', use } = request;
      const files = { cert: at(`${label}.pem`), key: at(`${label}.key`) };
      newKey(files.key);
      openssl('req', '-new', '-key', files.key, '-subj', `/CN=${commonName}`, '-out', at(`${label}.csr`));
      const lines = ['basicConstraints=CA:FALSE'];
      if (alternatives !== undefined) lines.push(`subjectAltName=${alternatives}`);
      if (use !== undefined) lines.push(`extendedKeyUsage=${use}`);
      writeFileSync(at(`${label}.ext`), `${lines.join('\n')}\n`);
      const dates = ['-startdate', `${from}000000Z`, '-enddate', `${until}000000Z`];
      const output = ['-in', at(`${label}.csr`), '-extfile', at(`${label}.ext`), '-out', files.cert];
      openssl('ca', '-batch', '-notext', '-config', at('ca.cnf'), ...dates, ...output);
      return files;
    },
    revoke({ cert }) {
      openssl('ca', '-config', at('ca.cnf'), '-revoke', cert);
    },
    revocations() {
      openssl('ca', '-config', at('ca.cnf'), '-gencrl', '-out', at('crl.pem'));
      return at('crl.pem');
    },
  };
}

/** A certificate that nobody but itself vouches for. */
export function selfSigned(parent: string, label: string, alternatives: string): CertificateFiles {
  const files = { cert: path.join(parent, `${label}.pem`), key: path.join(parent, `${label}.key`) };
  newKey(files.key);
  const subject = ['-subj', `/CN=${label}`, '-addext', `subjectAltName=${alternatives}`];
  openssl('req', '-x509', '-new', '-key', files.key, ...subject, '-days', '30', '-out', files.cert);
  return files;
}

/** The same key under a passphrase; `traditional` is how OpenSSL before 1.0 wrote it. */
export function encryptKey(key: string, passphrase: string, traditional = false): string {
  const encrypted = key.replace(/\.key$/, traditional ? '.traditional.key' : '.encrypted.key');
  const how = traditional ? ['-traditional', '-aes128'] : ['-aes256'];
  openssl('pkey', '-in', key, ...how, '-passout', `pass:${passphrase}`, '-out', encrypted);
  return encrypted;
}

/** Name under which OpenSSL looks for this CA in a directory. */
export function hashName(certificate: string): string {
  return `${openssl('x509', '-in', certificate, '-noout', '-hash').trim()}.0`;
}

/** Elliptic keys, because they are made in no time. */
function newKey(file: string): void {
  openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', file);
}

function configuration(folder: string): string {
  return `[ca]
default_ca = own
[own]
dir = ${folder}
database = ${folder}/index.txt
new_certs_dir = ${folder}/issued
certificate = ${folder}/ca.pem
private_key = ${folder}/ca.key
rand_serial = yes
default_md = sha256
default_crl_days = 30
policy = any
[any]
commonName = supplied
`;
}
