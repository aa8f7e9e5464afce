import {
  type Packet,
  PacketStream,
  PacketType,
  PeerError,
  type ProtocolVersion,
  type PublishFrame,
  Verdict,
} from '@tsmqtt/protocol';
import { refuseBadConnect, refuseExchange } from '../handlers/connect-errors.js';
import { checkPlace, handleBegun, handlePacket } from '../handlers/handler-table.js';
import type { Connection } from './connection.js';
import { answersWithDisconnect, closeReasonOf } from './error-answers.js';
import { headerLimits } from './header-limits.js';
import { Liveness } from './liveness.js';
import type { LongPacket } from './long-packet.js';
import { Phase } from './phase.js';
import { LITTLE, type Worker, type WorkQueue } from './work-queue.js';

/**
 * Output that a peer may leave lying, in bytes, before its own packets are left lying too: their answers, which are never
 * dropped (broker T-30), would otherwise take memory without end. More than messages come to (broker B-10).
 */
const LARGEST_BACKLOG = 1_048_576;

/**
 * Bytes after which a connection is not read again before the others have had their turn. Node reads up to 2 MB of one
 * socket in a turn of the event loop, which are 100,000 small messages.
 */
const FAIR_SHARE = 65_536;

/** So many little chunks in a row make a client one that wants little: one who sends much has a small one among them. */
const BY_HABIT = 4;

/** What comes in on one connection: chunks are cut into packets and handled, or left lying for a while. */
export class Intake implements Worker {
  readonly #connection: Connection;
  readonly #work: WorkQueue;
  readonly #stream: PacketStream;
  readonly #liveness: Liveness;
  /** The packet that comes next has come before (Verdict.RETRY). */
  #again = false;
  /** Its peer leaves too much output lying for its packets to be read. */
  #unread = false;
  /** Bytes left of its FAIR_SHARE. */
  #share = FAIR_SHARE;
  /** A packet that is not done yet: what comes behind it waits. */
  #unfinished: LongPacket | undefined;
  /** Chunks in a row that were little. */
  #little = 0;
  /** The peer has ended its side: nothing comes behind what was received. */
  #ended = false;
  /** It stands in the line of those who have more to do. */
  #queued = false;

  /** @param since When its socket was accepted, by the engine's clock: CONNECT's time runs from there. */
  constructor(connection: Connection, maxPacketSize: number, since: number) {
    this.#connection = connection;
    this.#work = connection.engine.scheduler.work;
    this.#stream = new PacketStream(
      { packet: (packet) => this.#handle(packet) },
      maxPacketSize,
      (firstByte, length) => {
        checkPlace(connection.phase, firstByte >> 4);
        headerLimits(firstByte, length, connection.version);
      },
    );
    this.#liveness = new Liveness(since);
  }

  /** How packets are read. */
  set version(version: ProtocolVersion) {
    this.#stream.version = version;
  }

  /** Bytes came, readable or not. */
  heard(bytes: number): void {
    // CONNECT has its time as a whole, however its bytes trickle in.
    if (this.#connection.phase === Phase.CONNECTED) this.#liveness.bytes(bytes);
  }

  receive(chunk: Buffer): void {
    const connection = this.#connection;
    connection.engine.counters.bytesReceived += chunk.length;
    if (connection.phase >= Phase.CLOSING) return;
    this.heard(chunk.length);
    const work = this.#work;
    if (!this.#queued && !work.admits(chunk.length)) {
      this.#stream.pause();
      this.later();
    }
    this.#guard(() => this.#stream.receive(chunk));
    if (connection.backlog > LARGEST_BACKLOG) this.#unread = true;
    // What comes behind the last packet is read too, or the peer's end would not be seen.
    if (connection.phase >= Phase.CLOSING) return;
    this.#share -= chunk.length;
    if (this.#share <= 0 && !this.#stream.paused && !this.#unread) this.later();
    if (this.#queued || this.#stream.paused || this.#unread) connection.socket.pause();
    else if (chunk.length > LITTLE) this.#little = 0;
    else if (++this.#little > BY_HABIT && !isAcknowledgement(chunk)) work.servedLittle();
  }

  /**
   * The peer has ended its side. The system says so while the socket is paused, too, and then packets may be left of what
   * came before: they are handled like all others.
   */
  ended(): void {
    this.#ended = true;
    this.#endIfDone();
  }

  #endIfDone(): void {
    if (!this.#ended) return;
    const waits = this.#queued || this.#stream.paused || this.#unfinished !== undefined;
    if (!waits || this.#connection.phase >= Phase.CLOSING) this.#connection.lost('connectionClosed');
  }

  /** Goes on when those who stand in line before it have had their turn. */
  later(): void {
    if (this.#queued) return;
    this.#queued = true;
    const { scheduler } = this.#connection.engine;
    scheduler.work.add(this);
    scheduler.arm();
  }

  /** Worker: its turn has come. */
  work(): void {
    this.#queued = false;
    this.#share = FAIR_SHARE;
    if (this.#connection.phase >= Phase.CLOSING) this.#connection.socket.resume();
    else this.#connection.resume();
  }

  /** The peer takes what it left lying: it is alive, and when it has taken it its own packets are read again. */
  outputTaken(): void {
    if (!this.#unread) return;
    this.#liveness.excuse(this.#connection.engine.clock.now());
    if (this.#connection.backlog > LARGEST_BACKLOG / 2) return;
    this.#unread = false;
    this.#readOn();
  }

  /** Goes on with what was received while it paused. */
  resume(): void {
    this.#liveness.excuse(this.#connection.engine.clock.now());
    if (this.#unfinished !== undefined && !this.#finish(this.#unfinished)) return;
    this.#guard(() => this.#stream.resume());
    if (this.#connection.backlog > LARGEST_BACKLOG) this.#unread = true;
    this.#readOn();
    this.#endIfDone();
  }

  /** Begins with a packet that may take several turns. */
  takeUp(packet: LongPacket): Verdict {
    if (packet.goOn()) return Verdict.CONTINUE;
    this.#unfinished = packet;
    this.later();
    return Verdict.PAUSE;
  }

  /** Goes on with a packet; true where the next may be handled. */
  #finish(packet: LongPacket): boolean {
    const done = packet.goOn();
    if (this.#connection.phase >= Phase.CLOSING) return false;
    if (!done) {
      this.later();
      return false;
    }
    this.#unfinished = undefined;
    return this.#connection.gate?.pauses() !== true;
  }

  #readOn(): void {
    const { phase, socket } = this.#connection;
    if (!this.#queued && !this.#stream.paused && !this.#unread && phase < Phase.CLOSING) socket.resume();
  }

  /** Milliseconds since the peer was last heard of; 0 while the broker itself does not read it: that silence says nothing (broker B-10). */
  silence(now: number): number {
    if (this.#stream.paused) this.#liveness.excuse(now);
    return this.#liveness.silence(now);
  }

  #guard(read: () => void): void {
    try {
      read();
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      this.#refuse(error);
    }
  }

  /** The peer broke the protocol: its connection ends and nobody else notices [MQTT-4.13.1-1] [MQTT311-4.8.0-1]. */
  #refuse(error: PeerError): void {
    const connection = this.#connection;
    connection.engine.log.info(`Protocol error from ${connection.label}: ${error.message}.`);
    if (connection.phase === Phase.CONNECTED) {
      if (error.begun !== undefined) handleBegun(connection, error.begun);
      connection.close(closeReasonOf(error), answersWithDisconnect(error) ? error.reasonCode : undefined);
    } else if (connection.phase === Phase.CHALLENGED) refuseExchange(connection, error);
    else refuseBadConnect(connection, error, this.#stream.current);
  }

  #handle(packet: Packet): Verdict {
    const connection = this.#connection;
    this.#liveness.packet();
    if (this.#again) this.#again = false;
    else this.#count(packet);
    const { gate } = connection;
    gate?.begin();
    const verdict = handlePacket(connection, packet);
    if (verdict === Verdict.RETRY) this.#again = true;
    if (connection.phase >= Phase.CLOSING) return Verdict.PAUSE;
    if (verdict !== Verdict.CONTINUE) return verdict;
    if (gate?.pauses() === true) return Verdict.PAUSE;
    const work = this.#work;
    if (--work.left > 0 || !work.spent()) return Verdict.CONTINUE;
    this.later();
    return Verdict.PAUSE;
  }

  /** A packet has come, for the first time. */
  #count(packet: Packet): void {
    const { counters, packetLog } = this.#connection.engine;
    (counters.packetsReceived[packet.type] as number)++;
    if (packet.type === PacketType.PUBLISH)
      counters.payloadReceived += (packet as PublishFrame).payloadLength;
    packetLog?.received(this.#connection.label, packet);
  }
}

/** Whether a chunk begins with an acknowledgement: whoever sends it waits for nothing. */
function isAcknowledgement(chunk: Buffer): boolean {
  const type = (chunk[0] as number) >> 4;
  return type >= PacketType.PUBACK && type <= PacketType.PUBCOMP;
}
