import { OutboundMessage, type Properties } from '@tsmqtt/protocol';
import type { ClientError } from '../client-error.js';
import type { PublishHead } from './publish-head.js';

/** A QoS 1 or 2 message on its way: what is needed to send it again until it is acknowledged. */
export abstract class Publication extends OutboundMessage {
  override readonly qos: 1 | 2;

  /** Payload = source[start, end), unchanged until the message is settled. */
  constructor(
    readonly head: PublishHead,
    readonly source: Uint8Array,
    readonly start: number,
    readonly end: number,
  ) {
    super();
    this.qos = head.qos as 1 | 2;
  }

  /** PUBACK, PUBCOMP or a refusing PUBREC came. */
  abstract settled(reasonCode: number, properties: Properties): void;
  /** The client gave up. */
  abstract failed(error: ClientError): void;
}
