import type { ClientError } from '@tsmqtt/client';
import type { Reporter } from '../program/reporter.js';
import { systemErrorText } from '../program/system-error.js';
import { type Endpoint, endpointName } from './endpoint.js';

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
    const reason = error.cause instanceof Error ? systemErrorText(error.cause) : error.message;
    this.#reporter.report(`Warning: Connection to ${this.#name()} was lost (${reason}); reconnecting.\n`);
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
