import type { Properties } from '@tsmqtt/protocol';
import { describe, expect, test } from 'vitest';
import { clockOf, formatted, type MessageFields, publish } from '../../test/formatted.js';
import { posixZone } from './posix-zone.js';
import { fixedZone } from './time-zone.js';

function shown(format: string, fields: MessageFields = {}): string {
  return formatted(format, publish(fields)).out.toString('latin1');
}

/** The contract's example. */
const EXAMPLE = 707 / 1000;

function float(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

function double(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

describe('examples of cli §14.4', () => {
  test.each([
    ['%x', '68656c6c6f'],
    ['%X', '68656C6C6F'],
    ['%.2x', '68 65 6c 6c 6f'],
    ['%.2:x', '68:65:6c:6c:6f'],
    ['%.1x', '6 8 6 5 6 c 6 c 6 f'],
    ['%.3-x', '686-56c-6c6-f'],
    ['%4x', '68656c6c'],
    ['%2:x', '6865'],
    ['%12x', '  68656c6c6f'],
    ['%-12x!', '68656c6c6f  !'],
    ['%20.2:x', '  :  :  :  :  :68:65:6c:6c:6f'],
    ['%020.2:x', '00:00:00:00:00:68:65:6c:6c:6f'],
    ['%-20.2:x!', '68:65:6c:6c:6f          !'],
    ['%05l', '00005'],
    ['%-5l!', '5    !'],
    ['%8t', '     a/b'],
    ['%08t', '     a/b'],
    ['%.2t', 'a/'],
    ['%8.2t', '      a/'],
    ['%10p', '     hello'],
    ['%010p', '00000hello'],
    ['%3p', 'hel'],
    ['%.3p', 'hello'],
    ['%5q', '0'],
    ['%5%', '%'],
    ['%20U', '1795431081.075397123'],
    ['%3A', '   '],
    ['%03A', '000'],
    ['%04C', '0000'],
    ['%5D', ''],
    ['%5P', ''],
    ['%5R', ''],
  ])('%s', (format, text) => {
    expect(shown(format)).toBe(text);
  });

  test.each([
    ['%4.2:x', '  :  :'],
    ['%4x', '    '],
    ['%x', ''],
  ])('empty payload: %s', (format, text) => {
    expect(shown(format, { payload: '' })).toBe(text);
  });

  test.each([
    ['%f', '0.707000'],
    ['%.3f', '0.707'],
    ['%10.3f', '     0.707'],
    ['%010.3f', '000000.707'],
    ['%.f', '1'],
  ])('float 0.707: %s', (format, text) => {
    expect(shown(format, { payload: float(EXAMPLE) })).toBe(text);
  });
});

describe('width, flags and precision (cli §14.4)', () => {
  test.each<[string, MessageFields, string]>([
    ['%-p!', {}, 'hello!'],
    ['%-x!', {}, '68656c6c6f!'],
    ['%-6x!', {}, '68656c6c6f!'],
    ['%-3p!', {}, 'hel!'],
    ['%-8p!', {}, 'hello   !'],
    ['%-08p!', {}, 'hello   !'],
    ['%-014x!', {}, '68656c6c6f    !'],
    ['%014x!', {}, '000068656c6c6f!'],
    ['%.5x', {}, '68656 c6c6f'],
    ['%.20x', {}, '68656c6c6f'],
    ['%.0:x', {}, '68656c6c6f'],
    ['%13.2:x', {}, '  : 6:86:56:c6:c6:f'],
    ['%-5t!', {}, 'a/b  !'],
    ['%-05t!', {}, 'a/b  !'],
    ['%.0t!', {}, '!'],
    ['%.t!', {}, '!'],
    ['%.1t', { topic: 'é' }, '\xc3'],
    ['%4t', { topic: 'é' }, '  \xc3\xa9'],
    ['%-05l!', {}, '5    !'],
    ['%1l', { payload: 'x'.repeat(12) }, '12'],
    ['%5.3l', {}, '    5'],
    ['%-03A!', {}, '000!'],
    ['%3C|%-4.1C|%-3R|%3S', {}, '   |    ||   '],
    ['%5r%3D', { retain: true }, '1'],
    ['%5000p', { payload: '' }, ' '.repeat(5000)],
  ])('%s of %j', (format, fields, text) => {
    expect(shown(format, fields)).toBe(text);
  });
});

const PROPERTIES: Properties = [
  { name: 'userProperty', value: ['n', 'v'] },
  { name: 'payloadFormatIndicator', value: 1 },
  { name: 'messageExpiryInterval', value: 4294967295 },
  { name: 'contentType', value: 'text/é' },
  { name: 'responseTopic', value: 'r/t' },
  { name: 'correlationData', value: Buffer.from([0, 0xff, 1]) },
  { name: 'subscriptionIdentifier', value: 268435455 },
  { name: 'subscriptionIdentifier', value: 2 },
  { name: 'topicAlias', value: 65535 },
  { name: 'userProperty', value: ['', ''] },
  { name: 'userProperty', value: ['n', 'w'] },
];

describe('conversions (cli §14.3)', () => {
  const fields: MessageFields = { qos: 2, retain: true, packetId: 65535, properties: PROPERTIES };
  test.each([
    ['%%', '%'],
    ['%t', 'a/b'],
    ['%p', 'hello'],
    ['%l', '5'],
    ['%q', '2'],
    ['%r', '1'],
    ['%m', '65535'],
    ['%A', '65535'],
    ['%C', 'text/\xc3\xa9'],
    ['%D', '\0\xff\x01'],
    // D-10
    ['%E', '4294967295'],
    ['%12E', '  4294967295'],
    ['%F', '1'],
    // D-9
    ['%P', 'n:v : n:w'],
    ['%R', 'r/t'],
    ['%S', '268435455'],
    ['%8.4C!', '    text!'],
    ['%-6R!', 'r/t   !'],
  ])('%s', (format, text) => {
    expect(shown(format, fields)).toBe(text);
  });

  test('what is absent prints nothing without a width', () => {
    expect(shown('%A%C%D%E%F%P%R%S')).toBe('');
  });

  test('empty strings print as empty (D-9)', () => {
    const properties: Properties = [
      { name: 'contentType', value: '' },
      { name: 'responseTopic', value: '' },
      { name: 'correlationData', value: Buffer.alloc(0) },
      { name: 'userProperty', value: ['', ''] },
    ];
    expect(shown('%C|%3C|%R|%3R|%D|%P', { properties })).toBe('|   ||   ||:');
  });

  test('payload bytes pass untouched', () => {
    const payload = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    expect(formatted('%p%256p%x', publish({ payload })).out).toEqual(
      Buffer.concat([payload, payload, Buffer.from(payload.toString('hex'))]),
    );
  });

  test('values change from message to message', () => {
    const messages = ['a', 'a', 'é', 'b'].map((topic, index) =>
      publish({ topic, qos: 1, packetId: index + 1 }),
    );
    expect(formatted('%t%m ', messages, { lineEnd: true }).out.toString()).toBe('a1 \na2 \né3 \nb4 \n');
  });
});

describe('floats (cli §14.4)', () => {
  test.each<[string, Buffer, string]>([
    ['%d', double(1e300), `${BigInt(1e300)}.000000`],
    ['%d', double(-0), '-0.000000'],
    ['%f', float(-0), '-0.000000'],
    ['%.10f', float(0.1), '0.1000000015'],
    ['%.0d', double(2.5), '2'],
    ['%.1+d', double(0.25), '0.2'],
    ['%d', double(Number.NaN), 'nan'],
    ['%f', Buffer.from('0000c0ff', 'hex'), '-nan'],
    ['%08d', double(Number.POSITIVE_INFINITY), '     inf'],
    ['%-8f!', float(Number.NEGATIVE_INFINITY), '-inf    !'],
    ['%010.3d', double(-EXAMPLE), '-00000.707'],
    ['%-010.3d!', double(-EXAMPLE), '-0.707    !'],
    ['%2.1d', double(1234.5), '1234.5'],
  ])('%s of %j', (format, payload, text) => {
    expect(shown(format, { payload })).toBe(text);
  });

  test.each([
    ['%f', 8, 'requested float printing, but non-float data received'],
    ['%d', 4, 'requested double printing, but non-double data received'],
    ['%f', 0, 'requested float printing, but non-float data received'],
  ])('%s of %i bytes is said on stderr without a line end, the rest goes on', (format, length, text) => {
    const message = publish({ payload: Buffer.alloc(length) });
    expect(formatted(`<%5${format.slice(1)}> %l`, message)).toEqual({
      out: Buffer.from(`<> ${length}`),
      errors: text,
    });
  });
});

describe('time (cli §14.5)', () => {
  const moment = 1_795_431_081_000_000_000n;
  const at = (nanoseconds: number) => moment + BigInt(nanoseconds);

  test.each([
    ['@@', '@'],
    ['@N', '075397123'],
    ['@Y-@m-@d @H:@M:@S.@N', '2026-11-23 10:51:21.075397123'],
    ['@c', 'Mon Nov 23 10:51:21 2026'],
    ['@x', '11/23/26'],
    ['@X', '10:51:21'],
    ['@r', '10:51:21 AM'],
    ['@P', 'am'],
    ['@z@Z', '+0000UTC'],
    ['@-d', '%-d'],
    ['@E', '%E'],
    ['@O', '%O'],
    ['@Q@J@K@L@f@i@o@q@v@+', '%Q%J%K%L%f%i%o%q%v%+'],
    ['@ @%@\\', '% %%\\'],
    ['@\xff', '%\xff'],
    ['@s', '1795431081'],
    ['@n@t', '\n\t'],
  ])('%s', (format, text) => {
    expect(formatted(Buffer.from(format, 'latin1')).out.toString('latin1')).toBe(text);
  });

  test.each([
    ['%I', '2026-11-23T10:51:21+0000'],
    ['%10.4I', '      2026'],
    ['%-26I!', '2026-11-23T10:51:21+0000  !'],
    ['%U', '1795431081.075397123'],
  ])('%s', (format, text) => {
    expect(shown(format)).toBe(text);
  });

  test('all @ sequences of a message share a reading; conversions take their own', () => {
    const clock = clockOf(at(1), at(2), at(3), at(4), at(5));
    const { out } = formatted('@N %U @N %I %U @s', publish(), { clock });
    expect(out.toString()).toBe(
      '000000001 1795431081.000000002 000000001 2026-11-23T10:51:21+0000 1795431081.000000004 1795431081',
    );
    expect(clock.reads).toBe(4);
  });

  test('each message has its own reading', () => {
    const clock = clockOf(at(7), at(999_999_999), at(1_000_000_000));
    expect(formatted('@S.@N ', [publish(), publish(), publish()], { clock }).out.toString()).toBe(
      '21.000000007 21.999999999 22.000000000 ',
    );
  });

  test('formats that show no local time ask for neither zone nor clock', () => {
    const clock = clockOf(0n);
    const timeZone = () => expect.fail('asked for the zone');
    formatted('%t %p @@ %U', publish(), { timeZone });
    formatted('%t %p @@', publish(), { clock, timeZone });
    expect(clock.reads).toBe(0);
  });

  test('local time follows changes of the clocks', () => {
    const berlin = posixZone('CET-1CEST,M3.5.0,M10.5.0/3')!;
    // 2026-10-25 01:00 UTC: from 02:59:59 CEST to 02:00:00 CET.
    const change = 1_792_890_000n;
    const clock = clockOf((change - 1n) * 1_000_000_000n, change * 1_000_000_000n);
    const { out } = formatted('@T @z @Z|', [publish(), publish()], { clock, timeZone: () => berlin });
    expect(out.toString()).toBe('02:59:59 +0200 CEST|02:00:00 +0100 CET|');
  });

  test('offsets west of Greenwich and of odd minutes', () => {
    const timeZone = () => fixedZone(-(3 * 3600 + 1800), '-0330');
    expect(formatted('%I @z @Z', publish(), { timeZone }).out.toString()).toBe(
      '2026-11-23T07:21:21-0330 -0330 -0330',
    );
  });
});
