import { describe, expect, it } from 'vitest';
import { numbersOf, setup, upTo } from '../../test/outgoing-setup.js';
import { acknowledgement, publishPacket } from '../../test/raw-client.js';

const TEN = 'x'.repeat(10);

for (const version of [3, 4, 5] as const) {
  describe(`version ${version}: max_inflight_bytes (broker §9.10)`, () => {
    it('holds back beside the window; a message is sent while there are less', async () => {
      const { client, publisher } = await setup(version, 1, { settings: { maxInflightBytes: 15 } });
      for (let packetId = 1; packetId <= 4; packetId++)
        await publisher.send(publishPacket('a', TEN, { qos: 1, packetId }));
      expect(await client.take()).toEqual([`PUBLISH a=${TEN} q1 #1`, `PUBLISH a=${TEN} q1 #2`]);
      expect(await client.send(acknowledgement('PUBACK', 1))).toEqual([`PUBLISH a=${TEN} q1 #3`]);
    });

    it('always lets one through', async () => {
      const { client, publisher } = await setup(version, 1, { settings: { maxInflightBytes: 1 } });
      for (let packetId = 1; packetId <= 2; packetId++)
        await publisher.send(publishPacket('a', TEN, { qos: 1, packetId }));
      expect(await client.take()).toEqual([`PUBLISH a=${TEN} q1 #1`]);
      expect(await client.send(acknowledgement('PUBACK', 1))).toEqual([`PUBLISH a=${TEN} q1 #2`]);
    });
  });

  describe(`version ${version}: max_queued_bytes (broker §9.10)`, () => {
    it('offline: a message is kept while there are less bytes, and said once', async () => {
      const { broker, client, publisher, back } = await setup(version, 1, {
        settings: { maxQueuedBytes: 25 },
      });
      await client.vanish();
      for (let packetId = 1; packetId <= 5; packetId++)
        await publisher.send(publishPacket('a', `${packetId}${TEN.slice(1)}`, { qos: 1, packetId }));
      expect(numbersOf((await back()).lines)).toEqual([1, 2, 3]);
      expect(broker.engine.counters.dropped).toBe(2);
      expect(broker.logged.filter((line) => /being dropped/.test(line))).toHaveLength(1);
    });

    it('offline: what was sent and is not acknowledged counts', async () => {
      const { client, publisher, back } = await setup(version, 1, { settings: { maxQueuedBytes: 15 } });
      await publisher.send(publishPacket('a', `1${TEN}`, { qos: 1 }));
      await client.vanish();
      for (let packetId = 2; packetId <= 4; packetId++)
        await publisher.send(publishPacket('a', `${packetId}${TEN}`, { qos: 1, packetId }));
      expect(numbersOf((await back()).lines)).toEqual([1, 2]);
    });

    it('offline: QoS 0 that is queued counts and is bounded', async () => {
      const settings = { maxQueuedBytes: 25, queueQos0Messages: true };
      const { client, publisher, back } = await setup(version, 1, { settings });
      await client.vanish();
      for (let number = 1; number <= 5; number++)
        await publisher.send(publishPacket('a', `${number}${TEN.slice(1)}`));
      await publisher.send(publishPacket('a', '6', { qos: 1 }));
      expect(numbersOf((await back()).lines)).toEqual([1, 2, 3]);
    });

    it('connected: what is in flight does not count; at the bound the publisher waits (broker B-10)', async () => {
      const settings = { maxQueuedBytes: 15, maxInflightBytes: 1 };
      const { broker, client, publisher } = await setup(version, 1, { settings });
      const packets = upTo(1, 6).map((packetId) =>
        publishPacket('a', `${packetId}${TEN.slice(1)}`, { qos: 1, packetId }),
      );
      // One in flight, two queued; the third that would be queued is not read.
      expect(await publisher.send(...packets)).toEqual(['PUBACK #1', 'PUBACK #2', 'PUBACK #3']);
      const seen = numbersOf(await client.take());
      for (let packetId = 1; packetId <= 6; packetId++)
        seen.push(...numbersOf(await client.send(acknowledgement('PUBACK', packetId))));
      expect(seen).toEqual(upTo(1, 6));
      expect(await publisher.take()).toEqual(['PUBACK #4', 'PUBACK #5', 'PUBACK #6']);
      expect(broker.engine.counters.dropped).toBe(0);
    });

    it('connected and slow: the newest are dropped, the oldest are kept', async () => {
      const settings = { maxQueuedBytes: 15, maxInflightBytes: 1 };
      const { broker, client, publisher } = await setup(version, 1, { settings });
      const packets = upTo(1, 6).map((packetId) =>
        publishPacket('a', `${packetId}${TEN.slice(1)}`, { qos: 1, packetId }),
      );
      expect(await publisher.send(...packets)).toHaveLength(3);
      await broker.pass(11);
      expect(await publisher.take()).toEqual(['PUBACK #4', 'PUBACK #5', 'PUBACK #6']);
      const seen = numbersOf(await client.take());
      for (let packetId = 1; packetId <= 3; packetId++)
        seen.push(...numbersOf(await client.send(acknowledgement('PUBACK', packetId))));
      expect(seen).toEqual([1, 2, 3]);
      expect(broker.engine.counters.dropped).toBe(3);
    });
  });
}
