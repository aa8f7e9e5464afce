import { PacketType } from '@tsmqtt/protocol';
import { describe, expect, test } from 'vitest';
import { bytes, MemoryIo } from '../../cli-kit/test/memory-io.js';
import { message } from '../../cli-kit/test/scripted-broker.js';
import { sending, sub } from '../test/run-sub.js';
import { run } from './run.js';

test('properties go out with SUBSCRIBE, UNSUBSCRIBE and DISCONNECT (cli §7)', async () => {
  const { code, received } = await sub(
    sending(message('a', '1')),
    ...['-t', 'a', '-U', 'x', '-U', 'y', '-C', '1'],
    ...['-D', 'subscribe', 'subscription-identifier', '7', '-D', 'subscribe', 'user-property', 's', '1'],
    ...['-D', 'unsubscribe', 'user-property', 'u', '2', '-D', 'disconnect', 'session-expiry-interval', '0'],
    ...['-D', 'publish', 'topic-alias', '0'],
  );
  expect(code).toBe(0);
  const unsubscribe = { properties: [{ name: 'userProperty', value: ['u', '2'] }] };
  expect(received.filter(({ type }) => type !== PacketType.PUBACK)).toMatchObject([
    // -C asks for no more than it takes.
    { properties: [{ name: 'receiveMaximum', value: 1 }] },
    {
      properties: [
        { name: 'subscriptionIdentifier', value: 7 },
        { name: 'userProperty', value: ['s', '1'] },
      ],
    },
    { filters: ['x'], ...unsubscribe },
    { filters: ['y'], ...unsubscribe },
    { properties: [{ name: 'sessionExpiryInterval', value: 0 }] },
  ]);
});

describe('what cannot be sent is refused up front (cli §7, D-15)', () => {
  const PROTOCOL = 'Error: A network protocol error occurred when communicating with the broker\n';
  const DUPLICATE = 'Error: Duplicate property in property list\n';
  const NOT_SUPPORTED = 'Error: This feature is not supported\n';
  const identifier = (value: string): string[] => ['-D', 'subscribe', 'subscription-identifier', value];
  const userProperty = (place: string): string[] => ['-D', place, 'user-property', 'a', 'b'];
  test.each([
    [['-t', 'a', ...identifier('0')], PROTOCOL],
    [['-t', 'a', ...identifier('1'), ...identifier('2')], DUPLICATE],
    [['-t', 'a', ...userProperty('subscribe'), '-V', '311'], NOT_SUPPORTED],
    [['-U', 'a', ...userProperty('unsubscribe'), '-V', '311'], NOT_SUPPORTED],
    [['-t', 'a', ...userProperty('disconnect'), '-V', '31'], NOT_SUPPORTED],
  ])('%j', async (args, err) => {
    const io = new MemoryIo({ stdin: '' });
    // Nothing is sent: whoever connected would find nobody there, which is another error.
    expect(await run(bytes(['-h', '127.0.0.1', '-p', '1', ...args]), io)).toBe(1);
    expect([io.out.toString(), io.err]).toEqual(['', err]);
  });

  test.each([
    [['-U', 'a', ...identifier('0')]],
    [['-t', 'a', ...userProperty('unsubscribe'), '-V', '311']],
    [['-t', 'a', ...userProperty('publish'), '-V', '311']],
  ])('%j is for packets that are not sent', async (args) => {
    const io = new MemoryIo({ stdin: '' });
    expect(await run(bytes(['-h', '127.0.0.1', '-p', '1', ...args]), io)).toBe(1);
    expect(io.err).toBe('Error: Connection refused (127.0.0.1:1)\n');
  });
});
