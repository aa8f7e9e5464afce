import type { ExitCode, Reporter } from '@tsmqtt/cli-kit';
import { type Client, ClientError } from '@tsmqtt/client';
import { reasonText } from '@tsmqtt/protocol';
import { Fate, type FateOf } from './message-filter.js';

/** Reason Codes from here on are refusals. */
const FIRST_REFUSAL = 0x80;
/** How many the client is given at once: beyond its own window, and few enough to cost nothing. */
const AT_ONCE = 256;

const NO_PAYLOAD = new Uint8Array(0);

/**
 * `--remove-retained`: publishes an empty retained message at QoS 1 to the topic of every retained message that was
 * accepted (cli §12.5, D-6). Accepted by the pipeline, that is, and then by stdout too: what was not printed is not
 * cleared (P-22).
 */
export class RetainedClearing {
  readonly #reporter: Reporter;
  /** Topics whose turn has not come, in order; a broker may have very many. */
  #topics: string[] = [];
  /** Topics before `#next` were given to the client, those before `#due` may be. */
  #next = 0;
  #due = 0;
  #outstanding = 0;
  #exitCode: ExitCode = 0;
  #onIdle = () => {};

  constructor(reporter: Reporter) {
    this.#reporter = reporter;
  }

  /** Reason Code of the first clear that the broker refused, 0 where none was (P-1). */
  get exitCode(): ExitCode {
    return this.#exitCode;
  }

  /** Everything that was noted is cleared, or refused. */
  get idle(): boolean {
    return this.#outstanding === 0 && this.#topics.length === 0;
  }

  /** The filter, with a note of what is to be cleared; `--random-filter` hides from view only (cli §12.3). */
  noting(fateOf: FateOf): FateOf {
    return (message) => {
      const fate = fateOf(message);
      // An empty one clears already. With `--retain-as-published` it is our own come back, and would be for ever.
      const clearable = message.retain && message.payload.length > 0;
      if (clearable && (fate === Fate.PRINT || fate === Fate.HIDE)) this.#topics.push(message.topic);
      return fate;
    };
  }

  /** Clears what was noted so far. */
  send(client: Client): void {
    this.#due = this.#topics.length;
    this.#fill(client);
  }

  /** Calls back, once, when there is nothing left to do. */
  whenIdle(callback: () => void): void {
    if (this.idle) callback();
    else this.#onIdle = callback;
  }

  #fill(client: Client): void {
    while (this.#next < this.#due && this.#outstanding < AT_ONCE) {
      void this.#clear(client, this.#topics[this.#next++]!);
    }
    if (this.#next < this.#topics.length) return;
    this.#topics = [];
    this.#next = 0;
    this.#due = 0;
  }

  async #clear(client: Client, topic: string): Promise<void> {
    this.#outstanding++;
    try {
      const { reasonCode } = await client.publish(topic, NO_PAYLOAD, { qos: 1, retain: true });
      if (reasonCode >= FIRST_REFUSAL) this.#refused(topic, reasonCode);
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      // Otherwise the client itself is over, and whoever ended it has said why.
      if (error.code !== 'qos-not-supported' && error.code !== 'packet-too-large') return;
      this.#refused(topic, error.reasonCode!);
    } finally {
      this.#outstanding--;
    }
    this.#fill(client);
    if (this.idle) this.#onIdle();
  }

  #refused(topic: string, reasonCode: number): void {
    if (this.#exitCode === 0) this.#exitCode = reasonCode;
    this.#reporter.report(
      `Warning: Retained message on '${topic}' was not cleared: ${reasonText(reasonCode)}.\n`,
    );
  }
}
