import type { ExitCode, Reporter } from '@tsmqtt/cli-kit';
import { type Properties, property, reasonText } from '@tsmqtt/protocol';

/** Reason Codes from here on say that a message was not taken (MQTT 5, 2.4). */
const FIRST_FAILURE = 0x80;

/** Tells of messages that the broker did not take, and remembers the first reason for the exit code (P-1). */
export class PublishFailures {
  readonly #reporter: Reporter;
  #exitCode: ExitCode = 0;

  constructor(reporter: Reporter) {
    this.#reporter = reporter;
  }

  /** Reason Code of the first message that was refused, 0 where none was. */
  get exitCode(): ExitCode {
    return this.#exitCode;
  }

  readonly note = (packetId: number, reasonCode: number, properties: Properties): void => {
    if (reasonCode < FIRST_FAILURE) return;
    if (this.#exitCode === 0) this.#exitCode = reasonCode;
    const reason = property(properties, 'reasonString');
    const explanation = reason === undefined ? '' : `${reason}\n`;
    this.#reporter.report(`Warning: Publish ${packetId} failed: ${reasonText(reasonCode)}.\n${explanation}`);
  };
}

/** The line that says how much did not happen (P-1). */
export function undelivered(count: number, total: number): string {
  return `Error: ${count} of ${total} messages were not delivered.\n`;
}

/** Exit code 1 and a line for messages that went to nobody at all (P-29). */
export function inVain(count: number, reporter: Reporter): ExitCode {
  if (count === 0) return 0;
  reporter.report(`Error: no --local subscriber is running; ${count} messages reached nobody.\n`);
  return 1;
}
