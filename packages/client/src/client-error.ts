import {
  MalformedPacketError,
  NO_PROPERTIES,
  type PeerError,
  type Properties,
  type ProtocolVersion,
} from '@tsmqtt/protocol';
import type { CancelSignal } from './cancellation.js';

/** What went wrong, by stable name. */
export const CLIENT_ERROR_CODES = [
  /** No address could be reached: an error of the operating system, in `cause`, with `address` and `port`. */
  'connect-failed',
  /** The host or bind address has no address; `cause` is the resolver's error. */
  'lookup-failed',
  /** CONNACK other than 0: `reasonCode` and `protocolVersion` say which table it is from. */
  'refused',
  /** What TLS is to be set up with cannot be used: a file, the key's passphrase, the ciphers. Nothing was sent. */
  'tls-setup',
  /** The TLS handshake failed, or the certificate is not trusted: `message` says why; `cause` is what TLS said. */
  'tls-failed',
  /** The connection ended during the TLS handshake, or nothing came in time: nobody has said what is wrong. */
  'tls-interrupted',
  /** The server did not answer the WebSocket handshake as RFC 6455 4.1 and MQTT-6 want it. */
  'websocket-handshake',
  /** The SOCKS5 proxy does not let us: no method of authentication that it takes, or reply 2. */
  'proxy-denied',
  /** The SOCKS5 proxy cannot reach the server: replies 3, 4 and 5 (RFC 1928 6), in `reasonCode`. */
  'proxy-unreachable',
  /** Anything else between us and the SOCKS5 proxy; where it sent a reply, `reasonCode` is it. */
  'proxy-failed',
  /** The connection ended before it was due, also in a handshake before CONNACK. */
  'connection-lost',
  /** No PINGRESP in time (3.1.2.10). */
  'keep-alive',
  /** The server sent DISCONNECT (MQTT 5): `reasonCode`. */
  'server-disconnect',
  /** The server sent bytes that cannot be parsed; `cause` is the MalformedPacketError. */
  'malformed',
  /** The server sent what the protocol does not allow there; `cause` is the ProtocolError. */
  'protocol-error',
  /** The packet is over the server's Maximum Packet Size (3.2.2.3.6). */
  'packet-too-large',
  /** The QoS is over the server's Maximum QoS (3.2.2.3.4). */
  'qos-not-supported',
  /** The server sent AUTH, and there is nothing to authenticate with. */
  'unexpected-auth',
  /** The caller's AbortSignal; `cause` is its reason. */
  'aborted',
  /** The client was ended or destroyed by the caller. */
  'closed',
] as const;

export type ClientErrorCode = (typeof CLIENT_ERROR_CODES)[number];

export interface ClientErrorDetails {
  readonly reasonCode?: number | undefined;
  readonly protocolVersion?: ProtocolVersion | undefined;
  readonly properties?: Properties | undefined;
  readonly address?: string | undefined;
  readonly port?: number | undefined;
  readonly cause?: unknown;
}

/** Everything that a client's promises are rejected with, but for the caller's own mistakes (`UsageError`). */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly code: ClientErrorCode;
  /**
   * Reason Code of the packet behind it (return code for `refused` before MQTT 5, reply of a SOCKS5 proxy); undefined
   * where there is none.
   */
  readonly reasonCode: number | undefined;
  /** The version that `reasonCode` of `refused` is to be read by. */
  readonly protocolVersion: ProtocolVersion | undefined;
  /** Properties of the CONNACK or DISCONNECT behind it: Reason String, Server Reference. Empty for anything else. */
  readonly properties: Properties;
  /** Address and port that were tried last, for `connect-failed`. */
  readonly address: string | undefined;
  readonly port: number | undefined;

  constructor(code: ClientErrorCode, message: string, details: ClientErrorDetails = {}) {
    super(message, details.cause === undefined ? {} : { cause: details.cause });
    this.code = code;
    this.reasonCode = details.reasonCode;
    this.protocolVersion = details.protocolVersion;
    this.properties = details.properties ?? NO_PROPERTIES;
    this.address = details.address;
    this.port = details.port;
  }
}

/** What the peer did wrong, as the client's own error. */
export function fromPeerError(error: PeerError): ClientError {
  const code = error instanceof MalformedPacketError ? 'malformed' : 'protocol-error';
  return new ClientError(code, error.message, { reasonCode: error.reasonCode, cause: error });
}

/** The caller's AbortSignal as an error. */
export function aborted(signal: CancelSignal): ClientError {
  return new ClientError('aborted', 'the operation was aborted', { cause: signal.reason });
}
