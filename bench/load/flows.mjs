// Publishers and subscribers of the load generator. Every PUBLISH of a flow has the same size, so bytes tell how many
// there are and where the Packet Identifiers stand.
import { PUBACK_BYTES, publishPacket } from './raw-packets.mjs';

const CHUNK_BYTES = 65_536;
const NOTHING = Buffer.alloc(0);

/** QoS 0: the same chunk of packets again and again. */
export async function pourQoS0(raw, packet, count) {
  const most = Math.max(1, Math.floor(CHUNK_BYTES / packet.length));
  const chunk = Buffer.concat(Array.from({ length: Math.min(most, count) }, () => packet));
  const full = Math.floor(count / most);
  for (let index = 0; index < full; index += 1) await raw.write(chunk);
  const rest = count - full * most;
  if (rest > 0) await raw.write(chunk.subarray(0, rest * packet.length));
}

/** QoS 1: as many unacknowledged packets as the window holds; the next go out as acknowledgements come. */
export function pourQoS1(raw, topic, payload, count, window) {
  // Twice in a row, so that any run of packets is one slice.
  const packets = Array.from({ length: window }, (_, index) =>
    publishPacket(topic, payload, { qos: 1, packetId: index + 1 }),
  );
  const size = packets[0].length;
  const ring = Buffer.concat([...packets, ...packets]);
  let sent = 0;
  let acknowledged = 0;
  let bytes = 0;
  const send = () => {
    const room = Math.min(window - (sent - acknowledged), count - sent);
    if (room <= 0) return;
    const from = (sent % window) * size;
    raw.socket.write(ring.subarray(from, from + room * size));
    sent += room;
  };
  return new Promise((resolve) => {
    raw.onBytes = (came) => {
      bytes += came;
      acknowledged = Math.floor(bytes / PUBACK_BYTES);
      if (acknowledged >= count) resolve();
      else send();
    };
    send();
  });
}

/** Counts what comes at QoS 0; `deliveries` is read by whoever waits. */
export function countQoS0(raw, packet, tally) {
  let bytes = 0;
  raw.onBytes = (came) => {
    bytes += came;
    const whole = Math.floor(bytes / packet.length);
    bytes -= whole * packet.length;
    tally.add(whole);
  };
}

/** Counts and acknowledges what comes at QoS 1. */
export function acknowledgeQoS1(raw, packet, payloadBytes, tally) {
  const size = packet.length;
  // The Packet Identifier stands right before the payload.
  const idAt = size - payloadBytes - 2;
  let rest = NOTHING;
  raw.onBytes = (came, buffer) => {
    const bytes = buffer.subarray(0, came);
    const data = rest === NOTHING ? bytes : Buffer.concat([rest, bytes]);
    const whole = Math.floor(data.length / size);
    rest = whole * size === data.length ? NOTHING : Buffer.from(data.subarray(whole * size));
    if (whole === 0) return;
    const acknowledgements = Buffer.allocUnsafe(whole * PUBACK_BYTES);
    for (let at = 0, from = idAt; at < acknowledgements.length; at += PUBACK_BYTES, from += size) {
      acknowledgements[at] = 0x40;
      acknowledgements[at + 1] = 2;
      acknowledgements[at + 2] = data[from];
      acknowledgements[at + 3] = data[from + 1];
    }
    raw.socket.write(acknowledgements);
    tally.add(whole);
  };
}

/** Waits until so many deliveries came, or none for a while: what is missing then is lost. */
export class Tally {
  count = 0;
  /** When the last came, in milliseconds. */
  last = 0;
  #wanted;
  #done;
  #stalled;

  constructor(wanted, stallMs = 5000) {
    this.#wanted = wanted;
    this.finished = new Promise((resolve) => {
      this.#done = resolve;
    });
    let seen = -1;
    this.#stalled = setInterval(() => {
      if (this.count === seen) this.#finish();
      seen = this.count;
    }, stallMs);
  }

  add(count) {
    this.count += count;
    this.last = performance.now();
    if (this.count >= this.#wanted) this.#finish();
  }

  #finish() {
    clearInterval(this.#stalled);
    this.#done();
  }
}
