import type { Acknowledgement, OutboundSink } from '@tsmqtt/protocol';
import type { SavedSession } from '../persistence/saved-session.js';
import type { Message } from '../routing/message.js';
import type { Delivery } from './delivery.js';
import type { Session } from './session.js';

/** What becomes of QoS 1 and 2 messages of a session as they are sent, released and settled: to its client, and to what is saved. */
export class Sending implements OutboundSink<Delivery> {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  publish(delivery: Delivery, packetId: number, dup: boolean): boolean {
    const session = this.#session;
    const { connection, saved } = session;
    const message = delivery.message as Message;
    // It may have waited while the rules changed. What was sent before is sent again all the same [MQTT-4.4.0-1].
    if (!dup && !session.mayRead(message)) {
      saved?.settled(delivery);
      return false;
    }
    if (!session.persistent) delivery.message = undefined;
    const { qos, retain, subscriptionIdentifier } = delivery;
    if (saved !== undefined && !dup) this.#save(saved, delivery);
    const sent = connection?.publish(message, qos, retain, dup, packetId, subscriptionIdentifier) ?? false;
    // Asked again: whoever got it may have ended the session.
    if (!sent) session.saved?.settled(delivery);
    return sent;
  }

  #save(saved: SavedSession, delivery: Delivery): void {
    saved.sent(delivery);
    // Who receives at QoS 2 has to find the identifier taken by this message after a restart too (4.3.3).
    if (delivery.qos === 2) this.#session.connection?.gate?.hold();
  }

  pubrel(packetId: number, delivery: Delivery | undefined): void {
    if (delivery !== undefined) this.#session.saved?.released(delivery);
    this.#session.connection?.pubrel(packetId);
  }

  settled(delivery: Delivery, _acknowledgement: Acknowledgement): void {
    const { connection, saved } = this.#session;
    saved?.settled(delivery);
    // Whether there is room again is for the handler to ask, when what waited has moved up too.
    if (connection !== undefined) connection.progress += delivery.size;
  }
}
