import { describe, expect, it } from 'vitest';
import { chooseSubprotocol, refusalOf } from './websocket-request.js';

const HEADERS = {
  host: 'broker',
  upgrade: 'websocket',
  connection: 'Upgrade',
  'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
  'sec-websocket-version': '13',
  'sec-websocket-protocol': 'mqtt',
};
const REQUEST = { method: 'GET', httpVersion: '1.1', headers: HEADERS };
const ORIGINS = ['https://a.example', 'https://b.example:8443'];

describe('a request to upgrade', () => {
  // biome-ignore format: one row a line
  it.each([
    ['as it should be', {}, [], undefined],
    ['Upgrade in capitals', { headers: { ...HEADERS, upgrade: 'WebSocket' } }, [], undefined],
    ['an origin where any will do', { headers: { ...HEADERS, origin: 'https://a.example' } }, [], undefined],
    ['the first origin', { headers: { ...HEADERS, origin: 'https://a.example' } }, ORIGINS, undefined],
    ['the second origin', { headers: { ...HEADERS, origin: 'https://b.example:8443' } }, ORIGINS, undefined],
    ['no origin', {}, ORIGINS, undefined],
    ['an origin that only begins like one (broker T-45)', { headers: { ...HEADERS, origin: 'https://a.example.evil' } }, ORIGINS, 403],
    ['an origin in capitals', { headers: { ...HEADERS, origin: 'https://A.example' } }, ORIGINS, 403],
    ['an empty origin', { headers: { ...HEADERS, origin: '' } }, ORIGINS, 403],
    ['an origin that is null', { headers: { ...HEADERS, origin: 'null' } }, ORIGINS, 403],
    ['POST', { method: 'POST' }, [], 405],
    ['HTTP/1.0', { httpVersion: '1.0' }, [], 400],
    ['an upgrade to something else', { headers: { ...HEADERS, upgrade: 'h2c' } }, [], 426],
    ['version 8', { headers: { ...HEADERS, 'sec-websocket-version': '8' } }, [], 426],
    ['no version (broker B-15)', { headers: { ...HEADERS, 'sec-websocket-version': undefined } }, [], 426],
    ['no key', { headers: { ...HEADERS, 'sec-websocket-key': undefined } }, [], 400],
    ['a short key', { headers: { ...HEADERS, 'sec-websocket-key': 'AAAA' } }, [], 400],
    ['no subprotocol', { headers: { ...HEADERS, 'sec-websocket-protocol': undefined } }, [], 400],
    ['another subprotocol', { headers: { ...HEADERS, 'sec-websocket-protocol': 'mqttx, amqp' } }, [], 400],
  ])('with %s', (_what, change, origins, status) => {
    expect(refusalOf({ ...REQUEST, ...change }, origins)?.status).toBe(status);
  });

  it('that has the wrong origin is refused with the reason of the log (broker §5)', () => {
    const headers = { ...HEADERS, origin: 'x' };
    expect(refusalOf({ ...REQUEST, headers }, ORIGINS)?.reason).toBe('non-matching http origin');
  });
});

// biome-ignore format: one row a line
it.each([
  ['mqtt', 'mqtt'],
  ['mqttv3.1', 'mqttv3.1'],
  ['mqttv3.1, mqtt', 'mqttv3.1'],
  ['chat,mqtt ,mqttv3.1', 'mqtt'],
  ['MQTT', undefined],
  ['', undefined],
  [undefined, undefined],
])('of the subprotocols %j the first that is MQTT is %j [MQTT-6.0.0-4]', (offered, chosen) => {
  expect(chooseSubprotocol(offered)).toBe(chosen);
});
