import { encodePacket, PacketType, type Publish, type QoS } from '@tsmqtt/protocol';
import { describe, expect, test } from 'vitest';
import { hex } from '../../test/session-probe.js';
import { OutputQueue, type OutputUnit, type WriteObserver } from './output-queue.js';

class Recorder implements WriteObserver {
  readonly events: string[] = [];
  written(count: number): void {
    this.events.push(`written ${count}`);
  }
  lost(count: number): void {
    this.events.push(`lost ${count}`);
  }
}

function publish(topic: string, payload: string, qos: QoS = 0, alias?: number): Uint8Array {
  const packet: Publish = {
    type: PacketType.PUBLISH,
    topic,
    payload: Buffer.from(payload),
    qos,
    retain: false,
    dup: false,
    packetId: qos === 0 ? 0 : 7,
    properties: alias === undefined ? [] : [{ name: 'topicAlias', value: alias }],
  };
  return encodePacket(packet, 5);
}

const refuse = (): never => {
  throw new Error('no alias here');
};

function put(queue: OutputQueue, packet: Uint8Array, observer?: WriteObserver): boolean {
  queue.buffer.bytes(packet);
  if (observer !== undefined) queue.observe(observer);
  return queue.packetEnd();
}

function takeAll(queue: OutputQueue): OutputUnit[] {
  const units: OutputUnit[] = [];
  for (let unit = queue.take(); unit !== undefined; unit = queue.take()) {
    units.push(unit);
    queue.written();
  }
  return units;
}

test('what is collected goes out in one unit', () => {
  const queue = new OutputQueue();
  expect(queue.idle).toBe(true);
  put(queue, publish('a', '1'));
  put(queue, publish('b', '2'));
  expect(queue.idle).toBe(false);
  const units = takeAll(queue);
  expect(units).toHaveLength(1);
  expect(hex(units[0]!.parts)).toBe(hex([publish('a', '1'), publish('b', '2')]));
  expect(queue.idle).toBe(true);
});

test('only one unit is out at a time', () => {
  const queue = new OutputQueue();
  put(queue, publish('a', '1'));
  expect(queue.take()).toBeDefined();
  put(queue, publish('a', '2'));
  expect(queue.take()).toBeUndefined();
  expect(queue.idle).toBe(false);
  queue.written();
  expect(queue.take()).toBeDefined();
});

test('units are cut between packets, at about 64 KiB', () => {
  const queue = new OutputQueue();
  const packet = publish('topic', 'x'.repeat(500));
  let full = 0;
  for (let count = 0; count < 1001; count++) if (put(queue, packet)) full++;
  expect(queue.size).toBe(packet.length * 1001);
  const units = takeAll(queue);
  expect(full).toBe(units.length - 1);
  for (const unit of units) {
    expect(unit.size % packet.length).toBe(0);
    expect(unit.size).toBeLessThanOrEqual(65_536);
  }
  expect(hex(units.flatMap(({ parts }) => parts))).toBe(hex(new Array(1001).fill(packet)));
});

test('a packet that is larger is a unit of its own, and its payload is not copied', () => {
  const queue = new OutputQueue();
  const payload = Buffer.alloc(1_000_000, 'x');
  queue.buffer.publish(0, Buffer.from([0, 1, 0x61]), 0, Buffer.from([0]), payload, 0, payload.length);
  expect(queue.packetEnd()).toBe(true);
  const unit = queue.take()!;
  expect(unit.parts.some((part) => part.buffer === payload.buffer)).toBe(true);
});

test('observers hear of their own messages when the unit is written', () => {
  const queue = new OutputQueue();
  const [one, other] = [new Recorder(), new Recorder()];
  put(queue, publish('a', '1'), one);
  put(queue, publish('a', '2'), one);
  put(queue, publish('b', '3'), other);
  put(queue, publish('a', '4'), one);
  queue.take();
  expect(one.events).toEqual([]);
  queue.written();
  expect(one.events).toEqual(['written 2', 'written 1']);
  expect(other.events).toEqual(['written 1']);
});

describe('when the connection is lost', () => {
  test('QoS 0 messages that were not taken stay, everything else goes', () => {
    const queue = new OutputQueue();
    const recorder = new Recorder();
    put(queue, publish('a', '1', 1));
    put(queue, publish('a', '2'), recorder);
    put(queue, encodePacket({ type: PacketType.PINGREQ }, 5));
    put(queue, publish('a', '3'), recorder);
    queue.connectionLost(refuse);
    expect(recorder.events).toEqual([]);
    expect(hex(takeAll(queue).flatMap(({ parts }) => parts))).toBe(
      hex([publish('a', '2'), publish('a', '3')]),
    );
    expect(recorder.events).toEqual(['written 2']);
  });

  test('those in the interrupted write are lost, those behind it are not', () => {
    const queue = new OutputQueue();
    const recorder = new Recorder();
    put(queue, publish('a', '1'), recorder);
    queue.take();
    put(queue, publish('a', '2'), recorder);
    queue.connectionLost(refuse);
    expect(recorder.events).toEqual(['lost 1']);
    expect(hex(takeAll(queue).flatMap(({ parts }) => parts))).toBe(hex([publish('a', '2')]));
    expect(recorder.events).toEqual(['lost 1', 'written 1']);
  });

  test('a callback of the old connection that comes late changes nothing', () => {
    const queue = new OutputQueue();
    put(queue, publish('a', '1'), new Recorder());
    queue.take();
    queue.connectionLost(refuse);
    queue.written();
    expect(queue.size).toBe(0);
    expect(queue.idle).toBe(true);
  });

  test('units of everything else disappear', () => {
    const queue = new OutputQueue();
    put(queue, encodePacket({ type: PacketType.PINGREQ }, 5));
    queue.connectionLost(refuse);
    expect(queue.idle).toBe(true);
    expect(queue.take()).toBeUndefined();
  });

  test('messages keep their payloads by the megabyte', () => {
    const queue = new OutputQueue();
    const recorder = new Recorder();
    const large = publish('a', 'x'.repeat(300_000));
    for (let count = 0; count < 5; count++) put(queue, large, recorder);
    queue.connectionLost(refuse);
    expect(takeAll(queue).reduce((total, { size }) => total + size, 0)).toBe(5 * large.length);
    expect(recorder.events).toEqual(['written 1', 'written 1', 'written 1', 'written 1', 'written 1']);
  });

  test('messages known by their alias get their topics back', () => {
    const queue = new OutputQueue();
    put(queue, publish('long/topic', '1', 0, 3), new Recorder());
    put(queue, publish('', '2', 0, 3), new Recorder());
    put(queue, publish('b', '3'), new Recorder());
    queue.connectionLost((message) => {
      expect(message.properties).toEqual([{ name: 'topicAlias', value: 3 }]);
      return publish('long/topic', Buffer.from(message.payload).toString());
    });
    expect(hex(takeAll(queue).flatMap(({ parts }) => parts))).toBe(
      hex([publish('long/topic', '1'), publish('long/topic', '2'), publish('b', '3')]),
    );
  });
});

test('when it is over, all of them are lost', () => {
  const queue = new OutputQueue();
  const recorder = new Recorder();
  put(queue, publish('a', 'x'.repeat(70_000)), recorder);
  put(queue, publish('a', '2'), recorder);
  queue.take();
  queue.discard();
  expect(recorder.events).toEqual(['lost 1', 'lost 1']);
  expect(queue.idle).toBe(true);
});
