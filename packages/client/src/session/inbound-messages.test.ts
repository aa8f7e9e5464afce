import { Verdict } from '@tsmqtt/protocol';
import { describe, expect, test } from 'vitest';
import { CONNACK, compact, SESSION_PRESENT, SessionProbe } from '../../test/session-probe.js';
import { ClientError } from '../client-error.js';
import type { ConnectOptions } from '../connect-options.js';

const lost = new ClientError('connection-lost', 'test');

/** 3.1.1, because it is shorter. */
function live(options: Partial<ConnectOptions> = {}): SessionProbe {
  return SessionProbe.live({ protocolVersion: 4, clientId: 'c', cleanStart: false, ...options }, CONNACK[4]);
}

function again(probe: SessionProbe, connack: string): void {
  probe.session.connectionLost(lost);
  probe.reconnect(connack);
}

test('messages in order, all of a chunk at once', () => {
  const probe = live();
  probe.receive('30 04 0001 61 31 31 03 0001 62 32 06 0001 63 0007 33');
  expect(probe.delivered).toEqual(['a=1 q0', 'b= q0 retain', 'c=3 q1']);
  expect(probe.sent()).toBe(compact('40 02 0007'));
});

test('a message in pieces', () => {
  const probe = live();
  for (const byte of '30 05 00 01 61 31 32'.split(' ')) probe.receive(byte);
  expect(probe.delivered).toEqual(['a=12 q0']);
});

test('acknowledgements of a chunk leave together, in the order of the messages [MQTT-3.3.4-1] [MQTT-4.3.2-4] [MQTT-4.3.3-8] [MQTT-4.6.0-2] [MQTT-4.6.0-3] [MQTT-2.2.1-5] [MQTT311-3.3.4-1] [MQTT311-4.6.0-2] [MQTT311-4.6.0-3] [MQTT311-2.3.1-6]', () => {
  const probe = live();
  probe.receive('32 05 0001 61 0001 32 05 0001 61 0002 34 05 0001 61 0003');
  expect(probe.sent()).toBe(compact('4002 0001 4002 0002 5002 0003'));
});

describe('QoS 2', () => {
  test('is delivered on PUBREL, once [MQTT-4.3.3-10] [MQTT-4.3.3-11] [MQTT311-4.3.3-2]', () => {
    const probe = live();
    probe.receive('34 06 0001 61 0001 31');
    expect(probe.sent()).toBe(compact('5002 0001'));
    probe.receive('3c 06 0001 61 0001 31');
    expect(probe.sent()).toBe(compact('5002 0001'));
    expect(probe.delivered).toEqual([]);
    probe.receive('62 02 0001');
    expect(probe.delivered).toEqual(['a=1 q2']);
    expect(probe.sent()).toBe(compact('7002 0001'));
    probe.receive('62 02 0001');
    expect(probe.delivered).toHaveLength(1);
    expect(probe.sent()).toBe(compact('7002 0001'));
  });

  test('a message that waits for PUBREL does not keep the chunk it came in', () => {
    const probe = live();
    let kept = 0;
    probe.verdict = ({ payload }) => {
      kept = payload.buffer.byteLength;
      return Verdict.CONTINUE;
    };
    probe.receive(`34 06 0001 61 0001 31 ${'d0 00'.repeat(50_000)}`);
    probe.receive('62 02 0001');
    expect(kept).toBeGreaterThan(0);
    expect(kept).toBeLessThan(20_000);
  });

  test('PUBREL for nothing is answered so in MQTT 5', () => {
    const probe = SessionProbe.live();
    probe.receive('62 02 0009');
    expect(probe.sent()).toBe(compact('7003 0009 92'));
  });

  test('a message survives its connection with the session [MQTT-3.1.2-23] [MQTT311-3.1.2-4] [MQTT311-4.1.0-1]', () => {
    const probe = live();
    probe.receive('34 06 0001 61 0001 31');
    again(probe, SESSION_PRESENT[4]);
    probe.receive('3c 06 0001 61 0001 31 62 02 0001');
    expect(probe.delivered).toEqual(['a=1 q2']);
  });

  test('and not without it [MQTT-3.2.2-5] [MQTT-3.1.2-4] [MQTT311-3.1.2-6]', () => {
    const probe = live();
    probe.receive('34 06 0001 61 0001 31');
    again(probe, CONNACK[4]);
    probe.receive('62 02 0001');
    expect(probe.delivered).toEqual([]);
  });
});

describe('acknowledgements that are held', () => {
  test('QoS 1: PUBACK waits', () => {
    const probe = live({ holdAcknowledgements: true });
    probe.receive('32 06 0001 61 0001 31 32 06 0001 61 0002 32');
    expect(probe.delivered).toEqual(['a=1 q1', 'a=2 q1']);
    expect(probe.sent()).toBe('');
    probe.session.acknowledge();
    expect(probe.sent()).toBe(compact('4002 0001 4002 0002'));
    probe.session.acknowledge();
    expect(probe.sent()).toBe('');
  });

  test('QoS 2: is delivered on PUBLISH, once, and PUBREC waits', () => {
    const probe = live({ holdAcknowledgements: true });
    probe.receive('34 06 0001 61 0001 31');
    expect(probe.delivered).toEqual(['a=1 q2']);
    expect(probe.sent()).toBe('');
    probe.session.acknowledge();
    expect(probe.sent()).toBe(compact('5002 0001'));
    probe.receive('3c 06 0001 61 0001 31');
    expect(probe.sent()).toBe(compact('5002 0001'));
    probe.receive('62 02 0001');
    expect(probe.sent()).toBe(compact('7002 0001'));
    expect(probe.delivered).toHaveLength(1);
    probe.receive('34 06 0001 61 0001 32');
    expect(probe.delivered).toEqual(['a=1 q2', 'a=2 q2']);
  });

  test('QoS 2 from a server that does not wait for PUBREC', () => {
    const probe = live({ holdAcknowledgements: true });
    probe.receive('34 06 0001 61 0001 31 62 02 0001');
    probe.session.acknowledge();
    expect(probe.sent()).toBe(compact('7002 0001 5002 0001'));
    probe.receive('34 06 0001 61 0001 32');
    expect(probe.delivered).toEqual(['a=1 q2', 'a=2 q2']);
  });

  test('what is behind a pause is not acknowledged', () => {
    const probe = live({ holdAcknowledgements: true });
    probe.verdict = () => Verdict.PAUSE;
    probe.receive('34 06 0001 61 0001 31 34 06 0001 61 0002 32 32 06 0001 61 0003 33');
    probe.session.acknowledge();
    expect(probe.delivered).toEqual(['a=1 q2']);
    expect(probe.sent()).toBe(compact('5002 0001'));
  });

  test('those of a lost connection are not sent on the next; the server sends the messages again', () => {
    const probe = live({ holdAcknowledgements: true });
    probe.receive('32 06 0001 61 0001 31');
    again(probe, SESSION_PRESENT[4]);
    probe.receive('3a 06 0001 61 0001 31');
    probe.session.acknowledge();
    expect(probe.sent()).toBe(compact('4002 0001'));
    expect(probe.delivered).toEqual(['a=1 q1', 'a=1 q1 dup']);
  });

  test('QoS 2 stays exactly once over a lost connection, released before it', () => {
    const probe = live({ holdAcknowledgements: true });
    probe.receive('34 06 0001 61 0001 31');
    probe.session.acknowledge();
    again(probe, SESSION_PRESENT[4]);
    probe.receive('3c 06 0001 61 0001 31');
    expect(probe.sent()).toBe(compact('5002 0001'));
    expect(probe.delivered).toHaveLength(1);
  });

  test('released while there was no connection', () => {
    const probe = live({ holdAcknowledgements: true });
    probe.receive('34 06 0001 61 0001 31');
    probe.session.connectionLost(lost);
    probe.session.acknowledge();
    probe.reconnect(SESSION_PRESENT[4]);
    expect(probe.sent()).toBe('');
    probe.receive('3c 06 0001 61 0001 31');
    expect(probe.sent()).toBe(compact('5002 0001'));
    expect(probe.delivered).toHaveLength(1);
  });

  test('and released behind it', () => {
    const probe = live({ holdAcknowledgements: true });
    probe.receive('34 06 0001 61 0001 31');
    again(probe, SESSION_PRESENT[4]);
    probe.receive('3c 06 0001 61 0001 31');
    expect(probe.sent()).toBe('');
    probe.session.acknowledge();
    expect(probe.sent()).toBe(compact('5002 0001'));
    expect(probe.delivered).toHaveLength(1);
  });

  test('a new session knows nothing of the old', () => {
    const probe = live({ holdAcknowledgements: true });
    probe.receive('34 06 0001 61 0001 31');
    again(probe, CONNACK[4]);
    probe.session.acknowledge();
    expect(probe.sent()).toBe('');
    probe.receive('34 06 0001 61 0001 31');
    expect(probe.delivered).toHaveLength(2);
  });
});

describe('our Receive Maximum [MQTT-3.3.4-9]', () => {
  const properties = [{ name: 'receiveMaximum', value: 2 }] as const;

  test('QoS 2 messages that are not released count', () => {
    const probe = SessionProbe.live({ properties });
    probe.receive('34 06 0001 61 0001 00 34 06 0001 61 0002 00 3c 06 0001 61 0002 00');
    expect(probe.failures).toEqual([]);
    probe.receive('34 06 0001 61 0003 00');
    expect(probe.failures).toEqual([{ code: 'protocol-error', reasonCode: 0x93, farewell: 'e00193' }]);
  });

  test('so do held PUBACKs', () => {
    const probe = SessionProbe.live({ properties, holdAcknowledgements: true });
    probe.receive('32 06 0001 61 0001 00 34 06 0001 61 0002 00');
    probe.session.acknowledge();
    probe.receive('62 02 0002 32 06 0001 61 0001 00 32 06 0001 61 0003 00');
    expect(probe.failures).toEqual([]);
    probe.receive('32 06 0001 61 0004 00');
    expect(probe.failures).toMatchObject([{ reasonCode: 0x93 }]);
    expect(probe.delivered).toHaveLength(4);
  });

  test('is for those to keep to who were not told otherwise', () => {
    const probe = SessionProbe.live({
      properties,
      holdAcknowledgements: true,
      enforceReceiveMaximum: false,
    });
    probe.receive('32 06 0001 61 0001 00 32 06 0001 61 0002 00 32 06 0001 61 0003 00');
    expect(probe.failures).toEqual([]);
    expect(probe.delivered).toHaveLength(3);
  });
});

test('held PUBACKs of a lost connection do not count on the next', () => {
  const probe = SessionProbe.live({
    clientId: 'c',
    cleanStart: false,
    holdAcknowledgements: true,
    properties: [{ name: 'receiveMaximum', value: 2 }],
  });
  const both = '3a 06 0001 61 0001 00 3a 06 0001 61 0002 00';
  probe.receive(both);
  again(probe, SESSION_PRESENT[5]);
  probe.receive(both);
  expect(probe.failures).toEqual([]);
  expect(probe.delivered).toHaveLength(4);
});

describe('pausing', () => {
  test('by verdict: the rest waits for resume()', () => {
    const probe = live();
    probe.verdict = ({ topic }) => (topic === 'b' ? Verdict.PAUSE : Verdict.CONTINUE);
    probe.receive('30 03 0001 61 30 03 0001 62 30 03 0001 63 30 03 0001');
    expect(probe.delivered).toEqual(['a= q0', 'b= q0']);
    expect(probe.session.paused).toBe(true);
    probe.receive('64');
    expect(probe.delivered).toHaveLength(2);
    probe.session.resume();
    expect(probe.delivered).toEqual(['a= q0', 'b= q0', 'c= q0', 'd= q0']);
    expect(probe.session.paused).toBe(false);
  });

  test('by call, also from within', () => {
    const probe = live();
    probe.verdict = () => {
      probe.session.pause();
      return Verdict.CONTINUE;
    };
    probe.receive('30 03 0001 61 30 03 0001 62');
    expect(probe.delivered).toHaveLength(1);
    probe.session.resume();
    expect(probe.delivered).toHaveLength(2);
    expect(probe.session.paused).toBe(true);
  });

  test('holds over a new connection, but not up CONNACK', () => {
    const probe = live();
    probe.session.pause();
    again(probe, SESSION_PRESENT[4]);
    expect(probe.session.live).toBe(true);
    probe.receive('30 03 0001 61');
    expect(probe.delivered).toEqual([]);
    probe.session.resume();
    expect(probe.delivered).toHaveLength(1);
  });
});

describe('Topic Aliases that we allowed', () => {
  test('stand for their topics, on one connection [MQTT-3.3.2-7] [MQTT-3.3.2-10]', () => {
    const probe = SessionProbe.live({ properties: [{ name: 'topicAliasMaximum', value: 2 }] });
    probe.receive('30 08 0001 61 03 23 0002 31 30 07 0000 03 23 0002 32');
    expect(probe.delivered).toEqual(['a=1 q0', 'a=2 q0']);
    probe.session.connectionLost(lost);
    probe.reconnect();
    probe.receive('30 07 0000 03 23 0002 32');
    expect(probe.failures).toMatchObject([{ code: 'protocol-error', reasonCode: 0x82 }]);
  });
});
