import type { Engine } from '../engine.js';
import { composeFrame, Message } from '../routing/message.js';
import type { Session } from '../session/session.js';

/** Longest Topic Name (1.5.4). */
const LONGEST = 65_535;

/**
 * Takes what is published to one topic below `$CONTROL/` and says what is to be published on `TOPIC/response`.
 * Synchronous: it runs in the place of routing.
 */
export type ControlEndpoint = (payload: Buffer) => string;

/** Whether a topic is one of those. */
export function isControlTopic(topic: string): boolean {
  return topic.charCodeAt(0) === 0x24 && topic.startsWith('$CONTROL/');
}

/**
 * Topics below `$CONTROL/` (broker §10.6): what is published there goes to an endpoint, by topic, and to nobody else;
 * it is not retained either. Where there is no endpoint the publisher is told so, subscribed or not.
 */
export class ControlTopics {
  readonly #engine: Engine;
  readonly #endpoints = new Map<string, ControlEndpoint>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Serves a topic, or with undefined no longer. */
  set(topic: string, endpoint: ControlEndpoint | undefined): void {
    if (endpoint === undefined) this.#endpoints.delete(topic);
    else this.#endpoints.set(topic, endpoint);
  }

  /** A client may publish there and did. */
  receive(message: Message, origin: Session | undefined): void {
    const topic = `${message.topic}/response`;
    const endpoint = this.#endpoints.get(message.topic);
    if (endpoint !== undefined) {
      this.#engine.router.route(answer(topic, endpoint(message.frame.payload)), undefined);
    } else if (Buffer.byteLength(topic) <= LONGEST) {
      origin?.deliver(answer(topic, '{"error": "endpoint not available"}'), 0, false, undefined);
    }
  }
}

function answer(topic: string, payload: string): Message {
  const frame = composeFrame(topic, Buffer.from(payload), 0, false, [], 5);
  return new Message(topic, frame, Number.POSITIVE_INFINITY);
}
