import {
  NO_PROPERTIES,
  PacketType,
  property,
  type QoS,
  type Subscribe,
  type SubscriptionRequest,
  type Verdict,
} from '@tsmqtt/protocol';
import type { Connection } from '../connection/connection.js';
import type { LongPacket } from '../connection/long-packet.js';
import { subscribe } from '../routing/subscribing.js';
import type { Subscription } from '../routing/subscription.js';
import type { Session } from '../session/session.js';

/** The one code for a refusal before MQTT 5 (3.1.1, 3.9.3). */
const FAILURE = 0x80;

/** Units of work that a filter is. */
const SUBSCRIBING = 8;

/**
 * SUBSCRIBE (3.8.4): filter by filter, then one SUBACK with the codes in order, then retained messages
 * [MQTT-3.8.4-1] [MQTT-3.8.4-2] [MQTT-3.8.4-5] [MQTT-3.8.4-6] [MQTT-3.9.3-1] [MQTT-2.2.1-6]
 * [MQTT311-3.8.4-1] [MQTT311-3.8.4-2] [MQTT311-3.8.4-4] [MQTT311-3.8.4-5] [MQTT311-3.9.3-1] [MQTT311-2.3.1-7].
 * It has no properties: no Reason String [MQTT-3.9.2-1], no User Property [MQTT-3.9.2-2].
 */
export function handleSubscribe(connection: Connection, packet: Subscribe): Verdict {
  return connection.takeUp(new Subscribing(connection, packet));
}

/** SUBSCRIBE with very many filters takes several turns of the event loop, in which others are served. */
class Subscribing implements LongPacket {
  readonly #connection: Connection;
  readonly #packet: Subscribe;
  readonly #reasonCodes: number[] = [];

  constructor(connection: Connection, packet: Subscribe) {
    this.#connection = connection;
    this.#packet = packet;
  }

  goOn(): boolean {
    const { work } = this.#connection.engine;
    const { subscriptions } = this.#packet;
    const codes = this.#reasonCodes;
    (this.#connection.session as Session).replay.hold();
    while (codes.length < subscriptions.length) {
      if (codes.length > 0 && work.left <= 0 && work.spent()) return false;
      work.left -= SUBSCRIBING;
      codes.push(subscribeTo(this.#connection, this.#packet, codes.length, true));
    }
    this.#answer();
    return true;
  }

  #answer(): void {
    const { packetId } = this.#packet;
    const reasonCodes = this.#reasonCodes;
    const suback = { type: PacketType.SUBACK, packetId, reasonCodes, properties: NO_PROPERTIES };
    if (!this.#connection.send(suback)) return;
    (this.#connection.session as Session).replay.goOn();
  }
}

/** Makes the subscriptions of a SUBSCRIBE that is not answered. */
export function subscribeAll(connection: Connection, packet: Subscribe): void {
  for (const index of packet.subscriptions.keys()) subscribeTo(connection, packet, index, false);
}

/** Makes one subscription: its Reason Code. @param replays What is retained for it is to be sent. */
function subscribeTo(connection: Connection, packet: Subscribe, index: number, replays: boolean): number {
  const { engine } = connection;
  const session = connection.session as Session;
  const request = packet.subscriptions[index] as SubscriptionRequest;
  engine.packetLog?.filter(request.filter, request.qos);
  const asked = engine.hooks?.beforeSubscribe(connection, request) ?? request;
  if ('refuse' in asked) return connection.version === 5 ? asked.refuse : FAILURE;
  const identifier = property(packet.properties, 'subscriptionIdentifier');
  const subscription = grant(connection, session, asked, identifier, replays);
  engine.hooks?.afterSubscribe(connection, { ...asked, qos: subscription.qos });
  if (engine.log.enabled('subscribe'))
    engine.log.subscribe(`${session.clientId} ${subscription.qos} ${request.filter}`);
  return subscription.qos;
}

function grant(
  connection: Connection,
  session: Session,
  request: SubscriptionRequest,
  identifier: number | undefined,
  replays: boolean,
): Subscription {
  const { engine, maximumQoS, mountPoint, bridge } = connection;
  const key = mountPoint === undefined ? request.filter : mountPoint.filter(request.filter);
  const { subscription, isNew, isShared } = subscribe(session, key, {
    // Always granted, at most as the listener has it [MQTT-3.8.4-7] [MQTT-3.2.2-10] [MQTT-3.9.3-2] [MQTT311-3.9.3-2].
    qos: Math.min(request.qos, maximumQoS) as QoS,
    noLocal: request.noLocal || bridge,
    retainAsPublished: request.retainAsPublished || bridge,
    identifier,
  });
  // [MQTT-3.3.1-9] [MQTT-3.3.1-10] [MQTT-3.3.1-11] [MQTT311-3.3.1-6]; never for Shared Subscriptions (broker §9.8).
  const sends = request.retainHandling === 0 || (request.retainHandling === 1 && isNew);
  if (replays && sends && !isShared)
    session.replay.start(engine.retained.matching(subscription.filter), subscription);
  return subscription;
}
