import { isUtf8 } from 'node:buffer';
import { ProxyHeaderError } from './proxy-header-error.js';

/** What the client agreed with the proxy about TLS (version 2, TLV 0x20). */
export interface ProxyTls {
  /** The client came by TLS. */
  readonly secure: boolean;
  /** A client certificate belongs to the session, and the proxy has verified it. */
  readonly verified: boolean;
  readonly version: string | undefined;
  readonly cipher: string | undefined;
  /** Common Name of the client certificate; undefined where it has none that is text. */
  readonly commonName: string | undefined;
}

const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** TLV that says what the client and the proxy agreed about TLS. */
const TYPE_SSL = 0x20;
const SUBTYPE_VERSION = 0x21;
const SUBTYPE_COMMON_NAME = 0x22;
const SUBTYPE_CIPHER = 0x23;

/** Bits of `client` in that TLV. A certificate of the connection alone (0x02) does not count (broker §10.3). */
const CLIENT_SSL = 0x01;
const CLIENT_CERTIFICATE_OF_SESSION = 0x04;

/**
 * Looks through the TLVs behind the addresses:
 *
 *     type 1 | length 2 | value        of type 0x20:  client 1 | verify 4 | TLVs
 *
 * @returns undefined where none is about TLS.
 * @throws ProxyHeaderError where one reaches beyond the end.
 */
export function readProxyTls(tlvs: Buffer): ProxyTls | undefined {
  let found: ProxyTls | undefined;
  for (const [type, value] of eachTlv(tlvs)) {
    if (type === TYPE_SSL) found = readSsl(value);
  }
  return found;
}

function readSsl(value: Buffer): ProxyTls {
  if (value.length < 5) throw new ProxyHeaderError('its part about TLS is cut short');
  const client = value[0] ?? 0;
  const texts = new Map<number, string>();
  for (const [type, text] of eachTlv(value.subarray(5))) {
    // What is no text is as if it were not there; control characters have no business in log lines and usernames.
    const readable = isUtf8(text) && !CONTROL.test(text.toString('utf8'));
    if (readable) texts.set(type, text.toString('utf8'));
  }
  const secure = (client & CLIENT_SSL) !== 0;
  return {
    secure,
    verified: secure && (client & CLIENT_CERTIFICATE_OF_SESSION) !== 0 && value.readUInt32BE(1) === 0,
    version: texts.get(SUBTYPE_VERSION),
    cipher: texts.get(SUBTYPE_CIPHER),
    commonName: texts.get(SUBTYPE_COMMON_NAME),
  };
}

function* eachTlv(bytes: Buffer): Generator<readonly [type: number, value: Buffer]> {
  let at = 0;
  while (at < bytes.length) {
    const valueAt = at + 3;
    const end = valueAt <= bytes.length ? valueAt + bytes.readUInt16BE(at + 1) : Number.POSITIVE_INFINITY;
    if (end > bytes.length) throw new ProxyHeaderError('a part of it is cut short');
    yield [bytes[at] ?? 0, bytes.subarray(valueAt, end)];
    at = end;
  }
}
