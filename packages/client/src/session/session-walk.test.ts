import {
  type Acknowledgement,
  encodePacket,
  OutboundFlow,
  OutboundMessage,
  type Packet,
  PacketStream,
  PacketType,
  type Publish,
  type QoS,
  Verdict,
} from '@tsmqtt/protocol';
import { describe, expect, test } from 'vitest';
import { CONNACK, SESSION_PRESENT, SessionProbe } from '../../test/session-probe.js';
import { ClientError } from '../client-error.js';
import { Batch } from '../publish-batch.js';
import { PublishHead } from './publish-head.js';

const lost = new ClientError('connection-lost', 'test');

/** Numbers that look random and are the same for the same seed. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

function numberIn({ payload }: Publish): number {
  return Number(Buffer.from(payload).toString().split(' ')[0]);
}

describe('a QoS 0 stream over connections that break in the middle of a write', () => {
  test.each([1, 2, 3, 4, 5])(
    'arrives at most once, in order, and what is counted as settled arrived, seed %i',
    (seed) => {
      const roll = dice(seed);
      const probe = SessionProbe.live({ protocolVersion: 4, clientId: 'c' }, CONNACK[4]);
      const batch = new Batch(probe.session.outbound, new PublishHead('t', {}, 4), undefined);
      const arrived: number[] = [];
      const receiver = (): PacketStream =>
        new PacketStream({
          packet: (packet) => {
            if (packet.type === PacketType.PUBLISH) arrived.push(numberIn(packet));
            return Verdict.CONTINUE;
          },
        });
      let stream = receiver();
      let interrupted = 0;
      for (let step = 0; step < 3000; step++) {
        for (let count = roll(30); count > 0; count--) {
          const payload = Buffer.from(
            `${batch.accepted} ${'x'.repeat(roll(50) === 0 ? roll(9000) : roll(40))}`,
          );
          batch.write(payload, 0, payload.length);
        }
        // Other output in between must not disturb the count.
        if (roll(5) === 0) probe.receive('32 05 0001 61 0001');
        const unit = probe.session.take();
        if (unit === undefined) continue;
        const bytes = Buffer.concat(unit.parts);
        if (roll(10) > 0) {
          stream.receive(bytes);
          probe.session.written(0);
        } else {
          stream.receive(bytes.subarray(0, roll(bytes.length + 1)));
          interrupted += unit.counts.reduce((sum, count) => sum + count, 0);
          probe.session.connectionLost(lost);
          stream = receiver();
          probe.reconnect(CONNACK[4]);
        }
      }
      for (let unit = probe.session.take(); unit !== undefined; unit = probe.session.take()) {
        stream.receive(Buffer.concat(unit.parts));
        probe.session.written(0);
      }
      expect(interrupted).toBeGreaterThan(100);
      expect(batch.accepted - batch.settled).toBe(interrupted);
      expect(arrived.length).toBeGreaterThanOrEqual(batch.settled);
      expect(arrived).toEqual([...new Set(arrived)].sort((one, other) => one - other));
    },
  );
});

class Sent extends OutboundMessage {
  constructor(
    readonly number: number,
    override readonly qos: 1 | 2,
  ) {
    super();
  }
}

/** A server that sends numbered messages to a session, over connections that break at any byte. */
class LossyServer {
  readonly probe: SessionProbe;
  readonly seen: number[] = [];
  readonly #roll: (sides: number) => number;
  readonly #flow: OutboundFlow<Sent>;
  #output: Buffer[] = [];
  #stream: PacketStream;
  #number = 0;
  readonly qualities: QoS[] = [];

  constructor(seed: number, holdAcknowledgements: boolean) {
    this.#roll = dice(seed);
    this.#flow = new OutboundFlow<Sent>(
      {
        publish: (message, packetId, dup) => {
          const payload = Buffer.from(String(message.number));
          const { qos } = message;
          this.#say({
            type: PacketType.PUBLISH,
            topic: 't',
            payload,
            qos,
            retain: false,
            dup,
            packetId,
            properties: [],
          });
          return true;
        },
        pubrel: (packetId) => this.#say({ type: PacketType.PUBREL, packetId, reasonCode: 0, properties: [] }),
        settled: () => {},
      },
      20,
    );
    this.#stream = this.#receiver();
    this.probe = new SessionProbe({
      protocolVersion: 4,
      clientId: 'c',
      cleanStart: false,
      holdAcknowledgements,
    });
    this.probe.verdict = (message) => {
      this.seen.push(numberIn(message));
      return this.#roll(20) === 0 ? Verdict.PAUSE : Verdict.CONTINUE;
    };
    this.probe.reconnect(CONNACK[4]);
    this.#flow.connected(20, false);
  }

  #say(packet: Packet): void {
    this.#output.push(encodePacket(packet, 4));
  }

  #receiver(): PacketStream {
    return new PacketStream({
      packet: (packet) => {
        this.#flow.acknowledge(packet as Acknowledgement);
        return Verdict.CONTINUE;
      },
    });
  }

  /** Bytes each way; `broken`: only some of them, and then the connection is gone. */
  #exchange(broken: boolean): void {
    const { session } = this.probe;
    const down = Buffer.concat(this.#output);
    this.#output = [];
    const cut = (bytes: Buffer): Buffer => (broken ? bytes.subarray(0, this.#roll(bytes.length + 1)) : bytes);
    session.receive(Buffer.from(cut(down)), 0);
    if (this.#roll(3) === 0) session.acknowledge();
    const up = Buffer.from(this.probe.sent(), 'hex');
    this.#stream.receive(cut(up));
    if (!broken) return;
    session.connectionLost(lost);
    this.#flow.disconnected();
    this.#output = [];
    if (this.#roll(2) === 0) session.acknowledge();
    this.#stream = this.#receiver();
    this.probe.reconnect(SESSION_PRESENT[4]);
    this.#flow.connected(20, true);
  }

  walk(steps: number): void {
    for (let step = 0; step < steps; step++) {
      for (let count = this.#roll(4); count > 0; count--) {
        const qos = this.#roll(2) === 0 ? 1 : 2;
        this.qualities.push(qos);
        this.#flow.send(new Sent(this.#number++, qos));
      }
      this.#exchange(this.#roll(12) === 0);
      if (this.#roll(2) === 0) this.probe.session.resume();
    }
    while (this.#flow.pending > 0) {
      this.#exchange(false);
      this.probe.session.resume();
      this.probe.session.acknowledge();
    }
  }
}

describe.each([
  ['at once', false],
  ['held', true],
])('messages of a server over connections that break at any byte, acknowledged %s', (_title, hold) => {
  test.each([1, 2, 3, 4, 5])('QoS 1 arrives, QoS 2 arrives once, seed %i', (seed) => {
    const server = new LossyServer(seed, hold);
    server.walk(3000);
    expect(server.probe.failures).toEqual([]);
    const times = server.qualities.map(() => 0);
    for (const number of server.seen) times[number] = (times[number] as number) + 1;
    const wrong = server.qualities.filter((qos, number) =>
      qos === 2 ? times[number] !== 1 : (times[number] as number) < 1,
    );
    expect(wrong).toEqual([]);
    expect(server.seen.length).toBeGreaterThan(server.qualities.length);
  });
});
