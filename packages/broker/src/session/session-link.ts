import type { ProtocolVersion, QoS, Will } from '@tsmqtt/protocol';
import type { CloseReason } from '../connection/close-reason-table.js';
import type { Message } from '../routing/message.js';

/**
 * What a session needs of whatever its client is there by: a network connection, or a client inside of this process,
 * which has no packets.
 */
export interface SessionLink {
  /** Its CONNECT was the broker's first, second, ...: tells earlier from later. */
  readonly order: number;
  readonly version: ProtocolVersion;
  readonly will: Will | undefined;
  /** Output that the client has not taken, in bytes. */
  readonly backlog: number;
  /** Bytes that the client took or acknowledged so far (broker B-10). */
  progress: number;
  /** Where answers wait for the store, so many bytes of them; undefined: nothing is sent that would have to. */
  readonly gate: { readonly size: number; hold(): void } | undefined;

  /** Gives the client a message; false where it has expired or the client cannot have it: it counts as delivered. */
  publish(
    message: Message,
    qos: QoS,
    retain: boolean,
    dup: boolean,
    packetId: number,
    identifier: number | undefined,
  ): boolean;
  /** Releases a message of QoS 2. */
  pubrel(packetId: number): void;
  /** Ends it. */
  close(reason: CloseReason, reasonCode?: number): void;
}
