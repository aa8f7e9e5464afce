import {
  type Acknowledgement,
  type DeliveryAction,
  encodePacket,
  NO_PROPERTIES,
  OutboundFlow,
  type OutboundSink,
  type Packet,
  PacketType,
  type Properties,
  type ProtocolVersion,
  type Publish,
  property,
  publishFlags,
} from '@tsmqtt/protocol';
import type { ClientError } from '../client-error.js';
import { OutputQueue, type WriteObserver } from './output-queue.js';
import type { Publication } from './publication.js';
import { type PublishHead, withoutAlias } from './publish-head.js';
import { Room } from './room.js';
import { qosObjection, type ServerLimits, sizeObjection } from './server-limits.js';
import type { SessionSettings } from './session-settings.js';
import { UsedTopicAliases } from './used-topic-aliases.js';

/** Bytes of output that wait: no room from the first number on, room again from the second down. */
const OUTPUT_HIGH = 262_144;
const OUTPUT_LOW = 131_072;
/** The same for QoS 1 and 2 messages behind the window: their number, and their bytes. */
const QUEUE_HIGH = 1024;
const QUEUE_LOW = 512;
const QUEUE_BYTES_HIGH = 1_048_576;
const QUEUE_BYTES_LOW = 524_288;

const EMPTY_TOPIC = new Uint8Array(2);

/** Everything this end sends, over all connections of the session; output is collected, not written. */
export class OutboundMessages implements OutboundSink<Publication> {
  readonly output = new OutputQueue();
  readonly flow: OutboundFlow<Publication>;
  readonly #version: ProtocolVersion;
  readonly #trace: SessionSettings['onPacket'];
  readonly #ignoresAliasMaximum: boolean;
  readonly #outputReady: (now: boolean) => void;
  readonly #room = new Room();
  readonly #aliases = new UsedTopicAliases();
  #limits: ServerLimits | undefined;
  #live = false;
  #closed: ClientError | undefined;
  #unsettledBytes = 0;

  constructor(settings: SessionSettings, outputReady: (now: boolean) => void) {
    this.#version = settings.protocolVersion;
    this.#trace = settings.onPacket;
    this.#ignoresAliasMaximum = settings.ignoreTopicAliasMaximum;
    this.#outputReady = outputReady;
    this.flow = new OutboundFlow<Publication>(this, settings.maximumInflight);
  }

  /** Why nothing more can be sent, ever. */
  get closed(): ClientError | undefined {
    return this.#closed;
  }

  /** False: whoever writes a stream waits for `drained()`. */
  get hasRoom(): boolean {
    return this.#roomBelow(OUTPUT_HIGH, QUEUE_HIGH, QUEUE_BYTES_HIGH);
  }

  #roomBelow(outputBytes: number, messages: number, messageBytes: number): boolean {
    const { queued } = this.flow;
    return (
      this.#live &&
      this.output.size < outputBytes &&
      queued < messages &&
      (queued === 0 || this.#unsettledBytes < messageBytes)
    );
  }

  /** Resolves when there is room and a connection. Rejects when the client gave up. */
  drained(): Promise<void> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    return this.hasRoom ? Promise.resolve() : this.#room.wait();
  }

  #checkRoom(): void {
    if (this.#room.awaited && this.#roomBelow(OUTPUT_LOW, QUEUE_LOW, QUEUE_BYTES_LOW)) this.#room.open();
  }

  /** @throws ClientError `packet-too-large`, `qos-not-supported`: the server said it does not take this. */
  check(head: PublishHead, payloadLength: number): void {
    const error = this.#objection(head, payloadLength);
    if (error !== undefined) throw error;
  }

  #objection(head: PublishHead, payloadLength: number): ClientError | undefined {
    const limits = this.#limits;
    return limits === undefined
      ? undefined
      : (qosObjection(head.qos, limits) ?? sizeObjection(head.packetSize(payloadLength), limits));
  }

  /** Takes a QoS 0 message, also while there is no connection [MQTT-4.3.1-1] [MQTT311-4.3.1-1]. The caller has called `check()`. */
  publishAtQoS0(
    head: PublishHead,
    source: Uint8Array,
    start: number,
    end: number,
    observer: WriteObserver,
  ): void {
    this.#encode(head, 0, false, source, start, end);
    this.output.observe(observer);
    this.#packetEnd();
  }

  /** Takes a QoS 1 or 2 message. The caller has called `check()`. */
  send(publication: Publication): void {
    this.#unsettledBytes += publication.end - publication.start;
    this.flow.send(publication);
  }

  /** Takes a message back that was not sent yet; does nothing where it was. */
  withdraw(publication: Publication): void {
    if (publication.packetId !== 0) return;
    const before = this.flow.queued;
    this.flow.filterQueue((queued) => queued !== publication);
    if (this.flow.queued < before) this.#unsettledBytes -= publication.end - publication.start;
  }

  /** A rare packet. @throws ClientError `packet-too-large` */
  packet(packet: Packet): void {
    const bytes = encodePacket(packet, this.#version);
    const objection = this.#limits === undefined ? undefined : sizeObjection(bytes.length, this.#limits);
    if (objection !== undefined) throw objection;
    this.output.buffer.bytes(bytes);
    this.#trace?.('sent', packet);
    this.#packetEnd();
  }

  /**
   * Sends it whatever waits for the window [MQTT-3.3.4-8] [MQTT-4.9.0-3], with the identifier of its PUBLISH
   * [MQTT-2.2.1-5] [MQTT311-2.3.1-6] and without Reason String and User Property [MQTT-3.4.2-2] [MQTT-3.4.2-3]
   * [MQTT-3.5.2-2] [MQTT-3.5.2-3] [MQTT-3.6.2-2] [MQTT-3.6.2-3] [MQTT-3.7.2-2] [MQTT-3.7.2-3].
   */
  acknowledgement(type: Acknowledgement['type'], packetId: number, reasonCode: number): void {
    this.output.buffer.acknowledgement(type, packetId, reasonCode, this.#version);
    this.#trace?.('sent', { type, packetId, reasonCode, properties: [] });
    this.#packetEnd();
  }

  #packetEnd(): void {
    const full = this.output.packetEnd();
    if (this.#live) this.#outputReady(full);
  }

  #encode(
    head: PublishHead,
    packetId: number,
    dup: boolean,
    source: Uint8Array,
    start: number,
    end: number,
  ): void {
    // [MQTT-3.2.2-14]
    const retain = head.retain && this.#limits?.retainAvailable !== false;
    // What waits for a connection gets its topic back when another is lost, see connectionLost().
    const hasAlias = head.topicAlias !== 0 && this.#mayUse(head.topicAlias);
    const omitTopic = hasAlias && this.#aliases.knows(head.topicAlias, head.topic);
    this.output.buffer.publish(
      publishFlags(head.qos, retain, dup),
      omitTopic ? EMPTY_TOPIC : head.topicBytes,
      packetId,
      head.topicAlias === 0 || hasAlias ? head.propertyBytes : head.aliaslessBytes,
      source,
      start,
      end,
    );
    this.#trace?.('sent', {
      type: PacketType.PUBLISH,
      topic: omitTopic ? '' : head.topic,
      payload: source.subarray(start, end),
      qos: head.qos,
      retain,
      dup,
      packetId,
      properties: head.topicAlias === 0 || hasAlias ? head.properties : withoutAlias(head.properties),
    });
  }

  /** Whether the server takes it [MQTT-3.2.2-17] [MQTT-3.2.2-18], which is not known while there is no connection. */
  #mayUse(alias: number): boolean {
    if (this.#ignoresAliasMaximum) return true;
    return this.#live && this.#limits !== undefined && alias <= this.#limits.topicAliasMaximum;
  }

  /** OutboundFlow: send this. */
  publish(message: Publication, packetId: number, dup: boolean): boolean {
    // Accepted under an earlier connection's limits; this one's server may take less.
    const objection = this.#objection(message.head, message.end - message.start);
    if (objection !== undefined) {
      this.#settle(message, objection.reasonCode as number, NO_PROPERTIES);
      return false;
    }
    this.#encode(message.head, packetId, dup, message.source, message.start, message.end);
    this.#packetEnd();
    return true;
  }

  /** OutboundFlow: send PUBREL, in the order of the PUBRECs [MQTT-4.6.0-4] [MQTT311-4.6.0-4]. */
  pubrel(packetId: number): void {
    this.acknowledgement(PacketType.PUBREL, packetId, 0);
  }

  /** OutboundFlow: this message is over. */
  settled(message: Publication, acknowledgement: Acknowledgement): void {
    this.#settle(message, acknowledgement.reasonCode, acknowledgement.properties);
  }

  #settle(message: Publication, reasonCode: number, properties: Properties): void {
    this.#unsettledBytes -= message.end - message.start;
    message.settled(reasonCode, properties);
  }

  acknowledge(packet: Acknowledgement): DeliveryAction {
    const action = this.flow.acknowledge(packet);
    this.#checkRoom();
    return action;
  }

  /** The unit that was taken from `output` is in the kernel's hands. */
  written(): void {
    this.output.written();
    this.#checkRoom();
  }

  /** CONNACK 0 came: sends what waited. */
  connected(limits: ServerLimits, sessionPresent: boolean): void {
    this.#limits = limits;
    this.#live = true;
    this.flow.connected(limits.receiveMaximum, sessionPresent);
    if (!this.output.idle) this.#outputReady(false);
    this.#checkRoom();
  }

  connectionLost(): void {
    this.#live = false;
    this.flow.disconnected();
    this.output.connectionLost(this.#aliases.any ? (publish) => this.#withTopic(publish) : undefined);
    this.#aliases.clear();
  }

  /** A kept QoS 0 PUBLISH with an alias of the old connection. The next server may not take that. */
  #withTopic(publish: Publish): Uint8Array {
    const known = this.#aliases.topicOf(property(publish.properties, 'topicAlias') ?? 0) ?? '';
    const topic = publish.topic === '' ? known : publish.topic;
    const { type, payload, qos, retain, dup, packetId } = publish;
    const properties = this.#ignoresAliasMaximum ? publish.properties : withoutAlias(publish.properties);
    return encodePacket({ type, topic, payload, qos, retain, dup, packetId, properties }, this.#version);
  }

  /** Nothing will be sent any more: whatever is not settled has failed. */
  close(error: ClientError): void {
    this.#closed = error;
    this.#live = false;
    this.output.discard();
    for (const message of this.flow.clear()) message.failed(error);
    this.#unsettledBytes = 0;
    this.#room.close(error);
  }
}
