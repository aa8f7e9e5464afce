import { argumentError } from './argument-error.js';
import type { Settings, TlsSettings } from './settings.js';

/** Port on which connections are encrypted without being asked to (cli §9.3). */
const TLS_PORT = 8883;

/** How the connection is encrypted (cli §9.3). */
export type Encryption = 'none' | 'certificates' | 'psk';

export function encryptionOf({ tls, url, port, local }: Settings): Encryption {
  if (tls.off) return 'none';
  if (tls.caFile !== undefined || tls.caDirectory !== undefined) return 'certificates';
  if (tls.psk !== undefined) return 'psk';
  // The broker of --local takes plain text only, whatever its port.
  const asked = tls.osCertificates || url?.tls === true || (port === TLS_PORT && !local);
  return asked ? 'certificates' : 'none';
}

/** Options that are for nothing in plain text. The key log is not among them: it does no harm (cli D-18). */
// biome-ignore format: one row a line
const NEED_TLS: readonly (readonly [key: keyof TlsSettings, option: string])[] = [
  ['certFile', '--cert'], ['keyFile', '--key'], ['keyForm', '--keyform'], ['ciphers', '--ciphers'],
  ['version', '--tls-version'], ['insecure', '--insecure'], ['alpn', '--tls-alpn'], ['engine', '--tls-engine'],
  ['engineKeyPassword', '--tls-engine-kpass-sha1'], ['pskIdentity', '--psk-identity'],
];

/** What turns TLS on; `--local` leaves no room for it. */
// biome-ignore format: one row a line
const TURN_TLS_ON: typeof NEED_TLS = [
  ['caFile', '--cafile'], ['caDirectory', '--capath'], ['osCertificates', '--tls-use-os-certs'], ['psk', '--psk'],
];

/** TLS options that do not go together (cli §5, 3 to 7; P-11). Throws ArgumentError. */
export function crossCheckTls(settings: Settings): void {
  const { tls } = settings;
  if ((tls.certFile === undefined) !== (tls.keyFile === undefined)) {
    throw argumentError`Error: Both certfile and keyfile must be provided if one of them is set.\n`;
  }
  if (tls.keyForm !== undefined && tls.keyFile === undefined) {
    throw argumentError`Error: If keyform is set, keyfile must be also specified.\n`;
  }
  if (tls.engineKeyPassword !== undefined && (tls.engine === undefined || tls.keyForm === undefined)) {
    throw argumentError`Error: when using tls-engine-kpass-sha1, both tls-engine and keyform must also be provided.\n`;
  }
  if (tls.psk !== undefined) {
    if (tls.caFile !== undefined || tls.caDirectory !== undefined) {
      throw argumentError`Error: Only one of --psk or --cafile/--capath may be used at once.\n`;
    }
    if (tls.pskIdentity === undefined) throw argumentError`Error: --psk-identity required if --psk used.\n`;
  }
  refusePlainText(settings);
}

/** Whoever asked for a part of TLS does not get plain text (P-11). */
function refusePlainText(settings: Settings): void {
  const { tls, local } = settings;
  if (tls.off) return;
  const given = (rows: typeof NEED_TLS): string | undefined => {
    return rows.find(([key]) => tls[key] !== undefined && tls[key] !== false)?.[1];
  };
  if (local) {
    const option = given([...TURN_TLS_ON, ...NEED_TLS]);
    if (option === undefined) return;
    throw argumentError`Error: ${option} given, but --local connects in plain text; add --no-tls if that is meant.\n`;
  }
  const encryption = encryptionOf(settings);
  if (encryption === 'psk' && tls.certFile !== undefined) {
    throw argumentError`Error: --cert given, but --psk connects without certificates.\n`;
  }
  const option = encryption === 'none' ? given(NEED_TLS) : undefined;
  if (option === undefined) return;
  throw argumentError`Error: ${option} given, but the connection would not be encrypted; add --cafile, --capath, --tls-use-os-certs or --psk, or --no-tls.\n`;
}
