import type { Properties } from '@tsmqtt/protocol';
import { describe, expect, test } from 'vitest';
import { clockOf, formatted, type MessageFields, publish } from '../../test/formatted.js';

const TST = '"tst":"2026-11-23T10:51:21.075397+0000"';

function json(fields: MessageFields, format = '%j', pretty = false): string {
  return formatted(format, publish(fields), { pretty }).out.toString('latin1');
}

describe('keys (cli §15.1)', () => {
  test('the example of the contract', () => {
    const properties: Properties = [
      { name: 'contentType', value: 'text/plain' },
      { name: 'userProperty', value: ['k1', 'v1'] },
      { name: 'subscriptionIdentifier', value: 99 },
    ];
    expect(json({ qos: 1, packetId: 7, properties })).toBe(
      `{${TST},"topic":"a/b","qos":1,"retain":false,"payloadlen":5,"mid":7,"properties":{"content-type":"text/plain","user-properties":[{"k1":"v1"}],"subscription-identifier":99},"payload":"hello"}`,
    );
  });

  test('QoS 0 has no mid, and no properties where none came', () => {
    expect(json({ retain: true })).toBe(
      `{${TST},"topic":"a/b","qos":0,"retain":true,"payloadlen":5,"payload":"hello"}`,
    );
  });

  test('every property, in received order, user properties where the first one stood', () => {
    const properties: Properties = [
      { name: 'payloadFormatIndicator', value: 1 },
      { name: 'userProperty', value: ['k', 'v'] },
      { name: 'messageExpiryInterval', value: 4294967295 },
      { name: 'topicAlias', value: 3 },
      { name: 'subscriptionIdentifier', value: 4 },
      { name: 'subscriptionIdentifier', value: 5 },
      { name: 'userProperty', value: ['k', 'w"\u007f'] },
      { name: 'responseTopic', value: '' },
      { name: 'correlationData', value: Buffer.from('ab\0cd') },
      { name: 'userProperty', value: ['', ''] },
    ];
    expect(json({ properties })).toContain(
      '"properties":{"payload-format-indicator":1,"user-properties":[{"k":"v"},{"k":"w\\"\x7f"},{"":""}],' +
        '"message-expiry-interval":4294967295,"topic-alias":3,"subscription-identifier":4,' +
        '"subscription-identifier":5,"response-topic":"","correlation-data":"ab"},"payload":',
    );
  });

  test('an empty payload is null', () => {
    for (const format of ['%j', '%J']) {
      expect(json({ payload: '' }, format)).toContain('"payloadlen":0,"payload":null}');
    }
  });

  test('microseconds are those of each reading', () => {
    const second = 1_795_431_081_000_000_000n;
    const clock = clockOf(second + 9999n, second + 999_999_999n, second + 1_000_000_000n);
    const { out } = formatted('%j\n', [publish(), publish({ topic: 'é' }), publish()], { clock });
    const times = out
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).tst);
    expect(times).toEqual([
      '2026-11-23T10:51:21.000009+0000',
      '2026-11-23T10:51:21.999999+0000',
      '2026-11-23T10:51:22.000000+0000',
    ]);
  });

  test('width, precision and flags mean nothing', () => {
    expect(json({}, '%-0200.1:j')).toBe(json({}));
  });
});

describe('strings (cli §15.2, P-6)', () => {
  test.each(Array.from({ length: 256 }, (_, byte) => byte))('payload of the byte %i', (byte) => {
    const payload = Buffer.of(0x61, byte);
    const text = json({ payload });
    if (byte >= 0x80) {
      expect(text).toMatch(/"payload":null,"payload_base64":"[^"]+"}$/);
      expect(Buffer.from(JSON.parse(text).payload_base64, 'base64')).toEqual(payload);
      return;
    }
    const short: Record<number, string> = {
      8: '\\b',
      9: '\\t',
      10: '\\n',
      12: '\\f',
      13: '\\r',
      34: '\\"',
      92: '\\\\',
    };
    const other = byte < 0x20 ? `\\u${byte.toString(16).padStart(4, '0')}` : String.fromCharCode(byte);
    expect(text).toContain(`"payload":"a${short[byte] ?? other}"}`);
    expect(JSON.parse(text).payload).toBe(payload.toString());
  });

  test.each(Array.from({ length: 255 }, (_, byte) => byte + 1))('correlation data of the byte %i', (byte) => {
    const value = Buffer.of(0x61, byte);
    const properties: Properties = [{ name: 'correlationData', value }];
    const { out } = formatted('%j', publish({ properties }));
    // Buffer's own decoding replaces what is not UTF-8.
    expect(JSON.parse(out.toString()).properties['correlation-data']).toBe(value.toString());
    if (byte >= 0x80) expect(out.toString()).toContain('"a\ufffd"');
  });

  test.each(['é', '€', '😀', '\ufeffx', '\u2028', 'a/b\u007f\u0080'])('%j is copied raw', (text) => {
    expect(formatted('%j', publish({ payload: text })).out.toString()).toContain(`"payload":"${text}"}`);
  });

  test.each(['ff', 'c328', 'eda080', 'c080', 'f4908080', 'e282'])('%s is not UTF-8', (hex) => {
    const payload = Buffer.from(hex, 'hex');
    expect(JSON.parse(json({ payload }))).toMatchObject({
      payload: null,
      payload_base64: payload.toString('base64'),
      payloadlen: payload.length,
    });
  });

  test('long payloads with much to escape', () => {
    const payload = '"\u0001é\\x'.repeat(20_000);
    expect(JSON.parse(formatted('%j', publish({ payload })).out.toString()).payload).toBe(payload);
  });

  test('topics change and are escaped', () => {
    const messages = ['a"b', 'a"b', '\u{1f600}\\'].map((topic) => publish({ topic }));
    const lines = formatted('%j\n', messages).out.toString().trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).topic)).toEqual(['a"b', 'a"b', '\u{1f600}\\']);
  });
});

describe('--pretty (cli §15.2)', () => {
  test('the example of the contract', () => {
    const properties: Properties = [
      { name: 'userProperty', value: ['k1', 'v1'] },
      { name: 'userProperty', value: ['k2', 'v2'] },
    ];
    const payload = '{"a":{},"b":[],"c":[1,{"d":true}]}';
    expect(json({ payload, properties }, '%J', true)).toBe(`{
\t"tst":\t"2026-11-23T10:51:21.075397+0000",
\t"topic":\t"a/b",
\t"qos":\t0,
\t"retain":\tfalse,
\t"payloadlen":\t34,
\t"properties":\t{
\t\t"user-properties":\t[{
\t\t\t\t"k1":\t"v1"
\t\t\t}, {
\t\t\t\t"k2":\t"v2"
\t\t\t}]
\t},
\t"payload":\t{
\t\t"a":\t{
\t\t},
\t\t"b":\t[],
\t\t"c":\t[1, {
\t\t\t\t"d":\ttrue
\t\t\t}]
\t}
}`);
  });

  test('mid and base64 have lines of their own', () => {
    const text = json({ payload: Buffer.of(0xff), qos: 2, packetId: 10 }, '%j', true);
    expect(text).toMatch(/,\n\t"mid":\t10,\n\t"payload":\tnull,\n\t"payload_base64":\t"\/w=="\n}$/);
  });
});

describe('a payload that is no JSON value', () => {
  test('prints nothing, says so, and the rest goes on (cli §15.3)', () => {
    const message = publish({ topic: 'é', payload: '{' });
    expect(formatted('<%J> %l', message)).toEqual({
      out: Buffer.from('<> 1'),
      errors: 'Error: Message payload is not valid JSON on topic é.\n',
    });
  });

  test('leaves nothing behind for the next message', () => {
    const messages = ['[1,2', '[3]'].map((payload) => publish({ payload }));
    const { out } = formatted('%J\n', messages);
    expect(out.toString()).toMatch(/^\n\{.*"payload":\[3\]\}\n$/);
  });
});
