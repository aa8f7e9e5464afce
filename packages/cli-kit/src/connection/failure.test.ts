import type { ClientError } from '@tsmqtt/client';
import { REASON_CODES } from '@tsmqtt/protocol';
import { describe, expect, test } from 'vitest';
import { connectionFailure, type FailureContext } from './failure.js';
import { reconnectDelay } from './reconnect.js';

function error(code: ClientError['code'], details: object = {}): ClientError {
  return Object.assign(new Error(code), {
    code,
    reasonCode: undefined,
    properties: [],
    ...details,
  }) as unknown as ClientError;
}

function outcome(
  code: ClientError['code'],
  details: object = {},
  context: FailureContext = { tool: 'pub', lines: false },
): [number, string] {
  const { exitCode, text } = connectionFailure(error(code, details), context);
  return [exitCode, text.toString()];
}

function errno(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code });
}

describe('the first connection (cli §9.8, P-9, D-1)', () => {
  test.each([
    ['ECONNREFUSED', '127.0.0.1', 'Error: Connection refused (127.0.0.1:1883)\n'],
    ['ENETUNREACH', '::1', 'Error: Network is unreachable ([::1]:1883)\n'],
    ['EHOSTUNREACH', '10.0.0.1', 'Error: No route to host (10.0.0.1:1883)\n'],
    ['ETIMEDOUT', '10.0.0.1', 'Error: Connection timed out (10.0.0.1:1883)\n'],
    ['EADDRNOTAVAIL', '10.0.0.1', 'Error: Cannot assign requested address (10.0.0.1:1883)\n'],
  ])('%s', (code, address, text) =>
    expect(outcome('connect-failed', { cause: errno(code), address, port: 1883 })).toEqual([1, text]),
  );

  test('a Unix socket', () =>
    expect(outcome('connect-failed', { cause: errno('ENOENT'), address: '/a:b' })).toEqual([
      1,
      'Error: No such file or directory (/a:b)\n',
    ]));

  test.each(['tls-setup', 'tls-failed', 'tls-interrupted'] as const)('%s, in plain words (P-10)', (code) =>
    expect(outcome(code, { message: 'certificate has expired' })).toEqual([
      1,
      'Unable to connect (A TLS error occurred: certificate has expired).\n',
    ]),
  );

  test('a name that does not resolve', () =>
    expect(outcome('lookup-failed')).toEqual([1, 'Unable to connect (Lookup error).\n']));
});

describe('CONNACK refusals (cli §17.2)', () => {
  const V3 = [
    [1, 'unacceptable protocol version'],
    [2, 'identifier rejected'],
    [3, 'broker unavailable'],
    [4, 'bad user name or password'],
    [5, 'not authorised'],
    [6, 'unknown reason'],
    [255, 'unknown reason'],
  ] as const;
  for (const protocolVersion of [3, 4]) {
    test.each(V3)(`MQTT 3 level ${protocolVersion}, code %i`, (reasonCode, text) => {
      const first = `Connection error: Connection Refused: ${text}\n`;
      const second =
        reasonCode <= 5
          ? 'Error: The connection was refused\n'
          : 'Error: A network protocol error occurred when communicating with the broker\n';
      const details = { reasonCode, protocolVersion };
      expect(outcome('refused', details)).toEqual([reasonCode, first + second]);
      expect(outcome('refused', details, { tool: 'sub', lines: false })).toEqual([reasonCode, first]);
      // The reference reads them from the table of MQTT 5 (D-5).
      expect(outcome('refused', details, { tool: 'rr', lines: false })).toEqual([reasonCode, first]);
    });
  }

  const refusals = REASON_CODES.filter(
    ({ code, packets }) => code >= 128 && code !== 132 && (packets as readonly string[]).includes('CONNACK'),
  );
  test.each(refusals)('MQTT 5 $code', ({ code: reasonCode, text }) => {
    const details = { reasonCode, protocolVersion: 5 };
    const first = `Connection error: ${text}\n`;
    expect(outcome('refused', details)).toEqual([
      reasonCode,
      `${first}Error: A network protocol error occurred when communicating with the broker\n`,
    ]);
    expect(outcome('refused', details, { tool: 'pub', lines: true })).toEqual([
      reasonCode,
      `${first}Error: The connection was refused\n`,
    ]);
    expect(outcome('refused', details, { tool: 'sub', lines: false })).toEqual([reasonCode, first]);
    expect(outcome('refused', details, { tool: 'rr', lines: false })).toEqual([reasonCode, first]);
  });

  test.each([132, 1])('MQTT 5 against a broker without it, code %i (D-17)', (reasonCode) => {
    expect(outcome('refused', { reasonCode, protocolVersion: 5 }, { tool: 'sub', lines: false })).toEqual([
      132,
      'Connection error: Unsupported Protocol Version. Try connecting to an MQTT v5 broker, or use MQTT v3.x mode.\n',
    ]);
    expect(outcome('refused', { reasonCode, protocolVersion: 5 }, { tool: 'rr', lines: false })).toEqual([
      132,
      'Connection error: Unsupported Protocol Version\n',
    ]);
  });
});

describe('after the connection was made (cli §11.5)', () => {
  const LOST: [number, string] = [7, 'Error: The connection was lost\n'];
  const NOT_CONNECTED: [number, string] = [4, 'Error: The client is not currently connected\n'];
  test.each([
    ['connection-lost', {}, LOST],
    ['keep-alive', {}, [19, 'Error: Keepalive exceeded\n']],
    ['server-disconnect', { reasonCode: 0x8b }, NOT_CONNECTED],
    ['server-disconnect', { reasonCode: 0 }, LOST],
    ['malformed', {}, [21, 'Error: Malformed packet\n']],
    [
      'protocol-error',
      {},
      [2, 'Error: A network protocol error occurred when communicating with the broker\n'],
    ],
    ['unexpected-auth', {}, [11, 'Error: Authorisation failed\n']],
    ['packet-too-large', {}, LOST],
    [
      'qos-not-supported',
      {},
      [7, 'Error: Message QoS not supported on broker, try a lower QoS.\nError: The connection was lost\n'],
    ],
  ] as const)('%s %j', (code, details, expected) => expect(outcome(code, details)).toEqual(expected));

  test('pub -l words two of them otherwise', () => {
    const lines = { tool: 'pub', lines: true } as const;
    expect(outcome('qos-not-supported', {}, lines)).toEqual([
      24,
      'Error: Requested QoS not supported on server\n',
    ]);
    expect(outcome('packet-too-large', {}, lines)).toEqual([
      25,
      'Error: Packet larger than supported by the server\n',
    ]);
  });
});

test.each([
  ['server-disconnect', { reasonCode: 0x8b }, 7, 'The connection was lost'],
  ['server-disconnect', { reasonCode: 0 }, 7, 'The connection was lost'],
  ['proxy-unreachable', {}, 4, 'The client is not currently connected'],
  ['qos-not-supported', {}, 24, 'Requested QoS not supported on server'],
  ['packet-too-large', {}, 25, 'Packet larger than supported by the server'],
] as const)('rr, %s %j (D-5)', (code, details, exitCode, text) =>
  expect(outcome(code, details, { tool: 'rr', lines: false })).toEqual([exitCode, `Error: ${text}\n`]),
);

describe('reconnecting (P-8)', () => {
  test('starts after a second, grows with jitter, up to 30 s', () => {
    expect(reconnectDelay(1)).toBe(1000);
    expect([2, 3, 4, 5, 6, 1000].map((attempt) => reconnectDelay(attempt, () => 1))).toEqual([
      2000, 4000, 8000, 16_000, 30_000, 30_000,
    ]);
    expect(reconnectDelay(3, () => 0)).toBe(3000);
  });
});

describe('what the broker says of it (MQTT 5)', () => {
  const properties = [
    { name: 'reasonString', value: 'maintenance until 12:00' },
    { name: 'serverReference', value: 'other.example:1883' },
  ];
  const words = 'The broker says: maintenance until 12:00\nThe broker refers to: other.example:1883\n';

  test('with CONNACK stands behind the refusal', () =>
    expect(
      outcome('refused', { reasonCode: 0x9c, protocolVersion: 5, properties }, { tool: 'sub', lines: false }),
    ).toEqual([0x9c, `Connection error: Use another server\n${words}`]));

  test('with DISCONNECT stands behind the error', () =>
    expect(outcome('server-disconnect', { reasonCode: 0x9d, properties })).toEqual([
      4,
      `Error: The client is not currently connected\n${words}`,
    ]));
});
