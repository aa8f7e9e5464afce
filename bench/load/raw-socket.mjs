// Sockets of the load generator: they count bytes and do little else.
import { connect } from 'node:net';
import { CONNACK_BYTES, connectPacket, subscribePacket } from './raw-packets.mjs';

/** One read buffer for all sockets: what was read is looked at before the next read. */
const READ_BUFFER = Buffer.allocUnsafe(256 * 1024);

/**
 * A connection that the broker has accepted. `onBytes(count, buffer)` may be replaced at any time; bytes are valid only
 * during the call.
 */
export class RawSocket {
  onBytes = () => {};

  /** @param {number} port @param {string} clientId */
  static async open(port, clientId) {
    const raw = new RawSocket();
    await new Promise((resolve, reject) => {
      raw.socket = connect({
        port,
        host: '127.0.0.1',
        noDelay: true,
        onread: {
          buffer: READ_BUFFER,
          callback: (count, buffer) => {
            raw.onBytes(count, buffer);
            return true;
          },
        },
      });
      raw.socket.on('error', reject);
      raw.socket.on('connect', resolve);
    });
    const greeted = raw.bytes(CONNACK_BYTES);
    raw.socket.write(connectPacket(clientId));
    await greeted;
    return raw;
  }

  /** Resolves when so many bytes more have come. */
  bytes(count) {
    return new Promise((resolve) => {
      let left = count;
      this.onBytes = (came) => {
        left -= came;
        if (left <= 0) resolve();
      };
    });
  }

  /** Subscribes and waits for SUBACK. */
  async subscribe(filters, qos) {
    const answered = this.bytes(4 + filters.length);
    this.socket.write(subscribePacket(filters, qos));
    await answered;
  }

  /** Resolves when the socket takes more. */
  async write(chunk) {
    if (!this.socket.write(chunk)) await new Promise((resolve) => this.socket.once('drain', resolve));
  }

  close() {
    this.socket.destroy();
  }
}
