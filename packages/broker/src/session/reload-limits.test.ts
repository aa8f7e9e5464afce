import { describe, expect, it } from 'vitest';
import { numbersOf, setup, upTo } from '../../test/outgoing-setup.js';
import { acknowledgement, bytesOf, publishPacket, subscribePacket } from '../../test/raw-client.js';
import { TestBroker } from '../../test/test-broker.js';

/** Options that Mosquitto promises to read again and does not (broker T-6), and others that hold at once. */
describe('a reload changes for who is connected', () => {
  it('max_inflight_messages: a client of 3.1.1 gets more at once, and less when it has acknowledged', async () => {
    const { broker, client, publish } = await setup(4, 1, { settings: { maxInflightMessages: 1 } });
    await publish(1, 6);
    expect(numbersOf(await client.take())).toEqual([1]);
    await broker.reload({ maxInflightMessages: 3 });
    expect(numbersOf(await client.take())).toEqual([2, 3]);
    await broker.reload({ maxInflightMessages: 1 });
    expect(await client.send(acknowledgement('PUBACK', 1), acknowledgement('PUBACK', 2))).toEqual([]);
    expect(numbersOf(await client.send(acknowledgement('PUBACK', 3)))).toEqual([4]);
  });

  it('not what an MQTT 5 client was told: its Receive Maximum, nor the one it has told', async () => {
    const broker = new TestBroker({ settings: { maxInflightMessages: 3 } });
    const client = await broker.connect({ protocolVersion: 5 });
    await broker.reload({ maxInflightMessages: 1 });
    const qos2 = upTo(1, 4).map((packetId) => publishPacket('a', String(packetId), { qos: 2, packetId }));
    expect(await client.send(...qos2)).toEqual(['PUBREC #1', 'PUBREC #2', 'PUBREC #3', 'PUBREC #4 0x97']);
    await client.send(subscribePacket({ b: 1 }));
    const publisher = await broker.connect({ clientId: 'publisher' });
    for (const packetId of upTo(1, 5)) await publisher.send(publishPacket('b', '1', { qos: 1, packetId }));
    expect(await client.take()).toHaveLength(5);
    const later = await broker.attempt({ clientId: 'later', protocolVersion: 5 });
    expect(await later.take()).toEqual([expect.stringContaining('receiveMaximum=1')]);
  });

  it('not max_qos, which is for new connections (broker §3.2)', async () => {
    const broker = new TestBroker();
    const client = await broker.connect();
    const [connection] = [...broker.engine.connections];
    connection!.listener = { ...connection!.listener, maxQos: 0 };
    expect(await client.send(publishPacket('a', '1', { qos: 1 }))).toEqual(['PUBACK #1']);
  });

  it('max_inflight_bytes and max_queued_bytes', async () => {
    const settings = { maxInflightBytes: 1, maxQueuedBytes: 1 };
    const { broker, client, publish, back } = await setup(5, 1, { settings });
    await publish(1, 2);
    expect(numbersOf(await client.take())).toEqual([1]);
    await broker.reload({ maxInflightBytes: 0, maxQueuedBytes: 0 });
    await publish(3, 4);
    expect(numbersOf(await client.take())).toEqual([2, 3, 4]);
    await client.vanish();
    await publish(5, 6);
    await broker.reload({ maxQueuedBytes: 7 });
    await publish(7, 9);
    expect(numbersOf((await back()).lines)).toEqual(upTo(1, 7));
  });

  it('max_queued_messages, for who is offline too', async () => {
    const { broker, client, publish, back } = await setup(4, 1, { settings: { maxQueuedMessages: 2 } });
    await client.vanish();
    await publish(1, 3);
    await broker.reload({ maxQueuedMessages: 4 });
    await publish(4, 7);
    await broker.reload({ maxQueuedMessages: 1 });
    await publish(8, 8);
    expect(numbersOf((await back()).lines)).toEqual([1, 2, 4, 5]);
  });

  it('a publisher that waits goes on when there is room by the new bound', async () => {
    const { broker, client, publish, publisher } = await setup(4, 1, {
      settings: { maxInflightMessages: 1, maxQueuedMessages: 1 },
    });
    await publish(1, 4);
    publisher.write(publishPacket('other', 'x', { qos: 1, packetId: 100 }));
    expect(await publisher.take()).toEqual([]);
    await broker.reload({ maxQueuedMessages: 100 });
    expect(await publisher.take()).toEqual(['PUBACK #3', 'PUBACK #4', 'PUBACK #100']);
    expect(numbersOf(await client.take())).toEqual([1]);
  });

  it('with more pending than the new bound nothing is lost: publishers wait (broker B-10)', async () => {
    const { broker, client, publish, publisher } = await setup(4, 1, {
      settings: { maxInflightMessages: 1 },
    });
    await publish(1, 4);
    await broker.reload({ maxQueuedMessages: 1 });
    await publish(5, 5);
    expect(broker.engine.counters.dropped).toBe(0);
    const lines = await client.take();
    for (const packetId of upTo(1, 5))
      lines.push(...(await client.send(acknowledgement('PUBACK', packetId))));
    expect(numbersOf(lines)).toEqual(upTo(1, 5));
    expect(await publisher.take()).toEqual(['PUBACK #5']);
    expect(broker.engine.blockedSessions.size).toBe(0);
  });

  it('queue_qos0_messages', async () => {
    const { broker, client, publish, back } = await setup(4, 0);
    await client.vanish();
    await publish(1, 1, 0);
    await broker.reload({ queueQos0Messages: true });
    await publish(2, 3, 0);
    await broker.reload({ queueQos0Messages: false });
    await publish(4, 4, 0);
    expect(numbersOf((await back()).lines)).toEqual([2, 3]);
  });

  it('upgrade_outgoing_qos, message_size_limit, retain_available, allow_duplicate_messages', async () => {
    const broker = new TestBroker();
    const client = await broker.connect();
    await client.send(subscribePacket({ a: 1, '#': 0 }));
    await broker.reload({ upgradeOutgoingQos: true, allowDuplicateMessages: false });
    expect(await client.send(publishPacket('a', 'x'))).toEqual(['PUBLISH a=x q1 #1']);
    await broker.reload({ messageSizeLimit: 1 });
    expect(await client.send(publishPacket('a', 'xx', { qos: 1 }))).toEqual(['PUBACK #1']);
    await broker.reload({ retainAvailable: false });
    expect(await client.send(publishPacket('a', 'x', { retain: true }))).toEqual(['closed']);
  });

  it('max_packet_size and max_keepalive: for new connections, which are told', async () => {
    const broker = new TestBroker();
    const client = await broker.connect({ protocolVersion: 5 });
    await broker.reload({ maxPacketSize: 100, maxKeepAlive: 7 });
    const large = publishPacket('a', 'x'.repeat(100), { qos: 1 });
    expect(await client.send(large)).toEqual(['PUBACK #1 0x10']);
    const later = await broker.attempt({ clientId: 'later', protocolVersion: 5 });
    expect(await later.take()).toEqual([expect.stringMatching(/serverKeepAlive=7 .*maximumPacketSize=100/)]);
    expect(bytesOf(large, 5).length).toBeGreaterThan(100);
    expect(await later.send(large)).toEqual(['DISCONNECT 0x95', 'closed']);
  });
});
