import type { ClientError } from '@tsmqtt/client';
import type { Reporter } from '../program/reporter.js';
import { systemErrorText } from '../program/system-error.js';
import { type Endpoint, endpointName } from './endpoint.js';
import { brokersWords } from './failure.js';

/** Says when a connection that is kept up is lost and when it is back, one line each (P-8). */
export class ConnectionWatch {
  readonly #reporter: Reporter;
  readonly #endpoint: () => Endpoint;
  #lost = false;

  constructor(reporter: Reporter, endpoint: () => Endpoint) {
    this.#reporter = reporter;
    this.#endpoint = endpoint;
  }

  onLost(error: ClientError): void {
    if (this.#lost) return;
    this.#lost = true;
    const why = [reasonOf(error), ...brokersWords(error)].join('. ');
    this.#reporter.report(`Warning: Connection to ${this.#name()} was lost (${why}); reconnecting.\n`);
  }

  onBack(): void {
    if (!this.#lost) return;
    this.#lost = false;
    this.#reporter.report(`Warning: Connection to ${this.#name()} is back.\n`);
  }

  #name(): string {
    return endpointName(this.#endpoint());
  }
}

/** The system has words of its own for what happened to a socket; what TLS and others say is worded already. */
function reasonOf({ cause, message }: ClientError): string {
  const bySystem = cause instanceof Error && (cause as NodeJS.ErrnoException).errno !== undefined;
  return bySystem ? systemErrorText(cause) : message;
}
