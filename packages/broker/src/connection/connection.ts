import type { Duplex } from 'node:stream';
import {
  InboundTopicAliases,
  NO_PROPERTIES,
  type Packet,
  PacketType,
  type Properties,
  type ProtocolVersion,
  type QoS,
  ReasonCode,
  Verdict,
  type Will,
} from '@tsmqtt/protocol';
import type { Credentials } from '../auth/authenticate.js';
import type { Authentication } from '../auth/authentication.js';
import type { Realm } from '../auth/realm.js';
import type { Engine } from '../engine.js';
import type { HookedPublish } from '../hooks/hook-calls.js';
import type { Message } from '../routing/message.js';
import type { MountPoint } from '../routing/mount-point.js';
import type { Session } from '../session/session.js';
import type { SessionLink } from '../session/session-link.js';
import type { ListenerSettings } from '../settings.js';
import type { CloseReason } from './close-reason-table.js';
import { CommitGate, type GateOwner } from './commit-gate.js';
import { connectionEnded } from './ending.js';
import { Intake } from './intake.js';
import type { LongPacket } from './long-packet.js';
import { closeIfOverdue } from './overdue.js';
import { PacketWriter } from './packet-writer.js';
import type { Peer } from './peer.js';
import { Phase } from './phase.js';
import { SocketOutput } from './socket-output.js';

/** A closed connection's peer gets this long to read what was sent. */
const LINGER = 1000;

/** One network connection: bytes in, packets handled, bytes out. What outlives it is in its Session. */
export class Connection implements GateOwner, SessionLink {
  phase: Phase = Phase.NEW;
  session: Session | undefined;
  clientId = '';
  /** Its CONNECT was the broker's first, second, ...: tells earlier from later. */
  order = 0;
  /** What it came in with; checked again when the password file changes. */
  credentials: Credentials = { username: undefined, password: undefined };
  /** By the Authentication Method of its CONNECT; undefined: it named none. */
  authentication: Authentication | undefined;
  /** Keep Alive in force, in seconds; 0: off. */
  keepAlive = 0;
  will: Will | undefined;
  /** A bridge of Mosquitto's kind: No Local and Retain As Published on all its subscriptions (broker §9.2). */
  bridge = false;
  /** Unreleased QoS 2 messages that it may have, as CONNACK said; 0: no limit. */
  receiveMaximum = 0;
  /** Highest QoS of its messages, as CONNACK said. */
  maximumQoS: QoS = 2;
  /** The listener's as it was at CONNECT; undefined: topics are what they are. */
  mountPoint: MountPoint | undefined;
  /** What the host program said of the PUBLISH that is given again. */
  hooked: HookedPublish | undefined;
  /** Bytes accepted by the socket or acknowledged so far (broker B-10). */
  progress = 0;
  inboundAliases = new InboundTopicAliases(0);
  readonly writer: PacketWriter;
  /** Where its answers wait for the store; undefined: there is none. */
  readonly gate: CommitGate | undefined;
  /** Who may come in here, and what for. */
  readonly realm: Realm;
  readonly #intake: Intake;
  readonly #output: SocketOutput;
  #heldBy: Session | undefined;
  #closeAt = Number.POSITIVE_INFINITY;

  /** @param since When its socket was accepted, by the engine's clock: CONNECT's time runs from there. */
  constructor(
    readonly socket: Duplex,
    readonly engine: Engine,
    public listener: ListenerSettings,
    readonly peer: Peer,
    since = engine.clock.now(),
  ) {
    const { persistence } = engine;
    this.gate = persistence === undefined ? undefined : new CommitGate(persistence.journal, this);
    this.#output = new SocketOutput(
      socket,
      engine.scheduler,
      (bytes) => {
        this.progress += bytes;
        engine.counters.bytesSent += bytes;
        this.#intake.outputTaken();
        this.session?.pressure.drained();
      },
      this.gate,
    );
    this.realm = engine.realms.of(listener);
    this.writer = new PacketWriter(this.#output, engine, this.gate, this);
    this.#intake = new Intake(this, engine.settings.maxPacketSize, since);
    engine.connections.add(this);
    engine.open++;
    engine.counters.mostConnections = Math.max(engine.counters.mostConnections, engine.open);
    socket.on('data', (chunk: Buffer) => this.#intake.receive(chunk));
    socket.on('end', () => this.#intake.ended());
    socket.on('error', (error) => this.lost('connectionClosed', error));
    socket.on('close', () => this.#closed());
  }

  get version(): ProtocolVersion {
    return this.writer.version;
  }

  set version(version: ProtocolVersion) {
    this.writer.version = version;
    this.#intake.version = version;
  }

  /** Output that the peer has not taken, in bytes. */
  get backlog(): number {
    return this.#output.backlog;
  }

  /** Packets among it. */
  get packetsWaiting(): number {
    return this.#output.packets;
  }

  /** `ID [ADDRESS:PORT]`, or the address alone before CONNECT. */
  get name(): string {
    const at = `${this.peer.address}:${this.peer.port}`;
    return this.clientId === '' ? at : `${this.clientId} [${at}]`;
  }

  /** What the log calls it: the Client Identifier, or where it comes from as long as there is none. */
  get label(): string {
    return this.clientId === '' ? `${this.peer.address}:${this.peer.port}` : this.clientId;
  }

  /** Bytes came, readable or not. */
  heard(bytes: number): void {
    this.#intake.heard(bytes);
  }

  /** Stops reading until the subscriber has drained: the packet at hand is given again (broker B-10). */
  waitFor(session: Session): Verdict {
    this.#heldBy = session;
    session.pressure.wait(this);
    return Verdict.RETRY;
  }

  /** Goes on reading at the end of this turn, after everybody's acknowledgements have been seen. */
  resumeLater(): void {
    this.#intake.later();
  }

  /** Begins with a packet that may take several turns: what its handler answers. */
  takeUp(packet: LongPacket): Verdict {
    return this.#intake.takeUp(packet);
  }

  /** Goes on with what was received while it paused. */
  resume(): void {
    this.#heldBy = undefined;
    if (this.phase >= Phase.CLOSING || this.phase === Phase.AUTHENTICATING) return;
    this.#intake.resume();
  }

  /** GateOwner. */
  opened(): void {
    this.#output.flush();
  }

  /** GateOwner. */
  goOn(): void {
    this.resumeLater();
  }

  /** GateOwner: what was to be acknowledged cannot be saved, so nobody may take it for done. */
  failed(): void {
    // Where CONNACK was among it, it refuses now; MQTT 3 has no code for that (broker §9.11).
    const refuses = this.gate?.passed === false && this.version === 5 && this.phase === Phase.CONNECTED;
    const reasonCode = ReasonCode.UNSPECIFIED_ERROR;
    if (refuses) {
      this.send({ type: PacketType.CONNACK, sessionPresent: false, reasonCode, properties: NO_PROPERTIES });
    }
    this.close('storeFailed', this.gate?.passed === true ? reasonCode : undefined);
    // One that was closing anyway has nothing to wait for any more.
    this.#output.flush();
  }

  /**
   * Sends a packet. Where it is larger than the client takes the connection is closed, since the client would wait for it
   * in vain.
   *
   * @returns false where the connection was closed.
   */
  send(packet: Packet): boolean {
    if (this.writer.write(packet)) return true;
    this.close('oversizePacket', ReasonCode.PACKET_TOO_LARGE);
    return false;
  }

  /** Sends PUBREL, code 0 and nothing else [MQTT-3.6.2-1] [MQTT-3.6.2-2] [MQTT-3.6.2-3]. */
  pubrel(packetId: number): void {
    this.writer.acknowledge(PacketType.PUBREL, packetId, ReasonCode.SUCCESS);
  }

  /** Sends a message; false where it has expired, is larger than the client takes or outside of its mount point. */
  publish(
    message: Message,
    qos: QoS,
    retain: boolean,
    dup: boolean,
    packetId: number,
    identifier: number | undefined,
  ): boolean {
    const shown = this.mountPoint === undefined ? message : this.mountPoint.outgoing(message);
    if (shown === undefined) return false;
    return this.writer.publish(shown, qos, retain, dup, packetId, identifier);
  }

  /**
   * Ends the connection from this side; its will is sent unless the reason says otherwise.
   *
   * @param reasonCode With MQTT 5 and after CONNACK a DISCONNECT with this Reason Code goes first [MQTT-3.14.0-1].
   */
  close(reason: CloseReason, reasonCode?: number, properties: Properties = NO_PROPERTIES): void {
    if (this.phase >= Phase.CLOSING) return;
    if (reasonCode !== undefined && this.version === 5 && this.phase === Phase.CONNECTED) {
      // [MQTT-3.14.2-1]; no Session Expiry Interval [MQTT-3.14.2-2], Reason String [MQTT-3.14.2-3] or User Property
      // [MQTT-3.14.2-4]. Nothing follows it [MQTT-3.14.4-1] [MQTT-3.14.4-2].
      this.send({ type: PacketType.DISCONNECT, reasonCode, properties });
    }
    this.#leave(reason, undefined);
    this.#linger();
  }

  /** The connection is gone from the other side. */
  lost(reason: CloseReason, error?: Error): void {
    if (this.phase < Phase.CLOSING) this.#leave(reason, error);
    if (this.phase === Phase.CLOSING) this.#linger();
  }

  #leave(reason: CloseReason, error: Error | undefined): void {
    const wasConnected = this.phase === Phase.CONNECTED;
    this.phase = Phase.CLOSING;
    this.engine.open--;
    this.#heldBy?.pressure.forget(this);
    connectionEnded(this, wasConnected, reason, error);
  }

  /** Hands everything to the kernel, half-closes, and lets the peer read it: a reset would discard it. */
  #linger(): void {
    this.#closeAt = Math.min(this.#closeAt, this.engine.clock.now() + LINGER);
    this.#output.finish(() => this.socket.end());
    this.socket.resume();
  }

  #closed(): void {
    this.lost('connectionClosed');
    this.phase = Phase.CLOSED;
    this.#output.close();
    this.engine.connections.delete(this);
  }

  /** At once, whatever has not been written. */
  destroy(): void {
    this.socket.destroy();
  }

  /** Once a second. */
  sweep(now: number): void {
    if (this.phase === Phase.CLOSING) {
      if (now >= this.#closeAt) this.socket.destroy();
      return;
    }
    closeIfOverdue(this, this.#intake.silence(now), now);
  }
}
