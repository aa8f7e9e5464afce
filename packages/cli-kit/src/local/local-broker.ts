import { createServer } from 'node:net';
import type { Endpoint } from '../connection/endpoint.js';
import { ProgramError } from '../program/program-error.js';
import { systemErrorText } from '../program/system-error.js';

/** The only address that `--local` ever listens on (design: `--local`). */
const LOOPBACK = '127.0.0.1';

/** The broker that `--local` found or became. */
export interface LocalBroker {
  readonly endpoint: Endpoint;
  /** Messages that went to a broker of this very process and matched no subscription: they are gone (P-29). */
  reachedNobody(): number;
  /** Ends it where this process hosts it, once what it owes its clients was sent. */
  close(): Promise<void>;
}

/**
 * Finds or becomes the broker of this machine. Binding the port is the election: who gets it hosts, who does not
 * connects to what is there, whatever broker that is. Throws ProgramError where neither is possible.
 */
export async function joinLocalBroker(port: number): Promise<LocalBroker> {
  const endpoint = { host: LOOPBACK, port };
  try {
    // Most of the time somebody hosts already: find out before loading a broker.
    await probe(port);
    const { startBroker } = await import('@tsmqtt/broker');
    const broker = await startBroker({ host: LOOPBACK, port, allowAnonymous: true, sysInterval: 0 });
    return { endpoint, reachedNobody: () => broker.counters.unmatched, close: () => broker.close() };
  } catch (error) {
    // Also where another process was faster between the two steps.
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
      return { endpoint, reachedNobody: () => 0, close: async () => {} };
    }
    throw new ProgramError(1, `Error: ${systemErrorText(error)} (${LOOPBACK}:${port})\n`);
  }
}

/** Binds the port and lets go of it again. */
function probe(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host: LOOPBACK, port, exclusive: true }, () => server.close(() => resolve()));
  });
}
