import type { Properties } from '@tsmqtt/protocol';
import { ClientError } from './client-error.js';
import type { OutboundMessages } from './session/outbound-messages.js';
import type { WriteObserver } from './session/output-queue.js';
import { Publication } from './session/publication.js';
import type { PublishHead } from './session/publish-head.js';

/** Streams of messages to one topic: no promise, closure or, at QoS 0, object for each message. */
export interface PublishBatch {
  /**
   * Publishes source[start, end). The bytes must not change until the message is settled.
   *
   * @returns False: wait for `drained()` before the next. The message was taken all the same, unless the client is
   *   closed.
   * @throws ClientError `packet-too-large`; the message is not taken.
   */
  write(source: Uint8Array, start: number, end: number): boolean;
  /** Room again, and a connection. Rejects when the client is closed for good. */
  drained(): Promise<void>;
  /**
   * After the last write: resolves when all messages are settled. Rejects with the ClientError that ended the client,
   * or with `connection-lost` where QoS 0 messages were in a write that a lost connection interrupted.
   */
  finish(): Promise<void>;
  /** Messages that `write()` took. */
  readonly accepted: number;
  /** Handed to the kernel on a live connection (QoS 0), or acknowledged. */
  readonly settled: number;
  /** Acknowledged with a Reason Code of 0x80 or more; part of `settled`. */
  readonly failed: number;
}

/** A message was refused: its Packet Identifier, and what the acknowledgement said. */
export type FailureHandler = (packetId: number, reasonCode: number, properties: Properties) => void;

export class Batch implements PublishBatch, WriteObserver {
  accepted = 0;
  settled = 0;
  failed = 0;
  #lost = 0;
  readonly #outbound: OutboundMessages;
  readonly #head: PublishHead;
  readonly #onFailure: FailureHandler | undefined;
  #error: ClientError | undefined;
  #finishing: { resolve(): void; reject(error: ClientError): void } | undefined;

  constructor(outbound: OutboundMessages, head: PublishHead, onFailure: FailureHandler | undefined) {
    this.#outbound = outbound;
    this.#head = head;
    this.#onFailure = onFailure;
  }

  write(source: Uint8Array, start: number, end: number): boolean {
    const outbound = this.#outbound;
    if (outbound.closed !== undefined) return false;
    outbound.check(this.#head, end - start);
    this.accepted++;
    if (this.#head.qos === 0) outbound.publishAtQoS0(this.#head, source, start, end, this);
    else outbound.send(new BatchPublication(this, this.#head, source, start, end));
    return outbound.hasRoom;
  }

  drained(): Promise<void> {
    return this.#outbound.drained();
  }

  finish(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#finishing = { resolve, reject };
      this.#checkFinished();
    });
  }

  #checkFinished(): void {
    if (this.#finishing === undefined || this.settled + this.#lost < this.accepted) return;
    if (this.#lost === 0) this.#finishing.resolve();
    else this.#finishing.reject(this.#error ?? this.#outbound.closed ?? interrupted(this.#lost));
  }

  /** WriteObserver: QoS 0. */
  written(count: number): void {
    this.settled += count;
    this.#checkFinished();
  }

  /** WriteObserver: QoS 0. */
  lost(count: number): void {
    this.#lost += count;
    this.#checkFinished();
  }

  /** QoS 1 and 2. */
  acknowledged(packetId: number, reasonCode: number, properties: Properties): void {
    this.settled++;
    if (reasonCode >= 0x80) {
      this.failed++;
      this.#onFailure?.(packetId, reasonCode, properties);
    }
    if (this.#finishing !== undefined) this.#checkFinished();
  }

  /** QoS 1 and 2: the client gave up. */
  gaveUp(error: ClientError): void {
    this.#error = error;
    this.lost(1);
  }
}

function interrupted(count: number): ClientError {
  return new ClientError(
    'connection-lost',
    `the connection was lost while ${count} messages were being written`,
  );
}

class BatchPublication extends Publication {
  readonly #batch: Batch;

  constructor(batch: Batch, head: PublishHead, source: Uint8Array, start: number, end: number) {
    super(head, source, start, end);
    this.#batch = batch;
  }

  override settled(reasonCode: number, properties: Properties): void {
    this.#batch.acknowledged(this.packetId, reasonCode, properties);
  }

  override failed(error: ClientError): void {
    this.#batch.gaveUp(error);
  }
}
