import { expect, test } from 'vitest';
import { KeepAlive, KeepAliveAction } from './keep-alive.js';

const { NOTHING, PING, DEAD } = KeepAliveAction;

function started(): KeepAlive {
  const keepAlive = new KeepAlive();
  keepAlive.start(10, 0);
  return keepAlive;
}

test('asks for a PINGREQ when nothing was sent for the whole time, and once', () => {
  const keepAlive = started();
  keepAlive.received(9_000);
  expect(keepAlive.check(9_999, true, false)).toBe(NOTHING);
  expect(keepAlive.next(9_999, true)).toBe(1);
  expect(keepAlive.check(10_000, true, false)).toBe(PING);
  expect(keepAlive.check(10_001, true, false)).toBe(NOTHING);
});

test('output puts it off, as long as something is received too', () => {
  const keepAlive = started();
  keepAlive.sent(8_000, true);
  keepAlive.received(8_000);
  expect(keepAlive.next(10_000, true)).toBe(8_000);
  expect(keepAlive.check(17_999, true, false)).toBe(NOTHING);
  expect(keepAlive.check(18_000, true, false)).toBe(PING);
});

test('a peer that is silent while we send is asked', () => {
  const keepAlive = started();
  keepAlive.sent(9_000, true);
  expect(keepAlive.check(10_000, true, false)).toBe(PING);
});

test('a peer that is slow to read is not asked while output moves', () => {
  const keepAlive = started();
  keepAlive.sent(9_000, false);
  expect(keepAlive.check(10_000, false, false)).toBe(NOTHING);
  expect(keepAlive.check(19_000, false, false)).toBe(PING);
});

test('without PINGRESP for the whole time the peer is dead', () => {
  const keepAlive = started();
  expect(keepAlive.check(10_000, true, false)).toBe(PING);
  keepAlive.sent(10_001, true);
  expect(keepAlive.next(10_001, true)).toBe(10_000);
  keepAlive.sent(15_000, true);
  expect(keepAlive.check(20_000, true, false)).toBe(NOTHING);
  expect(keepAlive.check(20_001, true, false)).toBe(DEAD);
});

test('a peer that goes on to send is alive, though its PINGRESP stands behind what it sends', () => {
  const keepAlive = started();
  expect(keepAlive.check(10_000, true, false)).toBe(PING);
  keepAlive.sent(10_000, true);
  for (const now of [20_000, 30_000, 40_000]) {
    keepAlive.received(now - 1_000);
    // It goes by our packets, too.
    expect(keepAlive.check(now, true, false)).toBe(PING);
    keepAlive.sent(now, true);
  }
  expect(keepAlive.check(49_999, true, false)).toBe(NOTHING);
  expect(keepAlive.check(50_000, true, false)).toBe(DEAD);
});

test('PINGRESP ends the wait', () => {
  const keepAlive = started();
  expect(keepAlive.check(10_000, true, false)).toBe(PING);
  keepAlive.sent(10_000, true);
  keepAlive.received(10_100);
  keepAlive.pingresp();
  expect(keepAlive.check(20_000, true, false)).toBe(PING);
});

test('the wait starts when PINGREQ gets out from behind other output', () => {
  const keepAlive = started();
  expect(keepAlive.check(10_000, false, false)).toBe(PING);
  keepAlive.sent(15_000, false);
  keepAlive.sent(18_000, true);
  expect(keepAlive.check(27_999, true, false)).toBe(NOTHING);
  expect(keepAlive.check(28_000, true, false)).toBe(DEAD);
});

test('PINGREQ that never gets out is no excuse', () => {
  const keepAlive = started();
  expect(keepAlive.check(10_000, false, false)).toBe(PING);
  expect(keepAlive.check(20_000, false, false)).toBe(DEAD);
});

test('whoever does not read cannot miss a PINGRESP', () => {
  const keepAlive = started();
  expect(keepAlive.check(10_000, true, true)).toBe(PING);
  keepAlive.sent(10_000, true);
  expect(keepAlive.check(19_999, true, true)).toBe(NOTHING);
  expect(keepAlive.check(20_000, true, false)).toBe(PING);
  keepAlive.sent(20_000, true);
  expect(keepAlive.check(29_999, true, false)).toBe(NOTHING);
  expect(keepAlive.check(30_000, true, false)).toBe(DEAD);
});

test('whoever does not read goes on to send PINGREQ, which the server counts [MQTT-3.1.2-20] [MQTT311-3.1.2-23]', () => {
  const keepAlive = started();
  for (const now of [10_000, 20_000, 30_000]) {
    expect(keepAlive.check(now, true, true)).toBe(PING);
    keepAlive.sent(now, true);
  }
  // Not on top of output that does not get out.
  expect(keepAlive.check(40_000, false, true)).toBe(NOTHING);
});

test('PINGREQs of whoever does not read are one keep-alive apart, however late the kernel takes them', () => {
  const keepAlive = started();
  for (let now = 10_000; now < 100_000; ) {
    expect(keepAlive.check(now, true, true)).toBe(PING);
    now += 3;
    keepAlive.sent(now, true);
    expect(keepAlive.check(now + 9_997, true, true)).toBe(NOTHING);
    now += 9_997;
    expect(keepAlive.next(now, true)).toBe(3);
    now += 3;
  }
});

test('0 switches it off', () => {
  const keepAlive = new KeepAlive();
  keepAlive.start(0, 0);
  expect(keepAlive.check(1e9, true, false)).toBe(NOTHING);
  expect(keepAlive.next(1e9, true)).toBe(Number.POSITIVE_INFINITY);
  expect(keepAlive.patience(1e9)).toBe(Number.POSITIVE_INFINITY);
});

test('output at the end may stand still for the same time', () => {
  const keepAlive = started();
  keepAlive.sent(4_000, false);
  expect(keepAlive.patience(5_000)).toBe(9_000);
});
