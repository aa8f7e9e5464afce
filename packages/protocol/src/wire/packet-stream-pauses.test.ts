import { describe, expect, test } from 'vitest';
import { MalformedPacketError } from '../errors.js';
import type { Acknowledgement, Packet } from './packet.js';
import { PacketStream, Verdict } from './packet-stream.js';

const COUNT = 6;
/** PUBACKs with Packet Identifiers from 1 on. */
const pubacks = (count: number, first = 1): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, index) => Buffer.from([0x40, 2, 0, first + index])));

/** Ids that were taken; `answer` says what the sink answers, and may call the stream. */
function listening(answer: (id: number, stream: PacketStream) => Verdict) {
  const given: number[] = [];
  const stream: PacketStream = new PacketStream({
    packet(packet: Packet): Verdict {
      const id = (packet as Acknowledgement).packetId;
      given.push(id);
      return answer(id, stream);
    },
  });
  return { stream, given };
}

const all = Array.from({ length: COUNT }, (_, index) => index + 1);

describe.each(all)('at packet %i', (at) => {
  describe.each([0, 1, 3, 4])('with chunks cut %i bytes off the packets', (offset) => {
    const bytes = pubacks(COUNT);
    const cut = offset === 0 ? bytes.length : 4 * at - offset;

    test.each(['PAUSE', 'pause()'] as const)('%s keeps what follows, however it comes', (how) => {
      const { stream, given } = listening((id, self) => {
        if (id !== at) return Verdict.CONTINUE;
        if (how === 'PAUSE') return Verdict.PAUSE;
        self.pause();
        return Verdict.CONTINUE;
      });
      stream.receive(bytes.subarray(0, cut));
      stream.receive(bytes.subarray(cut));
      for (let extra = 0; extra < 3; extra++) stream.receive(pubacks(1, COUNT + 1 + extra));
      expect(given).toEqual(all.slice(0, at));
      expect(stream.paused).toBe(true);
      expect(stream.pendingBytes).toBe(4 * (COUNT + 3 - at));
      stream.resume();
      expect(given).toEqual([...all, COUNT + 1, COUNT + 2, COUNT + 3]);
      expect([stream.paused, stream.pendingBytes]).toEqual([false, 0]);
    });

    test('RETRY gives it again until it is taken; it counts as pending so long', () => {
      let refusals = 3;
      const { stream, given } = listening((id) =>
        id === at && refusals-- > 0 ? Verdict.RETRY : Verdict.CONTINUE,
      );
      stream.receive(bytes.subarray(0, cut));
      stream.receive(bytes.subarray(cut));
      expect(stream.pendingBytes).toBe(4 * (COUNT + 1 - at));
      stream.resume();
      stream.receive(pubacks(1, COUNT + 1));
      stream.resume();
      expect(stream.pendingBytes).toBe(4 * (COUNT + 2 - at));
      stream.resume();
      expect(given).toEqual([...all.slice(0, at), at, at, ...all.slice(at - 1), COUNT + 1]);
      expect([stream.paused, stream.pendingBytes]).toEqual([false, 0]);
    });
  });

  test('a sink that receives more puts it behind what is there', () => {
    const { stream, given } = listening((id, self) => {
      if (id === at) self.receive(pubacks(2, COUNT + 1));
      return Verdict.CONTINUE;
    });
    stream.receive(pubacks(COUNT));
    expect(given).toEqual([...all, COUNT + 1, COUNT + 2]);
  });

  test('a sink that receives more and wants it again gets all, in order', () => {
    let first = true;
    const { stream, given } = listening((id, self) => {
      if (id !== at || !first) return Verdict.CONTINUE;
      first = false;
      self.receive(pubacks(1, COUNT + 1));
      return Verdict.RETRY;
    });
    stream.receive(pubacks(COUNT));
    stream.resume();
    expect(given).toEqual([...all.slice(0, at), ...all.slice(at - 1), COUNT + 1]);
  });

  test('nothing is given after the sink threw', () => {
    const failure = new Error('of the sink');
    const { stream, given } = listening((id) => {
      if (id === at) throw failure;
      return Verdict.CONTINUE;
    });
    expect(() => stream.receive(pubacks(COUNT))).toThrow(failure);
    stream.receive(pubacks(1, 9));
    stream.resume();
    expect(given).toEqual(all.slice(0, at));
    expect(stream.pendingBytes).toBe(0);
  });

  test('nothing is given after bytes that are malformed', () => {
    const { stream, given } = listening(() => Verdict.CONTINUE);
    const bytes = Buffer.concat([pubacks(at), Buffer.from([0x41, 2, 0, 9]), pubacks(2)]);
    expect(() => stream.receive(bytes)).toThrow(MalformedPacketError);
    stream.receive(pubacks(1, 9));
    stream.resume();
    expect(given).toEqual(all.slice(0, at));
    expect(stream.pendingBytes).toBe(0);
  });
});

test('a packet that was refused by its header does not come in by its rest', () => {
  const { stream, given } = listening(() => Verdict.CONTINUE);
  const small = new PacketStream({ packet: () => Verdict.CONTINUE }, 100);
  small.receive(Buffer.from([0x30]));
  expect(() => small.receive(Buffer.from([0xff, 0x7f]))).toThrow(
    expect.objectContaining({ reasonCode: 0x95 }),
  );
  for (let count = 0; count < 3; count++) small.receive(Buffer.alloc(1000));
  expect(small.pendingBytes).toBe(0);
  stream.receive(pubacks(1));
  expect(given).toEqual([1]);
});
