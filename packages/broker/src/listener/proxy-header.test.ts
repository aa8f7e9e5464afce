import { describe, expect, it } from 'vitest';
import { type ProxyHeader, ProxyHeaderReader } from './proxy-header.js';

const SIGNATURE = '0d0a0d0a000d0a515549540a';
const IPV4 = 'c0a80001 0a000002 1f90 075b';
const IPV6 = '20010db8000000000000000000000001 00000000000000000000000000000001 ffff 0001';
const unix = (path: string): string => Buffer.from(path).toString('hex').padEnd(216, '0') + '0'.repeat(216);

/** A header of version 2, with the length of its body filled in. */
function v2(head: string, body = ''): string {
  const bytes = body.replaceAll(' ', '');
  return `${SIGNATURE}${head}${(bytes.length / 2).toString(16).padStart(4, '0')}${bytes}`;
}

function tlv(type: string, value: string): string {
  return `${type}${(value.length / 2).toString(16).padStart(4, '0')}${value}`;
}

const text = (words: string): string => Buffer.from(words).toString('hex');

function read(version: 1 | 2, hex: string, pieces = 1): { header: ProxyHeader; rest: string } | undefined {
  const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex');
  const reader = new ProxyHeaderReader(version);
  const step = Math.max(1, Math.ceil(bytes.length / pieces));
  for (let at = 0; at < bytes.length; at += step) {
    const found = reader.receive(bytes.subarray(at, at + step));
    if (found !== undefined) {
      return { header: found.header, rest: found.rest.toString('hex') + bytes.toString('hex', at + step) };
    }
  }
  return undefined;
}

const from = (address: string, port: number): Partial<ProxyHeader> => ({ source: { address, port } });
const nowhere: Partial<ProxyHeader> = { source: undefined, healthCheck: false, tls: undefined };

// biome-ignore format: one row a line
const GOOD: readonly [version: 1 | 2, what: string, header: string, expected: Partial<ProxyHeader>][] = [
  [1, 'TCP4', text('PROXY TCP4 192.168.0.1 10.0.0.2 8080 1883\r\n'), from('192.168.0.1', 8080)],
  [1, 'TCP6', text('PROXY TCP6 2001:db8::1 ::1 65535 1\r\n'), from('2001:db8::1', 65535)],
  [1, 'UNKNOWN', text('PROXY UNKNOWN\r\n'), nowhere],
  [1, 'UNKNOWN with anything', text('PROXY UNKNOWN ffff::1 nonsense\r\n'), nowhere],
  [1, 'the longest line', text(`PROXY UNKNOWN ${'x'.repeat(91)}\r\n`), nowhere],
  [2, 'TCP4', v2('2111', IPV4), from('192.168.0.1', 8080)],
  [2, 'TCP6', v2('2121', IPV6), from('2001:db8::1', 65535)],
  [2, 'an IPv4 address in IPv6', v2('2121', `00000000000000000000ffffc0a80001 ${'00'.repeat(16)} 0001 0001`), from('192.168.0.1', 1)],
  [2, 'a Unix socket', v2('2131', unix('/run/app.sock')), from('/run/app.sock', 0)],
  [2, 'LOCAL', v2('2011', IPV4), nowhere],
  [2, 'a health check', v2('2000'), { source: undefined, healthCheck: true }],
  [2, 'a health check with a body', v2('2000', '01020304'), { healthCheck: true }],
  [2, 'TLVs of other kinds', v2('2111', IPV4 + tlv('01', text('mqtt')) + tlv('04', '')), { ...from('192.168.0.1', 8080), tls: undefined }],
  [2, '500 bytes', v2('2111', IPV4 + tlv('04', '00'.repeat(485))), from('192.168.0.1', 8080)],
];

describe.each(GOOD)('PROXY version %i: %s', (version, _what, header, expected) => {
  it('is read, and what follows is left', () => {
    const found = read(version, `${header}10ff`);
    expect(found?.header).toMatchObject(expected);
    expect(found?.rest).toBe('10ff');
  });

  it('may come byte by byte (broker T-46)', () => {
    const found = read(version, `${header}10ff`, Number.POSITIVE_INFINITY);
    expect(found?.header).toMatchObject(expected);
    expect(found?.rest).toBe('10ff');
  });

  it('is not complete without its last byte', () => {
    expect(read(version, header.replaceAll(' ', '').slice(0, -2))).toBeUndefined();
  });
});

// biome-ignore format: one row a line
const BAD: readonly [version: 1 | 2, what: string, header: string][] = [
  [1, 'MQTT at once', '100c'],
  [1, 'a header of version 2', SIGNATURE],
  [1, 'lower case', text('proxy ')],
  [1, 'another protocol', text('PROXY UDP4 1.2.3.4 1.2.3.4 1 1\r\n')],
  [1, 'an IPv6 address as TCP4', text('PROXY TCP4 ::1 1.2.3.4 1 1\r\n')],
  [1, 'an IPv4 address as TCP6', text('PROXY TCP6 ::1 1.2.3.4 1 1\r\n')],
  [1, 'half an address', text('PROXY TCP4 1.2.3 1.2.3.4 1 1\r\n')],
  [1, 'port 0', text('PROXY TCP4 1.2.3.4 1.2.3.4 0 1\r\n')],
  [1, 'port 65536', text('PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n')],
  [1, 'a port with a sign', text('PROXY TCP4 1.2.3.4 1.2.3.4 +1 1\r\n')],
  [1, 'no ports', text('PROXY TCP4 1.2.3.4 1.2.3.4\r\n')],
  [1, 'a word too many', text('PROXY TCP4 1.2.3.4 1.2.3.4 1 1 1\r\n')],
  [1, 'two spaces', text('PROXY TCP4  1.2.3.4 1.2.3.4 1 1\r\n')],
  [1, 'a line feed alone', text(`PROXY TCP4 1.2.3.4 1.2.3.4 1 1\n${'x'.repeat(80)}`)],
  [1, 'a line that is too long', text(`PROXY UNKNOWN ${'x'.repeat(92)}\r\n`)],
  [1, 'a line without end', text(`PROXY UNKNOWN ${'x'.repeat(93)}`)],
  [2, 'MQTT at once', '100c'],
  [2, 'a header of version 1', text('PROXY TCP4')],
  [2, 'a signature that ends otherwise', `${SIGNATURE.slice(0, -2)}00`],
  [2, 'version 1', v2('1111', IPV4)],
  [2, 'another command', v2('2211', IPV4)],
  [2, 'UDP', v2('2112', IPV4)],
  [2, 'no family', v2('2100')],
  [2, 'an unknown family with LOCAL', v2('2041', '00'.repeat(4))],
  [2, 'a length of 501', `${SIGNATURE}211101f5`],
  [2, 'addresses cut short', v2('2111', IPV4.slice(0, -2))],
  [2, 'a TLV without length', v2('2111', `${IPV4}0400`)],
  [2, 'a TLV that reaches too far', v2('2111', `${IPV4}040002ff`)],
  [2, 'a TLV about TLS cut short', v2('2111', IPV4 + tlv('20', '01000000'))],
  [2, 'a part of it that reaches too far', v2('2111', IPV4 + tlv('20', '0100000000210002ff'))],
  [2, 'a path with control characters', v2('2131', unix('/run/a\nb'))],
];

describe.each(BAD)('PROXY version %i: %s', (version, _what, header) => {
  it('is no header', () => {
    expect(() => read(version, header)).toThrow(expect.objectContaining({ name: 'ProxyHeaderError' }));
  });

  it('is none byte by byte either', () => {
    expect(() => read(version, header, Number.POSITIVE_INFINITY)).toThrow(
      expect.objectContaining({ name: 'ProxyHeaderError' }),
    );
  });
});

const NAMES = tlv('21', text('TLSv1.3')) + tlv('22', text('dévice')) + tlv('23', text('AES'));

// biome-ignore format: one row a line
const TLS: readonly [what: string, value: string, expected: object][] = [
  ['TLS without certificate', `0100000001${NAMES}`, { secure: true, verified: false, version: 'TLSv1.3', cipher: 'AES', commonName: 'dévice' }],
  ['a verified certificate', `0500000000${NAMES}`, { secure: true, verified: true }],
  ['all bits', '0700000000', { secure: true, verified: true, version: undefined, cipher: undefined, commonName: undefined }],
  ['a certificate of the connection alone', '0300000000', { secure: true, verified: false }],
  ['a certificate that was not verified', '0500000001', { secure: true, verified: false }],
  ['a certificate without TLS', '0400000000', { secure: false, verified: false }],
  ['no TLS', '0000000000', { secure: false, verified: false }],
  ['a name with NUL', `0500000000${tlv('22', '610062')}`, { verified: true, commonName: undefined }],
  ['a name that is no UTF-8', `0500000000${tlv('22', 'c328')}`, { verified: true, commonName: undefined }],
  ['an unknown part', `0500000000${tlv('25', text('RSA'))}${NAMES}`, { commonName: 'dévice' }],
];

it.each(TLS)('PROXY version 2 tells of %s', (_what, value, expected) => {
  expect(read(2, v2('2111', IPV4 + tlv('20', value)))?.header.tls).toMatchObject(expected);
});
