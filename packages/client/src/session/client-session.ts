import {
  type Connack,
  type Disconnect,
  encodePacket,
  type Packet,
  PacketStream,
  PacketType,
  PeerError,
  property,
  ReasonCode,
  Verdict,
} from '@tsmqtt/protocol';
import { ClientError, fromPeerError } from '../client-error.js';
import { connectPacket } from './connect-packet.js';
import { checkFirstHeader, greeting, refusalInOldForm } from './greeting.js';
import { InboundMessages } from './inbound-messages.js';
import { KeepAlive, KeepAliveAction } from './keep-alive.js';
import { LivePackets } from './live-packets.js';
import { OutboundMessages } from './outbound-messages.js';
import type { OutputUnit } from './output-queue.js';
import { type Request, Requests } from './requests.js';
import { serverLimits } from './server-limits.js';
import type { SessionHost, SessionSettings } from './session-settings.js';

/** Where the present connection is. */
const Phase = {
  /** There is none, or it failed. */
  DOWN: 0,
  /** CONNECT is sent, CONNACK awaited. */
  GREETING: 1,
  LIVE: 2,
  /** DISCONNECT is sent: nothing that comes matters. */
  LEAVING: 3,
} as const;
type Phase = (typeof Phase)[keyof typeof Phase];

const LARGEST_RECEIVE_MAXIMUM = 65_535;

/**
 * A client's end of an MQTT session, without I/O: bytes in, messages and bytes out, over as many connections as it
 * takes. Clock readings are arguments, in milliseconds.
 */
export class ClientSession {
  readonly outbound: OutboundMessages;
  readonly #settings: SessionSettings;
  readonly #host: SessionHost;
  readonly #inbound: InboundMessages;
  readonly #requests: Requests;
  readonly #livePackets: LivePackets;
  readonly #keepAlive = new KeepAlive();
  #phase: Phase = Phase.DOWN;
  #stream: PacketStream | undefined;
  #paused = false;
  #clientId: string;
  #connack: Connack | undefined;
  #now = 0;

  /** @throws UsageError for settings that cannot be sent. */
  constructor(settings: SessionSettings, host: SessionHost) {
    this.#settings = settings;
    this.#host = host;
    this.#clientId = settings.clientId;
    encodePacket(connectPacket(settings, settings.clientId), settings.protocolVersion);
    this.outbound = new OutboundMessages(settings, (now) => host.outputReady(now));
    this.#requests = new Requests(this.outbound, settings.protocolVersion);
    this.#inbound = new InboundMessages(
      {
        deliver: (message) => host.deliver(message),
        acknowledge: (type, packetId, reasonCode) =>
          this.outbound.acknowledgement(type, packetId, reasonCode),
      },
      settings.holdAcknowledgements,
      (settings.enforceReceiveMaximum ? property(settings.properties, 'receiveMaximum') : undefined) ??
        LARGEST_RECEIVE_MAXIMUM,
    );
    this.#livePackets = new LivePackets(settings.protocolVersion, {
      inbound: this.#inbound,
      outbound: this.outbound,
      requests: this.#requests,
      keepAlive: this.#keepAlive,
    });
  }

  get connack(): Connack | undefined {
    return this.#connack;
  }

  /** Our own, or the one that the server assigned. */
  get clientId(): string {
    return this.#clientId;
  }

  get live(): boolean {
    return this.#phase === Phase.LIVE;
  }

  /** Nothing more should be read. */
  get paused(): boolean {
    return this.#paused && this.#phase === Phase.LIVE;
  }

  /** What has come is not all given yet. */
  get holdsInput(): boolean {
    return this.#phase === Phase.LIVE && this.#stream?.holding === true;
  }

  get #cleanStart(): boolean {
    const { cleanStart, resumeSession } = this.#settings;
    return cleanStart && !(resumeSession && this.#connack !== undefined);
  }

  /**
   * A connection is there. Nothing else is sent until CONNACK came [MQTT-3.1.2-30].
   *
   * @returns CONNECT, the first thing to write on it [MQTT-3.1.0-1] [MQTT311-3.1.0-1].
   */
  open(): Uint8Array {
    const { protocolVersion, properties, onPacket } = this.#settings;
    const stream = new PacketStream(
      { packet: (packet) => this.#packet(packet) },
      property(properties, 'maximumPacketSize'),
      (firstByte) => {
        if (this.#phase === Phase.GREETING) checkFirstHeader(firstByte, protocolVersion);
      },
    );
    stream.version = protocolVersion;
    this.#stream = stream;
    this.#livePackets.restart(property(properties, 'topicAliasMaximum') ?? 0);
    this.#phase = Phase.GREETING;
    const connect = connectPacket({ ...this.#settings, cleanStart: this.#cleanStart }, this.#clientId);
    onPacket?.('sent', connect);
    return encodePacket(connect, protocolVersion);
  }

  /** Bytes came. Calls the host for what they mean, and at the latest has it fail the connection. */
  receive(chunk: Buffer, now: number): void {
    this.#now = now;
    this.#keepAlive.received(now);
    if (this.#phase === Phase.GREETING || this.#phase === Phase.LIVE)
      this.#run((stream) => stream.receive(chunk));
  }

  /** No messages until `resume()`; what was received meanwhile is kept. */
  pause(): void {
    this.#paused = true;
    if (this.#phase === Phase.LIVE) this.#stream?.pause();
  }

  /** Gives what is kept, which may pause again. */
  resume(): void {
    this.#paused = false;
    if (this.#phase === Phase.LIVE) this.#run((stream) => stream.resume());
  }

  #run(step: (stream: PacketStream) => void): void {
    const stream = this.#stream as PacketStream;
    try {
      step(stream);
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      const refusal = this.#phase === Phase.GREETING ? refusalInOldForm(stream) : undefined;
      // Told to the server in DISCONNECT where it understands that, and then closed [MQTT-4.13.2-1] [MQTT311-4.8.0-1].
      this.#fail(refusal ?? fromPeerError(error), error.reasonCode);
    }
  }

  /** @param reasonCode To tell a server of MQTT 5 in DISCONNECT (4.13.1). */
  #fail(error: ClientError, reasonCode?: number): Verdict {
    const tell =
      reasonCode !== undefined && this.#phase === Phase.LIVE && this.#settings.protocolVersion === 5;
    this.#phase = Phase.DOWN;
    this.#host.failed(error, tell ? this.#farewell(reasonCode) : undefined);
    return Verdict.PAUSE;
  }

  #farewell(reasonCode: number): Uint8Array {
    const packet: Disconnect = { type: PacketType.DISCONNECT, reasonCode, properties: [] };
    this.#settings.onPacket?.('sent', packet);
    return encodePacket(packet, this.#settings.protocolVersion);
  }

  #packet(packet: Packet): Verdict {
    this.#settings.onPacket?.('received', packet);
    const outcome =
      this.#phase === Phase.GREETING ? this.#greeted(packet) : this.#livePackets.receive(packet);
    if (outcome instanceof ClientError) {
      const blame = outcome.code === 'unexpected-auth' ? ReasonCode.PROTOCOL_ERROR : undefined;
      return this.#fail(outcome, blame);
    }
    // Whoever was called may have ended or paused the session.
    if (this.#phase !== Phase.LIVE) return Verdict.PAUSE;
    if (outcome === Verdict.PAUSE) this.#paused = true;
    return this.#paused ? Verdict.PAUSE : outcome;
  }

  #greeted(packet: Packet): Verdict | ClientError {
    const { protocolVersion } = this.#settings;
    const cleanStart = this.#cleanStart;
    const connack = greeting(packet, cleanStart, protocolVersion);
    if (connack instanceof ClientError) return connack;
    const again = this.#connack !== undefined;
    this.#connack = connack;
    this.#clientId = property(connack.properties, 'assignedClientIdentifier') ?? this.#clientId;
    // 3.1 does not say whether there is a session; where we asked for one, we go by that there is.
    const sessionPresent = protocolVersion === 3 ? again && !cleanStart : connack.sessionPresent;
    // [MQTT-3.2.2-5]; our part of the session begins anew with theirs [MQTT-3.1.2-4] [MQTT311-3.1.2-6], or is kept
    // [MQTT-3.1.2-23] [MQTT311-3.1.2-4] [MQTT311-4.1.0-1]
    if (!sessionPresent) this.#inbound.clear();
    const limits = serverLimits(connack, protocolVersion, this.#settings);
    this.#keepAlive.start(limits.keepAlive, this.#now);
    this.#phase = Phase.LIVE;
    this.outbound.connected(limits, sessionPresent);
    this.#host.connected(connack);
    return Verdict.CONTINUE;
  }

  /** Sends SUBSCRIBE or UNSUBSCRIBE. @throws UsageError, ClientError */
  request(request: Request): void {
    if (this.#phase !== Phase.LIVE) {
      throw (
        this.outbound.closed ?? new ClientError('connection-lost', 'there is no connection at the moment')
      );
    }
    this.#requests.send(request);
  }

  /** Acknowledges every message delivered so far, where that was held back. */
  acknowledge(): void {
    this.#inbound.release(this.#phase === Phase.LIVE);
  }

  /** The next thing to write on the connection; tell `written()` when the kernel has it. */
  take(): OutputUnit | undefined {
    return this.#phase === Phase.LIVE || this.#phase === Phase.LEAVING
      ? this.outbound.output.take()
      : undefined;
  }

  written(now: number): void {
    this.outbound.written();
    this.#keepAlive.sent(now, this.outbound.output.idle);
  }

  /**
   * Sends PINGREQ when it is due, fails the connection when its answer is not coming.
   * @returns Milliseconds until this should be called again.
   */
  checkKeepAlive(now: number): number {
    if (this.#phase === Phase.LEAVING) return this.#checkLeaving(now);
    if (this.#phase !== Phase.LIVE) return Number.POSITIVE_INFINITY;
    const { output } = this.outbound;
    const action = this.#keepAlive.check(now, output.idle, this.#paused);
    // [MQTT-3.1.2-20] [MQTT311-3.1.2-23]
    if (action === KeepAliveAction.PING) this.outbound.packet({ type: PacketType.PINGREQ });
    if (action === KeepAliveAction.DEAD) {
      this.#fail(new ClientError('keep-alive', 'the server did not answer PINGREQ in time'));
    }
    return this.#keepAlive.next(now, output.idle);
  }

  #checkLeaving(now: number): number {
    const patience = this.#keepAlive.patience(now);
    if (patience <= 0) this.#fail(new ClientError('keep-alive', 'the server does not read what is sent'));
    return patience;
  }

  /**
   * Sends DISCONNECT behind everything else, and nothing behind it [MQTT-3.14.4-1] [MQTT311-3.14.4-2].
   * @throws UsageError for properties that cannot be sent.
   */
  disconnect(packet: Disconnect): void {
    if (this.#phase !== Phase.LIVE) return;
    this.outbound.packet(packet);
    this.#phase = Phase.LEAVING;
  }

  /** The connection is gone. Messages are kept for the next, requests are not. */
  connectionLost(error: ClientError): void {
    this.#phase = Phase.DOWN;
    this.#stream = undefined;
    this.outbound.connectionLost();
    this.#inbound.connectionLost();
    this.#requests.connectionLost(error);
  }

  /** There will be no other connection. */
  close(error: ClientError): void {
    this.outbound.close(error);
  }
}
