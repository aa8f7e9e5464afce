import type {
  Connack,
  Packet,
  Properties,
  ProtocolVersion,
  PublishFrame,
  Verdict,
  Will,
} from '@tsmqtt/protocol';
import type { CancelSignal } from './cancellation.js';
import type { ClientError } from './client-error.js';
import type { Connector } from './transport/connector.js';

/** What `onMessage` answers. */
export const Delivery = {
  /** Taken; go on. */
  CONTINUE: 0,
  /** Taken; give no more until `resume()`. */
  PAUSE: 1,
} as const satisfies Partial<Record<keyof typeof Verdict, number>>;
export type DeliveryVerdict = (typeof Delivery)[keyof typeof Delivery];

export interface ConnectOptions {
  /** Opens the connection: `tcp()`, or any other function that gives a byte duplex. */
  readonly connector: Connector;
  /**
   * Cuts off a server that sends more unacknowledged messages than the Receive Maximum among `properties`. Default true.
   * Mosquitto 2.0.11 sends one too many when it sends again after a reconnection.
   */
  readonly enforceReceiveMaximum?: boolean | undefined;
  /** Default 5. */
  readonly protocolVersion?: ProtocolVersion | undefined;
  /** Default '', which lets the server choose one (MQTT 3.1.1 and 5). */
  readonly clientId?: string | undefined;
  /** Clean Start, or Clean Session before MQTT 5; on every connection. Default true. */
  readonly cleanStart?: boolean | undefined;
  /**
   * Clean Start is for the first connection only: later ones go on with the session that it began, as long as the server
   * keeps that (MQTT 5: Session Expiry Interval). Default false.
   */
  readonly resumeSession?: boolean | undefined;
  /** Seconds, 0 to 65535, default 60; 0 switches it off. A Server Keep Alive replaces it (3.1.2.10, 3.2.2.3.14). */
  readonly keepAlive?: number | undefined;
  readonly username?: string | undefined;
  readonly password?: Uint8Array | undefined;
  readonly will?: Will | undefined;
  /**
   * CONNECT properties, sent in this order (MQTT 5). Receive Maximum, Maximum Packet Size and Topic Alias Maximum
   * among them are kept to: a server that exceeds them loses the connection.
   */
  readonly properties?: Properties | undefined;
  /**
   * Sends the Topic Alias of a message whatever the server allows, as mosquitto_pub does. Default false: above the server's
   * Topic Alias Maximum, and while there is no connection, a message goes out with its topic alone.
   */
  readonly ignoreTopicAliasMaximum?: boolean | undefined;
  /** Outgoing QoS 1 and 2 messages that may be unacknowledged, default 20; a server's Receive Maximum replaces it. */
  readonly maximumInflight?: number | undefined;
  /** From the open connection to CONNACK, in milliseconds, default 30,000. */
  readonly connackTimeoutMs?: number | undefined;
  /** Aborts `connect()`; without effect once that has resolved. */
  readonly signal?: CancelSignal | undefined;
  /**
   * Delay before attempt n (1, 2, ...) to connect again, in milliseconds; undefined gives up. Counts from 1 after every
   * CONNACK 0. Absent: the client closes when the connection is lost. Not asked about the first connection, nor after
   * `refused`, `protocol-error` and `unexpected-auth`, which close the client.
   */
  readonly reconnect?: ((attempt: number, error: ClientError) => number | undefined) | undefined;
  /**
   * Called for every message, in order, synchronously. QoS 2 messages come once; on PUBREL, or, with
   * `holdAcknowledgements`, on PUBLISH. The payload is a view of what was received: copy it to keep it.
   */
  readonly onMessage?: ((message: PublishFrame) => DeliveryVerdict) | undefined;
  /** Every packet of a received chunk has been given: time to flush what was collected from them. */
  readonly onBatchEnd?: (() => void) | undefined;
  /** PUBACK (QoS 1) and PUBREC (QoS 2) wait for `acknowledge()`: what is not acknowledged is delivered again. */
  readonly holdAcknowledgements?: boolean | undefined;
  /** Every packet, when it was decoded and when it is encoded. */
  readonly onPacket?: ((direction: 'sent' | 'received', packet: Packet) => void) | undefined;
  /** The connection is lost, and will be tried to get back. */
  readonly onConnectionLost?: ((error: ClientError) => void) | undefined;
  /** Every CONNACK 0 but the first. Subscriptions are not sent again by the client. */
  readonly onReconnected?: ((connack: Connack) => void) | undefined;
}
