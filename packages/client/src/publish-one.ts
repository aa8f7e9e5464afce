import { NO_PROPERTIES, type Properties } from '@tsmqtt/protocol';
import type { CancelSignal } from './cancellation.js';
import { aborted, ClientError } from './client-error.js';
import type { OutboundMessages } from './session/outbound-messages.js';
import type { WriteObserver } from './session/output-queue.js';
import { Publication } from './session/publication.js';
import type { PublishHead } from './session/publish-head.js';

/** What became of one message. */
export interface PublishResult {
  /** 0 at QoS 0. */
  readonly packetId: number;
  /** 0x80 and above: the server refused it. Always 0 at QoS 0 and before MQTT 5. */
  readonly reasonCode: number;
  readonly properties: Properties;
}

/** One message and a promise for it. */
export function publishOne(
  outbound: OutboundMessages,
  head: PublishHead,
  payload: Uint8Array,
  signal: CancelSignal | undefined,
): Promise<PublishResult> {
  return new Promise((resolve, reject) => {
    if (outbound.closed !== undefined) throw outbound.closed;
    if (signal?.aborted) throw aborted(signal);
    outbound.check(head, payload.length);
    const settle = (result: PublishResult | ClientError): void => {
      signal?.removeEventListener('abort', onAbort);
      if (result instanceof ClientError) reject(result);
      else resolve(result);
    };
    let publication: OnePublication | undefined;
    const onAbort = (): void => {
      if (publication !== undefined) outbound.withdraw(publication);
      settle(aborted(signal as CancelSignal));
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    if (head.qos === 0) {
      outbound.publishAtQoS0(head, payload, 0, payload.length, new OneObserver(outbound, settle));
    } else {
      publication = new OnePublication(head, payload, settle);
      outbound.send(publication);
    }
  });
}

type Settle = (result: PublishResult | ClientError) => void;

class OneObserver implements WriteObserver {
  readonly #outbound: OutboundMessages;
  readonly #settle: Settle;

  constructor(outbound: OutboundMessages, settle: Settle) {
    this.#outbound = outbound;
    this.#settle = settle;
  }

  written(): void {
    this.#settle({ packetId: 0, reasonCode: 0, properties: NO_PROPERTIES });
  }

  lost(): void {
    const lost = new ClientError(
      'connection-lost',
      'the connection was lost while the message was being written',
    );
    this.#settle(this.#outbound.closed ?? lost);
  }
}

class OnePublication extends Publication {
  readonly #settle: Settle;

  constructor(head: PublishHead, payload: Uint8Array, settle: Settle) {
    super(head, payload, 0, payload.length);
    this.#settle = settle;
  }

  override settled(reasonCode: number, properties: Properties): void {
    this.#settle({ packetId: this.packetId, reasonCode, properties });
  }

  override failed(error: ClientError): void {
    this.#settle(error);
  }
}
