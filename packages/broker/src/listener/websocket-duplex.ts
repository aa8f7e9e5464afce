import { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import { PacketFrames } from './packet-frames.js';

/** Status codes of Close (RFC 6455, 7.4.1). */
const NORMAL_CLOSURE = 1000;
const UNSUPPORTED_DATA = 1003;

/** Of a frame with a mask. */
const SHORTEST_HEADER = 6;

/** What is written with one call of the stream. */
interface Write {
  readonly chunk: Buffer;
}

/**
 * MQTT's bytes in a WebSocket. What comes in is what binary frames carry, whatever their borders [MQTT-6.0.0-2] [MQTT311-6.0.0-2]; what
 * is written must be MQTT packets, and each leaves in a frame of its own (broker §10.1).
 *
 * The library reads all frames, and writes Close and Pong. Frames of data are written past it: it would copy large
 * payloads, and write to the socket twice for each packet.
 *
 * `end()` sends Close; the peer's Close ends the reading. Frames that break the rules are told by 'error', which here
 * does not end the stream: the Close that answers them has to get out.
 */
export class WebSocketDuplex extends Duplex {
  /** Called with the number of bytes that came of messages which are not complete; Ping and Pong do not count. */
  onPartial: ((bytes: number) => void) | undefined;
  readonly #base: Duplex;
  readonly #socket: WebSocket;
  readonly #frames = new PacketFrames();
  #broken = false;
  /** A Pong has not left. */
  #ponging = false;
  #nextPong: Buffer | undefined;
  /** Bytes of whole frames in the chunk at hand. */
  #whole = 0;

  /** @param base What the WebSocket runs over; nobody else reads or writes it. */
  constructor(socket: WebSocket, base: Duplex) {
    super({ decodeStrings: true });
    this.#base = base;
    this.#socket = socket;
    // Until somebody reads, and with that listens for errors.
    socket.pause();
    base.on('error', (error) => this.destroy(error));
    // The library has its listener already, so it has looked at the chunk by then.
    base.on('data', (chunk: Buffer) => {
      const partial = chunk.length - this.#whole;
      this.#whole = 0;
      if (partial > 0) this.onPartial?.(partial);
    });
    socket
      .on('message', (data: Buffer, isBinary: boolean) => this.#received(data, isBinary))
      .on('ping', (payload: Buffer) => {
        this.#whole += SHORTEST_HEADER + payload.length;
        this.#pong(payload);
      })
      .on('pong', (payload: Buffer) => {
        this.#whole += SHORTEST_HEADER + payload.length;
      })
      .on('error', (error) => this.#break(error))
      .on('close', () => {
        if (!this.readableEnded) this.push(null);
      });
  }

  #received(data: Buffer, isBinary: boolean): void {
    this.#whole += SHORTEST_HEADER + data.length;
    if (this.#broken) return;
    if (!isBinary) {
      // [MQTT-6.0.0-1] [MQTT311-6.0.0-1]
      this.#socket.close(UNSUPPORTED_DATA, 'MQTT is binary');
      this.#break(new Error('it sent a text frame'));
    } else if (data.length > 0 && !this.push(data)) this.#socket.pause();
  }

  #break(error: Error): void {
    if (this.#broken) return;
    this.#broken = true;
    // Its Close may still come; nothing else is looked at.
    this.#socket.resume();
    this.emit('error', error);
  }

  /** Of Pings that come while a Pong waits for the peer to read, the last is answered (RFC 6455, 5.5.3). */
  #pong(payload: Buffer): void {
    if (this.#ponging) {
      this.#nextPong = Buffer.from(payload);
      return;
    }
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#ponging = true;
    this.#socket.pong(payload, false, this.#ponged);
  }

  readonly #ponged = (): void => {
    this.#ponging = false;
    const next = this.#nextPong;
    this.#nextPong = undefined;
    if (next !== undefined) this.#pong(next);
  };

  override _read(): void {
    if (this.#socket.isPaused) this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: string, callback: (error?: Error | null) => void): void {
    this.#writeFrames([chunk], callback);
  }

  override _writev(writes: readonly Write[], callback: (error?: Error | null) => void): void {
    this.#writeFrames(
      writes.map(({ chunk }) => chunk),
      callback,
    );
  }

  /** All in one write of the socket, which says by that when the peer's kernel has taken them. */
  #writeFrames(chunks: readonly Buffer[], callback: (error?: Error | null) => void): void {
    const buffers = this.#frames.frame(chunks);
    const last = buffers.pop();
    // Behind a Close nothing may be sent (RFC 6455, 5.5.1).
    if (last === undefined || this.#socket.readyState !== WebSocket.OPEN) {
      callback();
      return;
    }
    const base = this.#base;
    base.cork();
    for (const buffer of buffers) base.write(buffer);
    base.write(last, callback);
    base.uncork();
  }

  override _final(callback: () => void): void {
    this.#socket.close(NORMAL_CLOSURE);
    callback();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#socket.terminate();
    callback(error);
  }
}
