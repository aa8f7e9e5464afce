/**
 * A QoS 1 or 2 message on its way out. What the flow notes about it stands in the message itself, so that a message in
 * flight costs one object; users extend it with what they send.
 */
export abstract class OutboundMessage {
  abstract readonly qos: 1 | 2;
  /** Bytes that count towards `maximumBytes` and the totals of the flow; set before it is sent. */
  bytes = 0;
  /** 0 until the message is first sent. The flow's. */
  packetId = 0;
  /** Which acknowledgement it waits for. The flow's. */
  state = 0;
  /** Sent on the present connection. The flow's. */
  onWire = false;
  /** Place in the order of first sending. The flow's. */
  sequence = 0;
}
