import { ArgumentError, type Settings } from '@tsmqtt/cli-kit';
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
  /** It was made for this request: no older message can have it. */
  readonly #correlationIsFresh: boolean;

  constructor(question: Question, settings: Settings) {
    this.question = question;
    this.#ignoreRetained = settings.ignoreRetained;
    if (settings.protocolVersion !== 5) {
      this.properties = [];
      this.#correlationIsFresh = false;
      return;
    }
    const given = settings.properties.PUBLISH;
    const givenCorrelation = property(given, 'correlationData');
    this.#correlationIsFresh = givenCorrelation === undefined;
    this.#correlation = givenCorrelation ?? uniqueBytes(CORRELATION_BYTES);
    this.properties = [
      ...given,
      ...(this.#correlationIsFresh ? [{ name: 'correlationData', value: this.#correlation } as const] : []),
      { name: 'responseTopic', value: question.responseTopic },
    ];
  }

  /** This message, which arrived after the request was sent, is the response; whatever its topic is. */
  isAnsweredBy(message: Publish): boolean {
    const received = property(message.properties, 'correlationData');
    const correlates = received !== undefined && this.#isOurs(received);
    // Responders that know nothing of correlation answer all the same (P-26).
    if (received !== undefined && !correlates) return false;
    if (!message.retain) return true;
    if (this.#ignoreRetained) return false;
    // With Retain As Published a new message may look like one that the broker had kept.
    if (correlates && this.#correlationIsFresh) return true;
    return message.topic !== this.question.responseTopic;
  }

  #isOurs(correlation: Uint8Array): boolean {
    return this.#correlation === undefined || Buffer.compare(this.#correlation, correlation) === 0;
  }
}

/**
 * Refuses what the Response Topic of `-e` leaves no room for. The reference has the same words for any other property
 * that is given twice (cli §13). Throws ArgumentError.
 */
export function checkRequestProperties({ properties }: Settings): void {
  const names = properties.PUBLISH.map(({ name }) => name).filter((name) => name !== 'userProperty');
  if (new Set([...names, 'responseTopic']).size > names.length) return;
  throw new ArgumentError(Buffer.from('Error in PUBLISH properties: Duplicate response topic.\n'), 'nothing');
}

/**
 * Bytes that only have to differ: nobody is kept out by them, since a response may also come without (P-26).
 * node:crypto would make them for a tenth of the time that the program needs to start.
 */
function uniqueBytes(count: number): Uint8Array {
  return Uint8Array.from({ length: count }, () => Math.random() * 256);
}
