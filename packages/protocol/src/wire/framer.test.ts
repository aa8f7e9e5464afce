import { afterEach, describe, expect, test, vi } from 'vitest';
import { singleBytes } from '../../test/codec.js';
import { MalformedPacketError, ProtocolError } from '../errors.js';
import { Framer, lengthBytes, MAXIMUM_REMAINING_LENGTH } from './framer.js';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** Frames of everything that `framer` gives now. */
function frames(framer: Framer): string[] {
  const found: string[] = [];
  while (framer.next()) found.push(framer.source.toString('hex', framer.frameStart, framer.end));
  return found;
}

function failure(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('frames', () => {
  test('are described by where they stand', () => {
    const framer = new Framer();
    framer.push(hex('c000 40020001 d000'));
    expect(framer.next()).toBe(true);
    expect(framer).toMatchObject({ firstByte: 0xc0, frameStart: 0, start: 2, end: 2 });
    expect(framer.next()).toBe(true);
    expect(framer).toMatchObject({ firstByte: 0x40, frameStart: 2, start: 4, end: 6 });
    expect(framer.next()).toBe(true);
    expect(framer).toMatchObject({ firstByte: 0xd0, frameStart: 6, start: 8, end: 8 });
    expect(framer.next()).toBe(false);
    expect(framer.next()).toBe(false);
  });

  test.each([
    ['ends with a packet', 'c000'],
    ['ends in a Fixed Header', 'c000 40'],
    ['ends in a packet', 'c000 400200'],
  ])('do not keep the chunk they came in when it %s', (_, bytes) => {
    const framer = new Framer();
    const chunk = hex(bytes);
    framer.push(chunk);
    expect(framer.next()).toBe(true);
    expect(framer.source.buffer).toBe(chunk.buffer);
    expect(framer.next()).toBe(false);
    expect(framer.source).toHaveLength(0);
  });

  test('of one chunk are given in place, without a copy', () => {
    const framer = new Framer();
    const chunk = hex('c000 40020001');
    framer.push(chunk);
    while (framer.next()) expect(framer.source).toBe(chunk);
  });

  test.each([0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152])('with a body of %d bytes', (length) => {
    const header = [0x30];
    let rest = length;
    do {
      const low = rest % 128;
      rest = Math.floor(rest / 128);
      header.push(rest > 0 ? low | 0x80 : low);
    } while (rest > 0);
    expect(lengthBytes(length)).toBe(header.length - 1);
    const packet = Buffer.concat([Buffer.from(header), Buffer.alloc(length, 0x61)]);
    for (const cut of [0, 1, 2, 3, 4, 5, 6, packet.length - 1, packet.length]) {
      const framer = new Framer();
      framer.push(packet.subarray(0, cut));
      const early = framer.next();
      expect(early).toBe(cut >= packet.length);
      if (!early) {
        framer.push(packet.subarray(cut));
        expect(framer.next()).toBe(true);
      }
      expect(framer.start - framer.frameStart).toBe(header.length);
      expect(framer.end - framer.start).toBe(length);
      expect(framer.source.subarray(framer.frameStart, framer.end).equals(packet)).toBe(true);
      expect(framer.next()).toBe(false);
      expect(framer.pendingBytes).toBe(0);
    }
  });

  test('stay valid while later chunks come', () => {
    const framer = new Framer();
    framer.push(hex('3004 0001'));
    expect(framer.next()).toBe(false);
    framer.push(hex('6141 3004 0001'));
    expect(framer.next()).toBe(true);
    const first = framer.source.subarray(framer.start, framer.end);
    expect(framer.next()).toBe(false);
    framer.push(hex('6242'));
    expect(framer.next()).toBe(true);
    const second = framer.source.subarray(framer.start, framer.end);
    expect([first.toString('hex'), second.toString('hex')]).toEqual(['00016141', '00016242']);
  });

  test('come in order when a chunk is pushed before the last one was read', () => {
    const framer = new Framer();
    framer.push(hex('c000 40020001 4002'));
    expect(framer.next()).toBe(true);
    framer.push(hex('0002 d0'));
    framer.push(hex('00'));
    expect(framer.pendingBytes).toBe(10);
    expect(frames(framer)).toEqual(['40020001', '40020002', 'd000']);
    expect(framer.pendingBytes).toBe(0);
  });

  test('are given again after rewind()', () => {
    const framer = new Framer();
    framer.push(hex('c000 40020001'));
    framer.next();
    framer.next();
    framer.rewind();
    framer.push(hex('d000'));
    expect(frames(framer)).toEqual(['40020001', 'd000']);
  });

  test('take empty chunks in their stride', () => {
    const framer = new Framer();
    const found: string[] = [];
    for (const byte of singleBytes(hex('40020001 c000'))) {
      framer.push(Buffer.alloc(0));
      found.push(...frames(framer));
      framer.push(byte);
      found.push(...frames(framer));
    }
    expect(found).toEqual(['40020001', 'c000']);
  });
});

describe('the limit on size', () => {
  const tooLarge = { code: 'packet-too-large', reasonCode: 0x95 };

  test('counts the whole packet, its header included (broker T-22)', () => {
    const packet = Buffer.concat([hex('3062'), Buffer.alloc(98)]);
    const fits = new Framer(100);
    fits.push(packet);
    expect(fits.next()).toBe(true);
    const tight = new Framer(99);
    tight.push(packet);
    const error = failure(() => tight.next());
    expect(error).toBeInstanceOf(ProtocolError);
    expect(error).toMatchObject(tooLarge);
  });

  test('counts every byte of a longer Remaining Length', () => {
    const packet = Buffer.concat([hex('30 8001'), Buffer.alloc(128)]);
    const fits = new Framer(131);
    fits.push(packet);
    expect(fits.next()).toBe(true);
    const tight = new Framer(130);
    tight.push(packet);
    expect(failure(() => tight.next())).toMatchObject(tooLarge);
  });

  test('is checked when the header is complete, before any of the body', () => {
    const framer = new Framer(1000);
    framer.push(hex('30 ffffff7f'));
    expect(failure(() => framer.next())).toMatchObject(tooLarge);
    expect(framer.heldBytes).toBe(0);
  });

  test('is checked when the header comes byte by byte', () => {
    const framer = new Framer(1000);
    for (const byte of singleBytes(hex('30 ffffff'))) {
      framer.push(byte);
      expect(framer.next()).toBe(false);
    }
    framer.push(hex('7f'));
    expect(failure(() => framer.next())).toMatchObject(tooLarge);
    expect(framer.heldBytes).toBe(5);
  });

  test('holds for the packets behind the first one too', () => {
    const framer = new Framer(10);
    framer.push(hex('c000 3009 000161'));
    expect(framer.next()).toBe(true);
    expect(failure(() => framer.next())).toMatchObject(tooLarge);
  });
});

describe('the check of headers', () => {
  test('is asked once for each packet, before its body came', () => {
    const asked: [number, number][] = [];
    const framer = new Framer(undefined, (firstByte, length) => asked.push([firstByte, length]));
    framer.push(hex('c000 3004'));
    expect(frames(framer)).toEqual(['c000']);
    expect(asked).toEqual([
      [0xc0, 0],
      [0x30, 4],
    ]);
    for (const byte of singleBytes(hex('00016162'))) {
      framer.push(byte);
      framer.next();
    }
    expect(asked).toHaveLength(2);
  });

  test('refuses by throwing', () => {
    const refusal = new ProtocolError('no', 'no');
    const framer = new Framer(undefined, () => {
      throw refusal;
    });
    framer.push(hex('10'));
    expect(framer.next()).toBe(false);
    framer.push(hex('ffffff7f'));
    expect(failure(() => framer.next())).toBe(refusal);
  });
});

describe('the Remaining Length', () => {
  // biome-ignore format: one row a line
  const rows = [
    ['more than four bytes', '30 ffffffff'],
    ['more than four bytes, all zero', '30 80808080'],
    ['not in its shortest form, two bytes', '30 8000'],
    ['not in its shortest form, three bytes', '30 ff8000'],
    ['not in its shortest form, four bytes', '30 ffff8000'],
  ] as const;

  test.each(rows)('%s is malformed as soon as that shows', (_what, bytes) => {
    const whole = new Framer();
    whole.push(hex(bytes));
    const error = failure(() => whole.next());
    expect(error).toBeInstanceOf(MalformedPacketError);
    expect(error).toMatchObject({ code: 'remaining-length', reasonCode: 0x81 });

    const framer = new Framer();
    const pieces = singleBytes(hex(bytes));
    for (const byte of pieces.slice(0, -1)) {
      framer.push(byte);
      expect(framer.next()).toBe(false);
    }
    framer.push(pieces.at(-1)!);
    expect(failure(() => framer.next())).toMatchObject({ code: 'remaining-length' });
  });

  test('may be the largest there is', () => {
    const framer = new Framer();
    framer.push(hex('30 ffffff7f'));
    expect(framer.next()).toBe(false);
    expect(MAXIMUM_REMAINING_LENGTH).toBe(0xfff_ffff);
  });
});

describe('memory', () => {
  afterEach(() => vi.restoreAllMocks());

  test('grows with the bytes that came, never with a length that was announced', () => {
    const spies = (['alloc', 'allocUnsafe', 'allocUnsafeSlow'] as const).map((name) =>
      vi.spyOn(Buffer, name),
    );
    const framer = new Framer();
    framer.push(Buffer.from('30ffffff7f', 'hex'));
    expect(framer.next()).toBe(false);
    let received = 5;
    const chunk = Buffer.from('x'.repeat(1000));
    let largest = 0;
    for (let turn = 0; turn < 300; turn++) {
      framer.push(chunk);
      expect(framer.next()).toBe(false);
      received += chunk.length;
      expect(framer.heldBytes).toBe(received);
      for (const spy of spies) {
        for (const [size] of spy.mock.calls) largest = Math.max(largest, size);
        spy.mockClear();
      }
      expect(largest).toBeLessThanOrEqual(2 * received + 64);
    }
    expect(largest).toBeGreaterThan(received / 4);
  });

  test('of a small rest is not that of the large chunk it came in', () => {
    const framer = new Framer();
    const large = Buffer.concat([hex('30 ff7f'), Buffer.alloc(16_383), hex('30 0400')]);
    framer.push(large);
    expect(framer.next()).toBe(true);
    expect(framer.next()).toBe(false);
    expect(framer.heldBytes).toBe(3);
    framer.push(hex('016142'));
    expect(framer.next()).toBe(true);
    expect(framer.source.buffer.byteLength).toBeLessThan(256);
  });

  test('of a packet that came byte by byte is not larger than the packet', () => {
    const framer = new Framer();
    const packet = Buffer.concat([hex('30 e807'), Buffer.alloc(1000)]);
    for (const byte of singleBytes(packet)) {
      framer.push(byte);
      framer.next();
    }
    expect(framer.source.buffer.byteLength).toBe(packet.length);
  });
});
