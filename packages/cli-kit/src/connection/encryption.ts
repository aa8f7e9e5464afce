import { closeSync, openSync } from 'node:fs';
import { pskFromHex, type TlsHandshakeOptions, type TlsOptions, tls, tlsPsk } from '@tsmqtt/client';
import { UsageError } from '@tsmqtt/protocol';
import type { Settings, TlsSettings } from '../options/settings.js';
import type { Encryption } from '../options/tls-checks.js';
import { byteText } from '../program/byte-text.js';
import type { Io } from '../program/io.js';
import { ProgramError } from '../program/program-error.js';
import type { Encrypt } from './transport.js';

/** Longest ALPN protocol name that is taken (cli §3.5). */
const MAXIMUM_ALPN = 254;

/** TLS as the options say (cli §3.5, §9.3), looked at in the order of cli §5. Throws ProgramError. */
export async function encrypting(
  encryption: Exclude<Encryption, 'none'>,
  { tls: given }: Settings,
  io: Io,
): Promise<Encrypt> {
  if (encryption === 'certificates') checkReadable(given);
  const only13 = onlyVersion13(given);
  checkKeyOptions(given);
  const { ciphers } = given;
  const common: TlsHandshakeOptions = {
    ...(given.alpn === undefined ? {} : { alpn: given.alpn }),
    ...(given.keyLogFile === undefined ? {} : { keyLogFile: given.keyLogFile }),
  };
  if (encryption === 'psk') {
    const key = pskKey(given);
    if (only13) throw tlsError('a pre-shared key needs TLS 1.2');
    const identity = String(given.pskIdentity);
    const list = ciphers === undefined ? {} : { ciphers: String(ciphers) };
    return (over, host) => {
      return tlsPsk(over, { ...common, ...list, identity, key, ...(host === undefined ? {} : { host }) });
    };
  }
  const passphrase = await passphraseFor(given);
  const options: Omit<TlsOptions, 'host'> = {
    ...common,
    ...trust(given, io),
    ...(only13 ? { minVersion: 'TLSv1.3' as const } : {}),
    ...(ciphers === undefined ? {} : { [only13 ? 'cipherSuites' : 'ciphers']: String(ciphers) }),
    ...(passphrase === undefined ? {} : { passphrase: async () => passphrase }),
  };
  return (over, host) => tls(over, { ...options, host });
}

function trust(given: TlsSettings, { env }: Io): Omit<TlsOptions, 'host'> {
  const { caFile, caDirectory, osCertificates, certFile, keyFile, insecure } = given;
  return {
    env,
    insecure,
    ...(caFile === undefined ? {} : { caFile }),
    ...(caDirectory === undefined ? {} : { caDirectory }),
    ...(osCertificates ? { osStore: true } : {}),
    ...(certFile === undefined || keyFile === undefined ? {} : { certFile, keyFile }),
  };
}

/** Asked for before there is a connection that could time out meanwhile, or a spinner that would write over it. */
async function passphraseFor({ keyFile }: TlsSettings): Promise<string | undefined> {
  if (keyFile === undefined) return undefined;
  const { askPassphrase, isEncryptedKey } = await import('./passphrase.js');
  return isEncryptedKey(keyFile) ? await askPassphrase() : undefined;
}

/** The reference looks whether files can be opened; what is in them it finds later. */
function checkReadable({ caFile, certFile, keyFile }: TlsSettings): void {
  for (const file of [caFile, certFile, keyFile]) {
    if (file === undefined) continue;
    try {
      closeSync(openSync(file, 'r'));
    } catch {
      throw new ProgramError(1, 'Error: Problem setting TLS options: File not found.\n');
    }
  }
}

/** `tlsv1.2` is the least, which also is what holds without it (cli §3.5); any case will do (D-12). */
function onlyVersion13({ version, alpn }: TlsSettings): boolean {
  const text = version?.toString('latin1').toLowerCase();
  const validAlpn = alpn === undefined || (alpn.length > 0 && alpn.length <= MAXIMUM_ALPN);
  if (!validAlpn || (text !== undefined && text !== 'tlsv1.2' && text !== 'tlsv1.3')) {
    throw new ProgramError(1, 'Error: Problem setting TLS options, check the options are valid.\n');
  }
  return text === 'tlsv1.3';
}

/** Node has no OpenSSL engines (cli §3.5). */
function checkKeyOptions({ engine, keyForm }: TlsSettings): void {
  if (engine !== undefined) {
    throw new ProgramError(1, byteText`Error: Problem setting TLS engine, is ${engine} a valid engine?\n`);
  }
  const form = keyForm?.toString('latin1').toLowerCase();
  if (form !== undefined && form !== 'pem' && form !== 'engine') {
    throw new ProgramError(1, "Error: Problem setting key form, it must be one of 'pem' or 'engine'.\n");
  }
  if (form === 'engine') throw tlsError('there is no engine that could have the key');
}

function pskKey({ psk }: TlsSettings): Buffer {
  try {
    return pskFromHex(String(psk));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new ProgramError(1, 'Error: Problem setting TLS-PSK options.\n');
  }
}

function tlsError(reason: string): ProgramError {
  return new ProgramError(1, `Unable to connect (A TLS error occurred: ${reason}).\n`);
}
