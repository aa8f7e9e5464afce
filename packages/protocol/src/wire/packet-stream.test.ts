import { describe, expect, test } from 'vitest';
import { MalformedPacketError, ProtocolError } from '../errors.js';
import type { Packet } from './packet.js';
import { PacketStream, Verdict } from './packet-stream.js';
import { PACKET_NAMES } from './packet-type.js';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** A sink that notes what it is given and answers what it is told to, CONTINUE by default. */
class Notes {
  readonly seen: string[] = [];
  answers: Verdict[] = [];
  during: (() => void) | undefined;

  packet(packet: Packet): Verdict {
    const id = 'packetId' in packet ? ` ${packet.packetId}` : '';
    this.seen.push(`${PACKET_NAMES[packet.type]}${id}`);
    this.during?.();
    return this.answers.shift() ?? Verdict.CONTINUE;
  }
}

describe('PacketStream', () => {
  test('gives all packets of a chunk, and the one that was cut when its rest comes', () => {
    const notes = new Notes();
    const stream = new PacketStream(notes);
    stream.receive(hex('c000 40020001 4002'));
    expect(notes.seen).toEqual(['PINGREQ', 'PUBACK 1']);
    expect(stream.pendingBytes).toBe(2);
    stream.receive(hex('0002'));
    expect(notes.seen).toEqual(['PINGREQ', 'PUBACK 1', 'PUBACK 2']);
    expect(stream.pendingBytes).toBe(0);
  });

  test('PAUSE keeps the rest for resume()', () => {
    const notes = new Notes();
    const stream = new PacketStream(notes);
    notes.answers = [Verdict.CONTINUE, Verdict.PAUSE];
    stream.receive(hex('40020001 40020002 40020003'));
    expect(notes.seen).toEqual(['PUBACK 1', 'PUBACK 2']);
    expect(stream.paused).toBe(true);
    stream.receive(hex('40020004 4002'));
    expect(notes.seen).toHaveLength(2);
    expect(stream.pendingBytes).toBe(10);
    stream.resume();
    expect(notes.seen).toEqual(['PUBACK 1', 'PUBACK 2', 'PUBACK 3', 'PUBACK 4']);
    expect(stream.paused).toBe(false);
  });

  test('RETRY gives the same packet again, first thing', () => {
    const notes = new Notes();
    const stream = new PacketStream(notes);
    notes.answers = [Verdict.RETRY, Verdict.RETRY];
    stream.receive(hex('40020001 40020002'));
    expect(notes.seen).toEqual(['PUBACK 1']);
    stream.receive(hex('40020003'));
    stream.resume();
    expect(notes.seen).toEqual(['PUBACK 1', 'PUBACK 1']);
    stream.resume();
    expect(notes.seen).toEqual(['PUBACK 1', 'PUBACK 1', 'PUBACK 1', 'PUBACK 2', 'PUBACK 3']);
  });

  test('pause() takes effect after the packet that is being handled', () => {
    const notes = new Notes();
    const stream = new PacketStream(notes);
    notes.during = () => stream.pause();
    stream.receive(hex('40020001 40020002'));
    expect(notes.seen).toEqual(['PUBACK 1']);
    notes.during = undefined;
    stream.resume();
    expect(notes.seen).toEqual(['PUBACK 1', 'PUBACK 2']);
  });

  test('resume() inside the sink neither nests nor loses packets', () => {
    const notes = new Notes();
    const stream = new PacketStream(notes);
    let depth = 0;
    notes.during = () => {
      depth++;
      expect(depth).toBe(1);
      stream.pause();
      stream.resume();
      depth--;
    };
    stream.receive(hex('40020001 40020002 40020003'));
    expect(notes.seen).toEqual(['PUBACK 1', 'PUBACK 2', 'PUBACK 3']);
  });

  test('reads by the version that CONNECT set, from the very next packet on', () => {
    const notes = new Notes();
    const stream = new PacketStream(notes);
    notes.during = () => {
      stream.version = 5;
    };
    // The PUBACK has a Reason Code, which only MQTT 5 has.
    stream.receive(hex('10 0d 0004 4d515454 05 02 003c 00 0000 4003 0001 10'));
    expect(notes.seen).toEqual(['CONNECT', 'PUBACK 1']);
    expect(stream.bodyLength).toBe(3);
  });

  test('throws the peer errors', () => {
    const stream = new PacketStream(new Notes(), 100);
    expect(() => stream.receive(hex('00 00'))).toThrow(ProtocolError);
    expect(() => new PacketStream(new Notes()).receive(hex('c1 00'))).toThrow(MalformedPacketError);
    expect(() => new PacketStream(new Notes(), 100).receive(hex('30 64'))).toThrow(
      expect.objectContaining({ reasonCode: 0x95 }),
    );
  });

  test('lets through what the sink throws', () => {
    const failure = new Error('of the sink');
    const stream = new PacketStream({
      packet: () => {
        throw failure;
      },
    });
    expect(() => stream.receive(hex('c000'))).toThrow(failure);
  });
});
