import {
  PacketType,
  ProtocolError,
  type Publish,
  type PublishFrame,
  property,
  ReasonCode,
  Verdict,
} from '@tsmqtt/protocol';
import { Right } from '../auth/access-list.js';
import type { Connection } from '../connection/connection.js';
import type { Engine } from '../engine.js';
import type { HookedPublish } from '../hooks/hook-calls.js';
import { composeFrame, expiryOf, isEndlessExpiry, Message } from '../routing/message.js';
import type { Session } from '../session/session.js';

/** PUBLISH (3.3.4, 4.3): answered as its QoS says [MQTT-3.3.4-1] [MQTT311-3.3.4-1]. */
export function handlePublish(connection: Connection, packet: Publish): Verdict {
  const frame = packet as PublishFrame;
  const { engine } = connection;
  const session = connection.session as Session;
  checkAllowed(connection, frame);
  const { mountPoint } = connection;
  const named =
    frame.topic !== '' && frame.properties.length === 0
      ? frame.topic
      : connection.inboundAliases.resolve(frame);
  let topic = mountPoint === undefined ? named : mountPoint.topic(named);
  let refusal = refusalOf(engine, session, topic, frame);
  /** What goes on: the host program may have changed it. */
  let content = frame;
  let hooked: HookedPublish | undefined;
  if (engine.hooks !== undefined && refusal === ReasonCode.SUCCESS) {
    // Asked once, though a publisher that has to wait has its packet given again.
    hooked = connection.hooked ?? engine.hooks.beforePublish(connection, frame, topic);
    connection.hooked = undefined;
    ({ frame: content, topic, refusal } = hooked);
  }
  if (frame.qos === 2) {
    engine.packetLog?.receivedPublish(session.clientId, frame, topic, refusal);
    return receiveQoS2(connection, session, frame.packetId, content, topic, refusal);
  }
  // Seldom: only the identifier of a QoS 2 message that is not released can be reused.
  if (frame.qos === 1 && session.inbound.size > 0) dropReused(connection, session, frame.packetId);
  if (refusal === ReasonCode.SUCCESS) {
    const held = engine.router.holding(topic, session);
    if (held !== undefined) {
      connection.hooked = hooked;
      return connection.waitFor(held);
    }
  }
  engine.packetLog?.receivedPublish(session.clientId, frame, topic, refusal);
  const matched =
    refusal === ReasonCode.SUCCESS && engine.router.publish(messageOf(engine, content, topic), session);
  // QoS 1: nothing is remembered of it, so the next PUBLISH with its identifier is new, whatever DUP says.
  // [MQTT-4.3.2-4] [MQTT-4.3.2-5] [MQTT-2.2.1-5] [MQTT311-4.3.2-2] [MQTT311-2.3.1-6]
  if (frame.qos === 1) {
    const done = matched ? ReasonCode.SUCCESS : ReasonCode.NO_MATCHING_SUBSCRIBERS;
    connection.writer.acknowledge(
      PacketType.PUBACK,
      frame.packetId,
      refusal === ReasonCode.SUCCESS ? done : refusal,
    );
  }
  return Verdict.CONTINUE;
}

/** What costs the client its connection (broker §9.7). */
function checkAllowed(connection: Connection, frame: PublishFrame): void {
  const { engine } = connection;
  // [MQTT-3.2.2-11]
  if (frame.qos > connection.maximumQoS)
    throw new ProtocolError('qos-not-supported', `QoS ${frame.qos} is not supported`, 0x9b);
  // [MQTT-3.2.2-14]
  if (frame.retain && !engine.settings.retainAvailable) {
    throw new ProtocolError('retain-not-supported', 'retained messages are not available', 0x9a);
  }
  // [MQTT-3.3.4-6]
  if (frame.properties.length > 0 && property(frame.properties, 'subscriptionIdentifier') !== undefined) {
    throw new ProtocolError(
      'subscription-identifier',
      'a client sends no Subscription Identifier in PUBLISH',
    );
  }
}

/**
 * Reason Code that refuses a PUBLISH without harm to the connection; 0 where it is taken. MQTT 3 never hears of it
 * [MQTT311-3.3.5-2].
 */
function refusalOf(engine: Engine, session: Session, topic: string, frame: PublishFrame): number {
  const limit = engine.settings.messageSizeLimit;
  if (limit > 0 && frame.payloadLength > limit) return ReasonCode.PACKET_TOO_LARGE;
  return session.identity?.may(Right.WRITE, topic) === false ? ReasonCode.NOT_AUTHORIZED : ReasonCode.SUCCESS;
}

/**
 * The message as it goes on. A frame that carries an alias is rebuilt: an alias never leaves its connection
 * [MQTT-3.3.2-7]. So is one whose topic means another behind a mount point.
 */
function messageOf(engine: Engine, frame: PublishFrame, topic: string): Message {
  const asItCame = topic === frame.topic;
  if (asItCame && frame.properties.length === 0) return new Message(topic, frame, Number.POSITIVE_INFINITY);
  const expiresAt = expiryOf(frame.properties, engine.clock.now());
  const own = frame.properties.filter((entry) => entry.name !== 'topicAlias' && !isEndlessExpiry(entry));
  if (asItCame && own.length === frame.properties.length) return new Message(topic, frame, expiresAt);
  const { payload, qos, retain, protocolVersion } = frame;
  return new Message(topic, composeFrame(topic, payload, qos, retain, own, protocolVersion), expiresAt);
}

/**
 * QoS 2: kept until PUBREL releases it (4.3.3), which is when it is routed (broker §9.7) [MQTT-4.3.3-8] [MQTT-4.3.3-10]
 * [MQTT311-4.3.3-2].
 */
function receiveQoS2(
  connection: Connection,
  session: Session,
  packetId: number,
  frame: PublishFrame,
  topic: string,
  refusal: number,
): Verdict {
  const { engine } = connection;
  const { inbound } = session;
  const known = inbound.get(packetId);
  if (known !== undefined) {
    if (sameContent(known, topic, frame)) return repeatQoS2(connection, known, packetId);
    dropReused(connection, session, packetId);
  }
  if (refusal !== ReasonCode.SUCCESS) {
    // A failed PUBREC ends the exchange in MQTT 5 [MQTT-4.3.3-9]; MQTT 3 goes on to PUBREL and PUBCOMP as if it had been taken.
    connection.writer.acknowledge(PacketType.PUBREC, packetId, refusal);
    return Verdict.CONTINUE;
  }
  if (isOverQuota(connection, inbound)) {
    engine.log.warning(
      `Client ${connection.clientId} has exceeded its receive-maximum quota. This behaviour must be fixed on the client.`,
    );
    connection.writer.acknowledge(PacketType.PUBREC, packetId, ReasonCode.QUOTA_EXCEEDED);
    return Verdict.CONTINUE;
  }
  const message = messageOf(engine, frame, topic);
  message.keep();
  inbound.keep(packetId, message);
  session.saved?.received(packetId, message);
  connection.writer.acknowledge(PacketType.PUBREC, packetId, ReasonCode.SUCCESS);
  return Verdict.CONTINUE;
}

/**
 * Whether an MQTT 5 client has more unreleased messages than the Receive Maximum it was told (broker T-19). MQTT 3 has no
 * Receive Maximum, and its PUBREC cannot refuse: what is acknowledged there is kept. As many bytes as that number of the
 * largest packets bound it; beyond, the connection ends, and the client sends again what was not acknowledged.
 */
function isOverQuota(connection: Connection, { size, bytes }: Session['inbound']): boolean {
  const limit = connection.receiveMaximum;
  if (limit === 0 || size < limit) return false;
  if (connection.version === 5) return true;
  if (bytes >= limit * connection.engine.settings.maxPacketSize)
    throw new ProtocolError('unreleased-messages', 'more unreleased messages than are kept', 0x97);
  return false;
}

/** Another message has its identifier: what was kept under it is never released (broker §9.7). */
function dropReused({ engine, clientId }: Connection, session: Session, packetId: number): void {
  if (session.inbound.release(packetId) === undefined) return;
  engine.log.warning(`Reused message ID ${packetId} from ${clientId} detected. Clearing from storage.`);
  session.saved?.handedOn(packetId);
}

/** Once on each connection: a client that comes back says again what it does not know to have arrived. */
function repeatQoS2(connection: Connection, known: Message, packetId: number): Verdict {
  if (known.repeatedOn === connection.order)
    throw new ProtocolError('qos2-repeated', `PUBLISH ${packetId} came a third time`);
  known.repeatedOn = connection.order;
  connection.writer.acknowledge(PacketType.PUBREC, packetId, ReasonCode.SUCCESS);
  return Verdict.CONTINUE;
}

function sameContent(known: Message, topic: string, frame: PublishFrame): boolean {
  return known.topic === topic && known.frame.qos === frame.qos && known.frame.payload.equals(frame.payload);
}
