import {
  decodeFrame,
  Framer,
  OutputBuffer,
  PacketType,
  type Publish,
  property,
  Ring,
} from '@tsmqtt/protocol';

/** Collected bytes go out at once from here on; a little under a slab, so that one rarely spills into a second. */
const UNIT_BYTES = 63_488;

/** Told what became of QoS 0 messages. */
export interface WriteObserver {
  /** So many more are handed to the kernel. */
  written(count: number): void;
  /** So many more were in a write that the end of the connection interrupted, or will never be written. */
  lost(count: number): void;
}

/** What one write to the connection takes: whole packets, about 64 KiB, or one that is larger. */
export interface OutputUnit {
  readonly parts: readonly Uint8Array[];
  readonly size: number;
  /** Whose QoS 0 messages are in it, in order, and how many of each. */
  readonly observers: readonly WriteObserver[];
  readonly counts: readonly number[];
}

/**
 * Output on its way to the connection: collected, cut into units at packet boundaries, one of them being written.
 * Knows which QoS 0 messages are in a unit, so that they are settled when it is written, and kept when it never was.
 */
export class OutputQueue {
  readonly buffer = new OutputBuffer();
  readonly #units = new Ring<OutputUnit>();
  #observers: WriteObserver[] = [];
  #counts: number[] = [];
  #unitBytes = 0;
  #writing: OutputUnit | undefined;

  /** Bytes collected and not yet written. */
  get size(): number {
    return this.buffer.size + this.#unitBytes;
  }

  /** Nothing waits and nothing is being written. */
  get idle(): boolean {
    return this.#writing === undefined && this.size === 0;
  }

  /** The QoS 0 message that was just put into the buffer is this observer's. */
  observe(observer: WriteObserver): void {
    const last = this.#observers.length - 1;
    if (last >= 0 && this.#observers[last] === observer) {
      (this.#counts[last] as number)++;
    } else {
      this.#observers.push(observer);
      this.#counts.push(1);
    }
  }

  /** To be called after every packet. True: enough is collected to be written at once. */
  packetEnd(): boolean {
    if (this.buffer.size < UNIT_BYTES) return false;
    this.#seal();
    return true;
  }

  #seal(): void {
    const size = this.buffer.size;
    if (size === 0) return;
    this.#push(this.buffer.take(), size, this.#observers, this.#counts);
    this.#observers = [];
    this.#counts = [];
  }

  #push(
    parts: Uint8Array[],
    size: number,
    observers: readonly WriteObserver[],
    counts: readonly number[],
  ): void {
    this.#unitBytes += size;
    this.#units.push({ parts, size, observers, counts });
  }

  /** The next unit to write; undefined while one is being written, or where there is nothing. */
  take(): OutputUnit | undefined {
    if (this.#writing !== undefined) return undefined;
    if (this.#units.length === 0) this.#seal();
    this.#writing = this.#units.shift();
    return this.#writing;
  }

  /** The unit that was taken has been handed to the kernel. */
  written(): void {
    const unit = this.#writing;
    if (unit === undefined) return;
    this.#writing = undefined;
    this.#unitBytes -= unit.size;
    for (let index = 0; index < unit.observers.length; index++) {
      (unit.observers[index] as WriteObserver).written(unit.counts[index] as number);
    }
  }

  /**
   * The connection is gone. What was being written may have arrived or not and is not sent again (at most once); QoS 0
   * messages behind it stay for the next connection; everything else belonged to the old one.
   *
   * @param ofAlias Encodes a QoS 0 PUBLISH with a Topic Alias anew: on another connection it means nothing. Undefined: there
   *   are none.
   */
  connectionLost(ofAlias: ((publish: Publish) => Uint8Array) | undefined): void {
    this.#seal();
    this.#loseWriting();
    const units = [...this.#units];
    this.#units.clear();
    this.#unitBytes = 0;
    for (const unit of units) {
      if (unit.observers.length === 0) continue;
      const kept = Buffer.concat(publishesAtQoS0(unit.parts, ofAlias));
      this.#push([kept], kept.length, unit.observers, unit.counts);
    }
  }

  /** Forgets everything, and tells whose it was. */
  discard(): void {
    this.#seal();
    this.#loseWriting();
    for (const unit of this.#units) tellLost(unit);
    this.#units.clear();
    this.#unitBytes = 0;
  }

  #loseWriting(): void {
    const unit = this.#writing;
    if (unit === undefined) return;
    this.#writing = undefined;
    this.#unitBytes -= unit.size;
    tellLost(unit);
  }
}

function tellLost(unit: OutputUnit): void {
  unit.observers.forEach((observer, index) => {
    observer.lost(unit.counts[index] as number);
  });
}

/** The QoS 0 PUBLISH packets among packets of our own. */
function publishesAtQoS0(
  parts: readonly Uint8Array[],
  ofAlias: ((publish: Publish) => Uint8Array) | undefined,
): Uint8Array[] {
  const framer = new Framer();
  framer.push(Buffer.concat(parts));
  const found: Uint8Array[] = [];
  while (framer.next()) {
    const { firstByte, source, frameStart, start, end } = framer;
    if (firstByte >> 4 !== PacketType.PUBLISH || (firstByte & 6) !== 0) continue;
    const publish = ofAlias && (decodeFrame(source, frameStart, start, end, 5) as Publish);
    const hasAlias = publish !== undefined && property(publish.properties, 'topicAlias') !== undefined;
    found.push(ofAlias && hasAlias ? ofAlias(publish) : source.subarray(frameStart, end));
  }
  return found;
}
