import { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { ClientError } from '../client-error.js';

const NORMAL_CLOSURE = 1000;

/** Frames of at most this many bytes are joined from what is written together. */
const JOINED_BYTES = 65_536;

/** What is written with one call of the stream. */
interface Write {
  readonly chunk: Buffer;
}

/**
 * The bytes that binary frames carry, as a stream. Frames have no meaning: an MQTT packet may span several, a frame may
 * hold several packets [MQTT-6.0.0-2] [MQTT311-6.0.0-2]. It ends like a socket: `end()` sends Close, the peer's Close ends the reading.
 */
export class WebSocketDuplex extends Duplex {
  readonly #socket: WebSocket;

  /** @param base What the WebSocket runs over; it is watched for errors, which the library keeps to itself. */
  constructor(socket: WebSocket, base: Duplex) {
    super({ decodeStrings: true });
    this.#socket = socket;
    // Until somebody reads, and with that listens for errors.
    socket.pause();
    base.on('error', (error) => this.destroy(error));
    socket
      .on('message', (data: Buffer, isBinary) => {
        if (!isBinary)
          this.destroy(broken('the server sent a text frame')); // [MQTT-6.0.0-1] [MQTT311-6.0.0-1]
        else if (data.length > 0 && !this.push(data)) socket.pause();
      })
      .on('error', (error) => this.destroy(broken(error.message, error)))
      .on('close', () => this.push(null));
  }

  override _read(): void {
    if (this.#socket.isPaused) this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: string, callback: (error?: Error | null) => void): void {
    this.#socket.send(chunk, { binary: true }, callback);
  }

  override _writev(writes: readonly Write[], callback: (error?: Error | null) => void): void {
    let joined: Buffer[] = [];
    let size = 0;
    for (const { chunk } of writes) {
      if (size > 0 && size + chunk.length > JOINED_BYTES) {
        this.#socket.send(Buffer.concat(joined), { binary: true }, ignore);
        joined = [];
        size = 0;
      }
      joined.push(chunk);
      size += chunk.length;
    }
    // Frames leave in order: when the last one is written, all are.
    this.#socket.send(joined.length === 1 ? joined[0]! : Buffer.concat(joined), { binary: true }, callback);
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

/** An error that is told with a later write, or with the stream. */
function ignore(): void {}

function broken(message: string, cause?: unknown): ClientError {
  return new ClientError('protocol-error', `WebSocket: ${message}`, { cause });
}
