import { OutboundMessage } from '@tsmqtt/protocol';
import type { Message } from '../routing/message.js';

/** A QoS 1 or 2 message on its way to one subscriber. */
export class Delivery extends OutboundMessage {
  constructor(
    readonly qos: 1 | 2,
    /** Gone once it was sent to a session that does not outlive its connection: nobody will send it again. */
    public message: Message | undefined,
    readonly retain: boolean,
    readonly subscriptionIdentifier: number | undefined,
    /** Bytes of its frame, for measuring progress. */
    readonly size: number,
  ) {
    super();
    this.bytes = message?.frame.payloadLength ?? 0;
  }
}
