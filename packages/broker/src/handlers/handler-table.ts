import {
  type Packet,
  PacketType,
  ProtocolError,
  type Subscribe,
  type Unsubscribe,
  type Verdict,
} from '@tsmqtt/protocol';
import type { Connection } from '../connection/connection.js';
import { Phase } from '../connection/phase.js';
import { handleAcknowledgement, handlePubrel } from './acknowledgement.js';
import { handleAuth } from './auth.js';
import { handleConnect } from './connect.js';
import { handleDisconnect } from './disconnect.js';
import { handlePingreq } from './pingreq.js';
import { handlePublish } from './publish.js';
import { handleSubscribe, subscribeAll } from './subscribe.js';
import { handleUnsubscribe, unsubscribeAll } from './unsubscribe.js';

type Handler<P extends Packet = never> = (connection: Connection, packet: P) => Verdict;

/** Packets that only a server sends (broker §9.1). */
function fromServerOnly(): never {
  throw new ProtocolError('server-packet', 'a client does not send this packet');
}

/** Handler by packet type. */
const HANDLERS: readonly Handler[] = [
  fromServerOnly, // type 0 does not decode
  handleConnect,
  fromServerOnly, // CONNACK
  handlePublish,
  handleAcknowledgement, // PUBACK
  handleAcknowledgement, // PUBREC
  handlePubrel,
  handleAcknowledgement, // PUBCOMP
  handleSubscribe,
  fromServerOnly, // SUBACK
  handleUnsubscribe,
  fromServerOnly, // UNSUBACK
  handlePingreq,
  fromServerOnly, // PINGRESP
  handleDisconnect,
  handleAuth,
];

/**
 * Whether a packet of this type may come now: known from the Fixed Header, whatever the body would turn out to be.
 * @throws ProtocolError where the client may not send it, or not there.
 */
export function checkPlace(phase: Phase, type: number): void {
  const connectCame = phase !== Phase.NEW;
  // [MQTT-3.1.0-1] [MQTT-3.1.0-2] [MQTT311-3.1.0-1] [MQTT311-3.1.0-2]
  if ((type === PacketType.CONNECT) === connectCame) {
    throw connectCame
      ? new ProtocolError('second-connect', 'second CONNECT')
      : new ProtocolError('not-connect', 'the first packet is not CONNECT');
  }
  // [MQTT-3.1.2-30]
  if (phase === Phase.CHALLENGED && type !== PacketType.AUTH && type !== PacketType.DISCONNECT) {
    throw new ProtocolError('auth-expected', 'only AUTH or DISCONNECT may answer AUTH before CONNACK');
  }
  if (HANDLERS[type] === fromServerOnly) fromServerOnly();
}

/** Handles one packet that may come now. @throws ProtocolError where the client breaks the protocol with it. */
export function handlePacket(connection: Connection, packet: Packet): Verdict {
  return (HANDLERS[packet.type] as Handler<Packet>)(connection, packet);
}

/** The filters in front of a bad one count, though nothing answers them (broker §9.8). */
export function handleBegun(connection: Connection, packet: Subscribe | Unsubscribe): void {
  if (packet.type === PacketType.SUBSCRIBE) subscribeAll(connection, packet);
  else unsubscribeAll(connection, packet);
}
