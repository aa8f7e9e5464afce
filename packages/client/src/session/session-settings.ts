import type {
  Connack,
  Packet,
  Properties,
  ProtocolVersion,
  PublishFrame,
  Verdict,
  Will,
} from '@tsmqtt/protocol';
import type { ClientError } from '../client-error.js';

/** What a session is told at the start; the same for all its connections. */
export interface SessionSettings {
  readonly protocolVersion: ProtocolVersion;
  readonly clientId: string;
  readonly cleanStart: boolean;
  /** Only the first connection has a clean start. */
  readonly resumeSession: boolean;
  /** Seconds. */
  readonly keepAlive: number;
  readonly username: string | undefined;
  readonly password: Uint8Array | undefined;
  readonly will: Will | undefined;
  readonly properties: Properties;
  readonly enforceReceiveMaximum: boolean;
  readonly ignoreTopicAliasMaximum: boolean;
  readonly maximumInflight: number;
  readonly holdAcknowledgements: boolean;
  readonly onPacket: ((direction: 'sent' | 'received', packet: Packet) => void) | undefined;
}

/** What a session asks of whoever holds its connections. */
export interface SessionHost {
  /** Output waits. `now`: enough of it to be written at once, otherwise at the end of the turn. */
  outputReady(now: boolean): void;
  /** CONNACK 0 came. */
  connected(connack: Connack): void;
  /** An application message, in order. Payload is a view. */
  deliver(message: PublishFrame): Verdict;
  /** The connection cannot go on; `farewell` is the last packet to send on it, if one may be sent. */
  failed(error: ClientError, farewell: Uint8Array | undefined): void;
}
