import { expect, it } from 'vitest';
import { DEFAULT_SETTINGS, type ListenerSettings } from '../settings.js';
import { ConfReader } from './conf-reader.js';

/** What the options of a WebSocket listener, a proxy in front and the HTTP API set (contract broker §3.2). */
function listenersOf(text: string): readonly ListenerSettings[] {
  const reader = new ConfReader({ readFile: () => Buffer.from(text), readDir: () => [] }, () => {});
  reader.read('main.conf');
  return reader.finish().settings.listeners;
}

// biome-ignore format: one row a line
it.each([
  ['listener 1', { protocol: 'mqtt', websocketsOrigins: [] }],
  ['listener 1\nprotocol websockets', { protocol: 'websockets' }],
  ['listener 1\nwebsockets_origin https://a\nwebsockets_origin http://b:8080', { websocketsOrigins: ['https://a', 'http://b:8080'] }],
  ['listener 1\nprotocol http_api\nhttp_dir /srv/a b', { protocol: 'http_api', httpDir: '/srv/a b' }],
  ['listener 1\nenable_proxy_protocol 1', { proxyProtocol: 1, proxyProtocolV2RequireTls: false }],
  ['listener 1\nenable_proxy_protocol 2\nproxy_protocol_v2_require_tls true', { proxyProtocol: 2, proxyProtocolV2RequireTls: true }],
])('%j', (text, expected) => {
  expect(listenersOf(text)).toMatchObject([expected]);
});

it('keeps the origins of two listeners apart', () => {
  const listeners = listenersOf('listener 1\nwebsockets_origin a\nlistener 2\nwebsockets_origin b');
  expect(listeners.map(({ websocketsOrigins }) => websocketsOrigins)).toEqual([['a'], ['b']]);
  expect(DEFAULT_SETTINGS.listeners[0]?.websocketsOrigins).toEqual([]);
});
