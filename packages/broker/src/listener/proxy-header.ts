import { isIPv4, isIPv6 } from 'node:net';
import { ProxyHeaderError } from './proxy-header-error.js';
import { type ProxyTls, readProxyTls } from './proxy-tls.js';

/** Where a connection really comes from, as the proxy in front says it. */
export interface ProxySource {
  readonly address: string;
  /** 0 for a Unix socket, whose address is its path. */
  readonly port: number;
}

/** A PROXY header, read (broker §10.3). */
export interface ProxyHeader {
  /** Undefined: the socket's own address holds. */
  readonly source: ProxySource | undefined;
  /** The proxy itself looks whether somebody is there: nothing follows. */
  readonly healthCheck: boolean;
  readonly tls: ProxyTls | undefined;
}

const V1_START = Buffer.from('PROXY ');
/** With the two bytes at its end. */
const V1_LONGEST = 107;
const V2_SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
/** Signature, version and command, family, length. */
const V2_FIXED = 16;
const V2_LONGEST = 500;

const KEEPS_SOCKET_ADDRESS: ProxyHeader = { source: undefined, healthCheck: false, tls: undefined };
const HEALTH_CHECK: ProxyHeader = { source: undefined, healthCheck: true, tls: undefined };

/** Reads the header in front of a connection, in however many pieces it comes (broker T-46). Keeps at most its bytes. */
export class ProxyHeaderReader {
  readonly #read: (bytes: Buffer) => readonly [header: ProxyHeader, length: number] | undefined;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(version: 1 | 2) {
    this.#read = version === 1 ? readV1 : readV2;
  }

  /**
   * @returns the header and the bytes behind it; undefined while it is incomplete.
   * @throws ProxyHeaderError as soon as the bytes cannot become a header any more.
   */
  receive(chunk: Buffer): { readonly header: ProxyHeader; readonly rest: Buffer } | undefined {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    const found = this.#read(this.#bytes);
    if (found === undefined) return undefined;
    const [header, length] = found;
    return { header, rest: this.#bytes.subarray(length) };
  }
}

/**
 * Version 1, a line of text:
 *
 *     PROXY TCP4|TCP6 SRC DST SPORT DPORT \r\n
 *     PROXY UNKNOWN ... \r\n
 */
function readV1(bytes: Buffer): readonly [ProxyHeader, number] | undefined {
  expectStart(bytes, V1_START);
  const end = bytes.subarray(0, V1_LONGEST).indexOf('\r\n');
  if (end === -1) {
    if (bytes.length >= V1_LONGEST) throw new ProxyHeaderError('the line is too long');
    return undefined;
  }
  const [, family, source = '', destination = '', sourcePort = '', destinationPort = '', ...more] = bytes
    .toString('latin1', 0, end)
    .split(' ');
  if (family === 'UNKNOWN') return [KEEPS_SOCKET_ADDRESS, end + 2];
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isIPv6 : undefined;
  if (isAddress === undefined) throw new ProxyHeaderError('the protocol is not known');
  if (!isAddress(source) || !isAddress(destination)) throw new ProxyHeaderError('an address does not parse');
  if (!isPort(sourcePort) || !isPort(destinationPort) || more.length > 0) {
    throw new ProxyHeaderError('the ports do not parse');
  }
  return [
    { source: { address: source, port: Number(sourcePort) }, healthCheck: false, tls: undefined },
    end + 2,
  ];
}

function isPort(word: string): boolean {
  return /^[1-9][0-9]{0,4}$/.test(word) && Number(word) <= 65_535;
}

/**
 * Version 2:
 *
 *     signature 12 | version 2, command (4 bits each) | family, transport (4 bits each) | length 2 | addresses | TLVs
 *
 * Addresses are source and destination, then their ports; for Unix sockets two paths of 108 bytes, filled up with NUL.
 */
function readV2(bytes: Buffer): readonly [ProxyHeader, number] | undefined {
  expectStart(bytes, V2_SIGNATURE);
  if (bytes.length < V2_FIXED) return undefined;
  const command = bytes[12];
  if (command !== LOCAL && command !== PROXY) throw new ProxyHeaderError('version or command is not known');
  const length = bytes.readUInt16BE(14);
  if (length > V2_LONGEST) throw new ProxyHeaderError(`it has ${length} bytes`);
  const family = bytes[13] ?? 0;
  const addresses = FAMILIES.get(family);
  const healthCheck = command === LOCAL && family === UNSPECIFIED;
  if (addresses === undefined && !healthCheck) throw new ProxyHeaderError('the family is not known');
  const end = V2_FIXED + length;
  if (bytes.length < end) return undefined;
  if (addresses === undefined) return [HEALTH_CHECK, end];
  const body = bytes.subarray(V2_FIXED, end);
  if (body.length < addresses.length) throw new ProxyHeaderError('the addresses are cut short');
  // LOCAL: the proxy speaks for itself, and its addresses mean nothing.
  if (command === LOCAL) return [KEEPS_SOCKET_ADDRESS, end];
  const tls = readProxyTls(body.subarray(addresses.length));
  return [{ source: addresses.source(body), healthCheck: false, tls }, end];
}

const LOCAL = 0x20;
const PROXY = 0x21;
const UNSPECIFIED = 0x00;

interface AddressBlock {
  readonly length: number;
  source(body: Buffer): ProxySource;
}

const FAMILIES: ReadonlyMap<number, AddressBlock> = new Map([
  [
    0x11,
    {
      length: 12,
      source: (body) => ({ address: body.subarray(0, 4).join('.'), port: body.readUInt16BE(8) }),
    },
  ],
  [0x21, { length: 36, source: (body) => ({ address: ipv6Text(body), port: body.readUInt16BE(32) }) }],
  [0x31, { length: 216, source: (body) => ({ address: pathText(body.subarray(0, 108)), port: 0 }) }],
]);

/** An IPv6 address in its usual short form. */
function ipv6Text(body: Buffer): string {
  const groups: string[] = [];
  for (let at = 0; at < 16; at += 2) groups.push(body.readUInt16BE(at).toString(16));
  // The URL parser writes addresses as RFC 5952 has it, but for those that hold an IPv4 address.
  const text = new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1);
  const mapped = text.startsWith('::ffff:') && text.length > 7;
  return mapped ? body.subarray(12, 16).join('.') : text;
}

function pathText(field: Buffer): string {
  const end = field.indexOf(0);
  const path = field.toString('utf8', 0, end === -1 ? field.length : end);
  // It stands in log lines.
  if (/[\u0000-\u001f\u007f-\u009f]/.test(path))
    throw new ProxyHeaderError('the path has control characters');
  return path;
}

function expectStart(bytes: Buffer, start: Buffer): void {
  const length = Math.min(bytes.length, start.length);
  if (bytes.compare(start, 0, length, 0, length) !== 0) throw new ProxyHeaderError('there is none');
}
