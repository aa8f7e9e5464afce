import { NO_PROPERTIES, PacketType, ReasonCode, type Unsubscribe, type Verdict } from '@tsmqtt/protocol';
import type { Connection } from '../connection/connection.js';
import type { LongPacket } from '../connection/long-packet.js';
import { unsubscribe } from '../routing/subscribing.js';
import type { Session } from '../session/session.js';

/** Units of work that a filter is. */
const UNSUBSCRIBING = 4;

/**
 * UNSUBSCRIBE (3.10.4): nothing new is delivered, deliveries in progress are finished [MQTT-3.10.4-2] [MQTT-3.10.4-3]
 * [MQTT311-3.10.4-2] [MQTT311-3.10.4-3].
 */
export function handleUnsubscribe(connection: Connection, packet: Unsubscribe): Verdict {
  return connection.takeUp(new Unsubscribing(connection, packet));
}

/** UNSUBSCRIBE with very many filters takes several turns of the event loop, in which others are served. */
class Unsubscribing implements LongPacket {
  readonly #connection: Connection;
  readonly #packet: Unsubscribe;
  readonly #reasonCodes: number[] = [];

  constructor(connection: Connection, packet: Unsubscribe) {
    this.#connection = connection;
    this.#packet = packet;
  }

  goOn(): boolean {
    const { work } = this.#connection.engine;
    const { filters, packetId } = this.#packet;
    const reasonCodes = this.#reasonCodes;
    while (reasonCodes.length < filters.length) {
      if (reasonCodes.length > 0 && work.left <= 0 && work.spent()) return false;
      work.left -= UNSUBSCRIBING;
      reasonCodes.push(unsubscribeFrom(this.#connection, filters[reasonCodes.length] as string));
    }
    // [MQTT-3.10.4-4] [MQTT-3.10.4-5] [MQTT-3.10.4-6] [MQTT-3.11.3-1] [MQTT-3.11.3-2] [MQTT-2.2.1-6]
    // [MQTT311-3.10.4-4] [MQTT311-3.10.4-5] [MQTT311-3.10.4-6] [MQTT311-2.3.1-7]
    // No properties: no Reason String [MQTT-3.11.2-1], no User Property [MQTT-3.11.2-2].
    const properties = NO_PROPERTIES;
    this.#connection.send({ type: PacketType.UNSUBACK, packetId, reasonCodes, properties });
    return true;
  }
}

/** Ends the subscriptions of an UNSUBSCRIBE that is not answered. */
export function unsubscribeAll(connection: Connection, packet: Unsubscribe): void {
  for (const filter of packet.filters) unsubscribeFrom(connection, filter);
}

/** Ends a subscription: its Reason Code. */
function unsubscribeFrom(connection: Connection, named: string): number {
  const { engine, mountPoint } = connection;
  const session = connection.session as Session;
  engine.packetLog?.filter(named);
  const filter = mountPoint === undefined ? named : mountPoint.filter(named);
  if (engine.log.enabled('unsubscribe')) engine.log.unsubscribe(`${session.clientId} ${filter}`);
  if (!unsubscribe(session, filter)) return ReasonCode.NO_SUBSCRIPTION_EXISTED;
  engine.hooks?.afterUnsubscribe(connection, named);
  return ReasonCode.SUCCESS;
}
