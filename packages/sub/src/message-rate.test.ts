import { PacketType } from '@tsmqtt/protocol';
import { expect, onTestFinished, test, vi } from 'vitest';
import { message, names, scriptedBroker } from '../../cli-kit/test/scripted-broker.js';
import { numbered, sending, start } from '../test/run-sub.js';

/** Time passes when the test says so. */
function fakeTime(...more: ('setTimeout' | 'clearTimeout')[]): void {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', ...more] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
}

test('a line a second with what came in it, and no messages; -C, -R, -T, --retained-only and -w have no effect', async () => {
  fakeTime();
  const messages = [...numbered(4, { qos: 1 }), message('a', 'r', { qos: 1, packetId: 5, retain: true })];
  const broker = await scriptedBroker(sending(...messages));
  const without = ['-C', '2', '-T', 'a', '--retained-only', '-w', '-v', '-F', '%p', '--remove-retained'];
  const { io, ended } = start([...broker.at, '-t', 'a', '-q', '1', '--message-rate', ...without]);
  // Acknowledged: all of them have been counted.
  await broker.until((received) => received.filter(({ type }) => type === PacketType.PUBACK).length === 5);
  expect(io.out.toString()).toBe('');
  await vi.advanceTimersByTimeAsync(1000);
  expect(io.out.toString()).toBe('5 msgs/s\n');
  await vi.advanceTimersByTimeAsync(2000);
  expect(io.out.toString()).toBe('5 msgs/s\n0 msgs/s\n0 msgs/s\n');
  io.signal('SIGTERM');
  expect([await ended, io.err]).toEqual([0, '']);
  expect(names(broker.received)).toEqual([
    ...['CONNECT', 'SUBSCRIBE', 'PUBACK', 'PUBACK', 'PUBACK', 'PUBACK', 'PUBACK', 'DISCONNECT'],
  ]);
  expect(vi.getTimerCount()).toBe(0);
});

test('-W ends it', async () => {
  fakeTime('setTimeout', 'clearTimeout');
  const broker = await scriptedBroker();
  const { io, ended } = start([...broker.at, '-t', 'a', '--message-rate', '-W', '2']);
  await broker.until((received) => received.some(({ type }) => type === PacketType.SUBSCRIBE));
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
  await vi.advanceTimersByTimeAsync(2000);
  expect([await ended, io.err]).toEqual([27, 'Timed out\n']);
  expect(io.out.toString()).toMatch(/^0 msgs\/s\n/);
});
