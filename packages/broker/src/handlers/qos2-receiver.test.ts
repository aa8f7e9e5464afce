import { describe, expect, it } from 'vitest';
import {
  acknowledgement,
  disconnectPacket,
  type PublishFields,
  publishPacket,
  type RawClient,
  subscribePacket,
} from '../../test/raw-client.js';
import { TestBroker, type TestBrokerOptions } from '../../test/test-broker.js';

const qos2 = (payload: string, packetId: number, fields: PublishFields = {}) =>
  publishPacket('t', payload, { qos: 2, packetId, ...fields });
const pubrel = (packetId: number) => acknowledgement('PUBREL', packetId);

async function withWatcher(
  protocolVersion: 3 | 4 | 5,
  options: TestBrokerOptions = {},
): Promise<{ broker: TestBroker; client: RawClient; watcher: RawClient }> {
  const broker = new TestBroker(options);
  const watcher = await broker.connect({ clientId: 'watcher' });
  await watcher.send(subscribePacket({ '#': 0 }));
  const client = await broker.connect({
    protocolVersion,
    cleanStart: false,
    properties: lasting(protocolVersion),
  });
  return { broker, client, watcher };
}

const lasting = (protocolVersion: 3 | 4 | 5) =>
  protocolVersion === 5 ? [{ name: 'sessionExpiryInterval', value: 1000 } as const] : [];

for (const version of [3, 4, 5] as const) {
  describe(`version ${version}: the receiver of QoS 2`, () => {
    it('routes at PUBREL and not before [MQTT-4.3.3-8] [MQTT-4.3.3-11] [MQTT311-4.3.3-2]', async () => {
      const { client, watcher } = await withWatcher(version);
      expect(await client.send(qos2('1', 3))).toEqual(['PUBREC #3']);
      expect(await watcher.take()).toEqual([]);
      expect(await client.send(pubrel(3))).toEqual(['PUBCOMP #3']);
      expect(await watcher.take()).toEqual(['PUBLISH t=1']);
    });

    it('answers a PUBREL that comes again, and routes once [MQTT-4.3.3-11]', async () => {
      const { client, watcher } = await withWatcher(version);
      await client.send(qos2('1', 3), pubrel(3));
      expect(await client.send(pubrel(3), pubrel(3))).toEqual(['PUBCOMP #3', 'PUBCOMP #3']);
      expect(await watcher.take()).toEqual(['PUBLISH t=1']);
    });

    it('answers a PUBREL for an identifier that it never saw', async () => {
      const { client, watcher } = await withWatcher(version);
      expect(await client.exchange(pubrel(0x1234))).toBe('70 02 12 34');
      expect(await watcher.take()).toEqual([]);
    });

    it.each([true, false])(
      'takes the same message again once, DUP %s [MQTT-4.3.3-10] [MQTT311-4.3.3-2]',
      async (dup) => {
        const { client, watcher } = await withWatcher(version);
        expect(await client.send(qos2('1', 3), qos2('1', 3, { dup }))).toEqual(['PUBREC #3', 'PUBREC #3']);
        await client.send(pubrel(3));
        expect(await watcher.take()).toEqual(['PUBLISH t=1']);
      },
    );

    it('does not take the same message a third time (broker T-18)', async () => {
      const { client, watcher } = await withWatcher(version);
      await client.send(qos2('1', 3), qos2('1', 3, { dup: true }));
      const end = version === 5 ? ['DISCONNECT 0x82', 'closed'] : ['closed'];
      expect(await client.send(qos2('1', 3, { dup: true }))).toEqual(end);
      expect(await watcher.take()).toEqual([]);
    });

    it('counts anew after PUBREL', async () => {
      const { client, watcher } = await withWatcher(version);
      for (let round = 0; round < 3; round++) {
        expect(await client.send(qos2('1', 3), qos2('1', 3))).toEqual(['PUBREC #3', 'PUBREC #3']);
        expect(await client.send(pubrel(3))).toEqual(['PUBCOMP #3']);
      }
      expect(await watcher.take()).toEqual(['PUBLISH t=1', 'PUBLISH t=1', 'PUBLISH t=1']);
    });

    it('counts anew after every reconnect, and still delivers once', async () => {
      const { broker, client, watcher } = await withWatcher(version);
      const fields = { protocolVersion: version, cleanStart: false, properties: lasting(version) };
      await client.send(qos2('1', 3));
      await client.vanish();
      for (let round = 0; round < 3; round++) {
        const again = await broker.attempt(fields);
        await again.take();
        expect(await again.send(qos2('1', 3, { dup: true }))).toEqual(['PUBREC #3']);
        await again.vanish();
      }
      const last = await broker.attempt(fields);
      await last.take();
      expect(await last.send(pubrel(3))).toEqual(['PUBCOMP #3']);
      expect(await watcher.take()).toEqual(['PUBLISH t=1']);
    });

    const changed = [
      ['payload', qos2('2', 3), 'PUBLISH t=2'],
      ['topic', publishPacket('u', '1', { qos: 2, packetId: 3 }), 'PUBLISH u=1'],
    ] as const;
    it.each(changed)(
      'takes another %s under the same identifier instead of the first',
      async (_what, packet, line) => {
        const { broker, client, watcher } = await withWatcher(version);
        expect(await client.send(qos2('1', 3), packet)).toEqual(['PUBREC #3', 'PUBREC #3']);
        expect(broker.logged).toContain(
          'warning Reused message ID 3 from client detected. Clearing from storage.',
        );
        await client.send(pubrel(3));
        expect(await watcher.take()).toEqual([line]);
      },
    );

    it('takes a QoS 1 message under the same identifier instead of the first (broker §9.7)', async () => {
      const { broker, client, watcher } = await withWatcher(version);
      const one = publishPacket('t', 'one', { qos: 1, packetId: 3 });
      expect(await client.send(qos2('1', 3), qos2('2', 4), one)).toEqual([
        'PUBREC #3',
        'PUBREC #4',
        'PUBACK #3',
      ]);
      expect(broker.logged.filter((line) => line.includes('Reused'))).toEqual([
        'warning Reused message ID 3 from client detected. Clearing from storage.',
      ]);
      expect(await client.send(pubrel(3), pubrel(4))).toEqual(['PUBCOMP #3', 'PUBCOMP #4']);
      expect(await watcher.take()).toEqual(['PUBLISH t=one', 'PUBLISH t=2']);
    });

    const over = [qos2('1', 1), qos2('2', 2), qos2('3', 3)];
    const quotaWarnings = (broker: TestBroker) =>
      broker.logged.filter((line) => line.includes('receive-maximum quota')).length;
    if (version === 5) {
      it('refuses what is over its Receive Maximum, and goes on (broker T-19)', async () => {
        const { broker, client, watcher } = await withWatcher(version, {
          settings: { maxInflightMessages: 2 },
        });
        expect(await client.send(...over)).toEqual(['PUBREC #1', 'PUBREC #2', 'PUBREC #3 0x97']);
        expect(quotaWarnings(broker)).toBe(1);
        // QoS 1 is not affected.
        expect(await client.send(publishPacket('t', 'one', { qos: 1, packetId: 9 }))).toEqual(['PUBACK #9']);
        await client.send(pubrel(1));
        expect(await client.send(qos2('4', 4))).toEqual(['PUBREC #4']);
        await client.send(pubrel(2), pubrel(3), pubrel(4));
        expect(await watcher.take()).toEqual(['PUBLISH t=one', 'PUBLISH t=1', 'PUBLISH t=2', 'PUBLISH t=4']);
      });
    } else {
      it('keeps whatever it acknowledges, since MQTT 3 has no Receive Maximum [MQTT311-4.3.3-2]', async () => {
        const { broker, client, watcher } = await withWatcher(version, {
          settings: { maxInflightMessages: 2 },
        });
        expect(await client.send(...over)).toEqual(['PUBREC #1', 'PUBREC #2', 'PUBREC #3']);
        await client.send(pubrel(1), pubrel(2), pubrel(3));
        expect(await watcher.take()).toEqual(['PUBLISH t=1', 'PUBLISH t=2', 'PUBLISH t=3']);
        expect(quotaWarnings(broker)).toBe(0);
      });

      it('bounds the bytes of it, and loses nothing where the client sends again', async () => {
        const { broker, client, watcher } = await withWatcher(version, {
          settings: { maxInflightMessages: 2, maxPacketSize: 1000 },
        });
        const payload = 'x'.repeat(400);
        const packets = Array.from({ length: 5 }, (_, index) => qos2(`${index}${payload}`, index + 1));
        expect(await client.send(...packets)).toEqual(['PUBREC #1', 'PUBREC #2', 'PUBREC #3', 'closed']);
        const again = await broker.attempt({ protocolVersion: version, cleanStart: false });
        await again.take();
        await again.send(...[1, 2, 3].map(pubrel));
        await again.send(...packets.slice(3), pubrel(4), pubrel(5));
        expect((await watcher.take()).map((line) => line[10])).toEqual(['0', '1', '2', '3', '4']);
      });
    }

    it('has no limit with max_inflight_messages 0', async () => {
      const { client } = await withWatcher(version, { settings: { maxInflightMessages: 0 } });
      const packets = Array.from({ length: 50 }, (_, index) => qos2('x', index + 1));
      expect(await client.send(...packets)).toEqual(packets.map(({ packetId }) => `PUBREC #${packetId}`));
    });

    it('keeps what is not released over a reconnect [MQTT-3.1.2-23] [MQTT311-4.1.0-1]', async () => {
      const { broker, client, watcher } = await withWatcher(version);
      await client.send(qos2('1', 1), qos2('2', 2));
      await client.send(disconnectPacket());
      const again = await broker.attempt({
        protocolVersion: version,
        cleanStart: false,
        properties: lasting(version),
      });
      await again.take();
      expect(await again.send(pubrel(2), pubrel(1))).toEqual(['PUBCOMP #2', 'PUBCOMP #1']);
      expect(await watcher.take()).toEqual(['PUBLISH t=2', 'PUBLISH t=1']);
    });

    it('forgets it with a clean start', async () => {
      const { broker, client, watcher } = await withWatcher(version);
      await client.send(qos2('1', 1));
      await client.vanish();
      const again = await broker.connect({ protocolVersion: version, cleanStart: true });
      expect(await again.send(pubrel(1))).toEqual(['PUBCOMP #1']);
      expect(await watcher.take()).toEqual([]);
    });
  });
}

describe('where a subscriber holds the publisher up (broker B-10)', () => {
  it('PUBREL is taken again later, and routes once', async () => {
    const { broker, client, watcher } = await withWatcher(5);
    await watcher.send(subscribePacket({ t: 2 }));
    const session = broker.engine.sessions.get('watcher');
    if (session === undefined) throw new Error('no session');
    await client.send(qos2('1', 1));
    // The bound itself is tested with back-pressure; here it only matters that it has been reached.
    const { pressure } = session;
    let holds = true;
    Object.defineProperty(pressure, 'holds', { get: () => holds });
    broker.engine.blockedSessions.add(session);
    expect(await client.send(pubrel(1), publishPacket('u', 'behind', { qos: 1, packetId: 8 }))).toEqual([]);
    expect(await watcher.take()).toEqual([]);
    holds = false;
    pressure.end();
    expect(await client.take()).toEqual(['PUBCOMP #1', 'PUBACK #8']);
    expect((await watcher.take()).filter((line) => line.startsWith('PUBLISH t=1'))).toHaveLength(2);
  });

  it('PUBLISH with QoS 1 is taken again later, and is acknowledged once', async () => {
    const { broker, client } = await withWatcher(4);
    const session = broker.engine.sessions.get('watcher');
    if (session === undefined) throw new Error('no session');
    let holds = true;
    Object.defineProperty(session.pressure, 'holds', { get: () => holds });
    broker.engine.blockedSessions.add(session);
    const received = broker.engine.counters.received;
    expect(await client.send(publishPacket('t', '1', { qos: 1 }))).toEqual([]);
    holds = false;
    session.pressure.end();
    expect(await client.take()).toEqual(['PUBACK #1']);
    expect(broker.engine.counters.received).toBe(received + 1);
  });
});
