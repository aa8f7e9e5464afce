import { expect, test } from 'vitest';
import { parseProxyUrl } from './proxy-url.js';

// biome-ignore format: one row a line
test.each([
  ['127.0.0.1', { host: '127.0.0.1', port: 1080 }],
  ['proxy.example:1', { host: 'proxy.example', port: 1 }],
  ['proxy.example:65535', { host: 'proxy.example', port: 65535 }],
  ['[::1]', { host: '::1', port: 1080 }],
  ['[2001:db8::2]:99', { host: '2001:db8::2', port: 99 }],
  ['u@h', { host: 'h', port: 1080, username: 'u' }],
  ['u:p@h:1', { host: 'h', port: 1, username: 'u', password: 'p' }],
  ['u:p@[::1]:1', { host: '::1', port: 1, username: 'u', password: 'p' }],
  ['a%3Ab%3ac:%40%25@h', { host: 'h', port: 1080, username: 'a:b:c', password: '@%' }],
  ['a%2525@h', { host: 'h', port: 1080, username: 'a%25' }],
  ['h%40', { host: 'h%40', port: 1080 }],
])('socks5h://%s', (rest, expected) => {
  expect(parseProxyUrl(`socks5h://${rest}`)).toEqual(expected);
});

const MALFORMED = ['malformed-proxy-url', ''] as const;
const INVALID = ['invalid-proxy', 'Invalid proxy.'] as const;
const port = (text: string) => ['invalid-proxy-port', `Invalid proxy port ${text}`] as const;
const unsupported = (url: string) => [
  url,
  'unsupported-proxy-protocol',
  `Unsupported proxy protocol: ${url}`,
];

// biome-ignore format: one row a line
test.each([
  unsupported(''),
  unsupported('http://h'),
  unsupported('socks5://h'),
  unsupported('SOCKS5H://h'),
  ['socks5h://', ...INVALID],
  ['socks5h://h:', ...INVALID],
  ['socks5h://u:p@', ...INVALID],
  ['socks5h://[::1]:', ...INVALID],
  ['socks5h://h:0', ...port('0')],
  ['socks5h://h:65536', ...port('65536')],
  ['socks5h://h:99999999999', ...port('99999999999')],
  ['socks5h://h:-5', ...port('-5')],
  ['socks5h://h:abc', ...port('abc')],
  ['socks5h://h:1x', ...port('1x')],
  ['socks5h://h: 1', ...port(' 1')],
  ['socks5h://h:1/', ...port('1/')],
  ['socks5h://[::1]:x', ...port('x')],
  ['socks5h://u:p:q@h', 'proxy-username-colon', "Username cannot contain ':'."],
  ['socks5h://[::1][::1]:1', 'duplicate-ipv6-address', 'Duplicate IPv6 address.'],
  ['socks5h://@h', ...MALFORMED],
  ['socks5h://:@h', ...MALFORMED],
  ['socks5h://:p@h', ...MALFORMED],
  ['socks5h://u:@h', ...MALFORMED],
  ['socks5h://a@b@h', ...MALFORMED],
  ['socks5h://u%41@h', ...MALFORMED],
  ['socks5h://u%@h', ...MALFORMED],
  ['socks5h://u%3@h', ...MALFORMED],
  ['socks5h://u:%zz@h', ...MALFORMED],
  ['socks5h://:1', ...MALFORMED],
  ['socks5h://::1', ...MALFORMED],
  ['socks5h://h:1:2', ...MALFORMED],
  ['socks5h://[::1', ...MALFORMED],
  ['socks5h://[::1]x:1', ...MALFORMED],
  ['socks5h://x[::1]:1', ...MALFORMED],
  ['socks5h://[]:1', ...MALFORMED],
  ['socks5h://[h]:1', ...MALFORMED],
])('%s is refused', (url, code, message) => {
  expect(() => parseProxyUrl(url as string)).toThrow(expect.objectContaining({ name: 'UsageError', code, message }));
});
