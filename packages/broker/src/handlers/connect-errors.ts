import {
  isAnsweredWithConnack,
  NO_PROPERTIES,
  PacketType,
  type PeerError,
  peekProtocolVersion,
} from '@tsmqtt/protocol';
import type { Connection } from '../connection/connection.js';
import { answersWithDisconnect, closeReasonOf } from '../connection/error-answers.js';

/** Where the packet at hand stands in the bytes that came. */
interface Place {
  readonly source: Buffer;
  readonly frameStart: number;
  readonly start: number;
  readonly end: number;
}

/**
 * The first packet is not a CONNECT that can be accepted [MQTT-3.1.4-1] [MQTT311-3.1.4-1]: a CONNACK where the
 * specification has one for it, then the end; without one where no code fits [MQTT311-3.2.2-6].
 */
export function refuseBadConnect(connection: Connection, error: PeerError, place: Place): void {
  const isConnect = (place.source[place.frameStart] ?? 0) >> 4 === PacketType.CONNECT;
  if (isConnect && isAnsweredWithConnack(error)) {
    if (error.code === 'protocol-mismatch') {
      // In the form of 3.x whatever was asked for (broker §9.2).
      connection.version = 4;
      refuse(connection, 1);
    } else if (
      error.code === 'protocol-level' ||
      peekProtocolVersion(place.source, place.start, place.end) === 5
    ) {
      // [MQTT-3.1.2-2] [MQTT311-3.1.2-2]: a level that nobody knows is answered in the form of MQTT 5 (broker T-56).
      connection.version = 5;
      refuse(connection, error.reasonCode);
    }
  }
  const tls = (place.source[place.frameStart] ?? 0) === 0x16 && place.source[place.frameStart + 1] === 3;
  if (tls)
    connection.engine.log.notice(
      `Client from ${connection.name} appears to be using TLS to connect to a non-TLS listener.`,
    );
  connection.close(error.name === 'MalformedPacketError' ? 'malformedPacket' : 'protocolError');
}

/** Something else than the AUTH that was expected before CONNACK: no DISCONNECT may be sent yet [MQTT-3.14.0-1]. */
export function refuseExchange(connection: Connection, error: PeerError): void {
  if (answersWithDisconnect(error)) refuse(connection, error.reasonCode);
  connection.close(closeReasonOf(error));
}

function refuse(connection: Connection, reasonCode: number): void {
  connection.send({ type: PacketType.CONNACK, sessionPresent: false, reasonCode, properties: NO_PROPERTIES });
}
