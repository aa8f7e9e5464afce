import { PacketType } from '@tsmqtt/protocol';

/** What the broker has counted since it started. Nothing is ever counted down. */
export class Counters {
  /** Packets received, by their type (2.1.2). What does not decode is not counted. */
  readonly packetsReceived = new Float64Array(16);
  /** Packets sent, by their type. */
  readonly packetsSent = new Float64Array(16);
  /** Bytes read from clients. */
  bytesReceived = 0;
  /** Bytes that clients' sockets took. */
  bytesSent = 0;
  /** Bytes of the payloads of all PUBLISH packets received. */
  payloadReceived = 0;
  /** Bytes of the payloads of all PUBLISH packets sent. */
  payloadSent = 0;
  /** Messages dropped at a bound. */
  dropped = 0;
  /** Messages of clients that no subscription matched. */
  unmatched = 0;
  /** Sockets accepted, those above a limit too. */
  sockets = 0;
  /** Most connections at a time. */
  mostConnections = 0;
  /** Sessions that ended because their expiry had passed. */
  sessionsExpired = 0;

  /** PUBLISH packets received. */
  get received(): number {
    return this.packetsReceived[PacketType.PUBLISH] as number;
  }

  /** PUBLISH packets sent. */
  get sent(): number {
    return this.packetsSent[PacketType.PUBLISH] as number;
  }
}
