import { randomBytes } from 'node:crypto';
import type { Settings } from '@tsmqtt/cli-kit';
import { type Property, type Publish, property } from '@tsmqtt/protocol';

/** What is asked, and where the answer is expected. */
export interface Question {
  readonly topic: string;
  readonly responseTopic: string;
  readonly payload: Uint8Array;
}

/** Enough that no two requests of the world share it. */
const CORRELATION_BYTES = 16;

/** A question as it goes out, and what tells its response from other messages (cli §13, P-14, P-26). */
export class Request {
  readonly question: Question;
  /** Properties of the PUBLISH: what the command line gave, then ours, the Response Topic last. */
  readonly properties: readonly Property[];
  readonly #ignoreRetained: boolean;
  /** Undefined before MQTT 5: every message may be the response. */
  readonly #correlation: Uint8Array | undefined;
  /** No older message can have it. */
  readonly #correlationIsFresh: boolean;

  constructor(question: Question, settings: Settings) {
    this.question = question;
    this.#ignoreRetained = settings.ignoreRetained;
    if (settings.protocolVersion !== 5) {
      // The reference drops what `-D publish` gave as silently (cli §13).
      this.properties = [];
      this.#correlation = undefined;
      this.#correlationIsFresh = false;
      return;
    }
    const given: readonly Property[] = [];
    const givenCorrelation = property(given, 'correlationData');
    const correlation = givenCorrelation ?? randomBytes(CORRELATION_BYTES);
    this.#correlation = correlation;
    this.#correlationIsFresh = givenCorrelation === undefined;
    this.properties = [
      ...given,
      ...(this.#correlationIsFresh ? [{ name: 'correlationData', value: correlation } as const] : []),
      { name: 'responseTopic', value: question.responseTopic },
    ];
  }

  /** This message, which arrived after the request was sent, is the response; whatever its topic is. */
  isAnsweredBy(message: Publish): boolean {
    const received = property(message.properties, 'correlationData');
    const correlates = received !== undefined && this.#correlatesWith(received);
    // Responders that know nothing of correlation answer all the same (P-26).
    if (received !== undefined && !correlates) return false;
    if (!message.retain) return true;
    if (this.#ignoreRetained) return false;
    // What the broker had kept is no answer, unless it can only be one: Retain As Published shows the flag of new
    // messages, too.
    if (correlates && this.#correlationIsFresh) return true;
    return message.topic !== this.question.responseTopic;
  }

  #correlatesWith(received: Uint8Array): boolean {
    return this.#correlation === undefined || Buffer.compare(this.#correlation, received) === 0;
  }
}
