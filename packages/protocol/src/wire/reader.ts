import { MalformedPacketError } from '../errors.js';
import { isMqttUtf8 } from '../topic/utf8.js';

/**
 * Reads the data representations of 1.5 from one packet's body. Every read checks the end first and throws
 * MalformedPacketError `truncated` where the body is too short.
 */
export class Reader {
  constructor(
    readonly source: Buffer,
    public position: number,
    public end: number,
  ) {}

  get remaining(): number {
    return this.end - this.position;
  }

  /** One byte. */
  byte(): number {
    this.#need(1);
    return this.source[this.position++] as number;
  }

  /** Two Byte Integer, big-endian (1.5.2). */
  int16(): number {
    this.#need(2);
    const at = this.position;
    this.position = at + 2;
    return ((this.source[at] as number) << 8) | (this.source[at + 1] as number);
  }

  /** Four Byte Integer, big-endian, unsigned (1.5.3). */
  int32(): number {
    return this.int16() * 65_536 + this.int16();
  }

  /** Variable Byte Integer in its shortest form [MQTT-1.5.5-1]. */
  varint(): number {
    let value = 0;
    let factor = 1;
    for (let index = 0; index < 4; index++) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        if (byte === 0 && index > 0) break;
        return value;
      }
      factor *= 128;
    }
    throw new MalformedPacketError(
      'variable-byte-integer',
      'Variable Byte Integer is not in its shortest form or too long',
    );
  }

  /**
   * UTF-8 Encoded String (1.5.4).
   * @throws MalformedPacketError `invalid-utf8`, or `code` where given [MQTT-1.5.4-1] [MQTT-1.5.4-2].
   */
  string(what: string, code = 'invalid-utf8', reasonCode = 0x81): string {
    const length = this.int16();
    this.#need(length);
    const start = this.position;
    const end = start + length;
    if (!isMqttUtf8(this.source, start, end)) {
      throw new MalformedPacketError(code, `${what} is not valid UTF-8 text`, reasonCode);
    }
    this.position = end;
    return this.source.toString('utf8', start, end);
  }

  /** Binary Data (1.5.6), copied: it outlives the chunk. */
  binary(): Uint8Array {
    const length = this.int16();
    this.#need(length);
    const start = this.position;
    this.position = start + length;
    return Buffer.from(this.source.subarray(start, this.position));
  }

  /** Moves past `length` bytes and returns where they start. */
  skip(length: number): number {
    this.#need(length);
    const start = this.position;
    this.position = start + length;
    return start;
  }

  /** A decoder consumes exactly its bytes. @throws MalformedPacketError `trailing-bytes` */
  finish(): void {
    if (this.position !== this.end) {
      throw new MalformedPacketError(
        'trailing-bytes',
        `${this.end - this.position} bytes after the end of the packet`,
      );
    }
  }

  #need(length: number): void {
    if (this.position + length > this.end) {
      throw new MalformedPacketError('truncated', 'packet ends in the middle of a field');
    }
  }
}
