import type { Subscribe, Unsubscribe } from './wire/packet.js';

/**
 * Whose fault it was.
 *
 * `MalformedPacketError` and `ProtocolError` are the peer's; `UsageError` is the caller's. Each carries a `code` that
 * stays the same over releases, and the peer's errors carry the Reason Code that MQTT 5 has for them.
 */

/** Something a peer sent that this end does not accept. Base of the two peer errors. */
export abstract class PeerError extends Error {
  /** Stable name of the fault, such as `remaining-length`; part of the public API. */
  readonly code: string;
  /** Reason Code to report to an MQTT 5 peer (2.4), such as 0x81. */
  readonly reasonCode: number;
  /**
   * The Topic Filters in front of the one that is wrong: a server takes SUBSCRIBE and UNSUBSCRIBE filter by filter
   * (broker §9.8). Undefined where there are none, and in any other packet.
   */
  begun: Subscribe | Unsubscribe | undefined;

  constructor(code: string, reasonCode: number, message: string) {
    super(message);
    this.code = code;
    this.reasonCode = reasonCode;
  }
}

/** The bytes cannot be parsed according to the specification (MQTT 5, 1.2 "Malformed Packet"). */
export class MalformedPacketError extends PeerError {
  override readonly name = 'MalformedPacketError';

  constructor(code: string, message: string, reasonCode = 0x81) {
    super(code, reasonCode, message);
  }
}

/** The packet parses, but the protocol does not allow it there (MQTT 5, 1.2 "Protocol Error"). */
export class ProtocolError extends PeerError {
  override readonly name = 'ProtocolError';

  constructor(code: string, message: string, reasonCode = 0x82) {
    super(code, reasonCode, message);
  }
}

/** The caller of this library asked for something that cannot be sent. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  /** Stable name of the fault; part of the public API. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}
