import { type Client, ClientError, type ConnectOptions, connect } from '@tsmqtt/client';
import type { LocalBroker } from '../local/local-broker.js';
import type { Settings } from '../options/settings.js';
import type { Io } from '../program/io.js';
import { connectOptions } from './connect-options.js';
import { type Endpoint, endpointOf } from './endpoint.js';
import { connectionFailure, type FailureContext } from './failure.js';
import { withSpinner } from './spinner.js';

/** What a program adds to the options that the command line decides. */
export type ConnectionHandlers = Partial<Omit<ConnectOptions, 'connector'>>;

export interface Connection {
  readonly client: Client;
  readonly endpoint: Endpoint;
  /** Messages that this process, hosting the broker for `--local`, published to nobody (P-29). */
  reachedNobody(): number;
  /** Ends a hosted broker; the client has ended before. */
  close(): Promise<void>;
}

/**
 * Connects as the command line says; with `--local` to the broker of this machine, which this process may have to
 * host. `onTransport` is called when the transport is up, before anything of MQTT. Throws ProgramError.
 */
export async function openConnection(
  settings: Settings,
  io: Io,
  handlers: ConnectionHandlers,
  context: FailureContext,
  onTransport?: () => void,
): Promise<Connection> {
  const named = endpointOf(settings);
  let local: LocalBroker | undefined;
  if (settings.local) {
    const { joinLocalBroker } = await import('../local/local-broker.js');
    local = await joinLocalBroker(named.port);
  }
  const endpoint = local?.endpoint ?? named;
  try {
    const options = connectOptions(settings, endpoint, io);
    const connector: ConnectOptions['connector'] = async (signal) => {
      const transport = await options.connector(signal);
      onTransport?.();
      return transport;
    };
    const text = `Connecting to ${endpoint.host}:${endpoint.port}`;
    const client = await withSpinner(
      connect({ ...options, ...handlers, connector }),
      text,
      io,
      settings.quiet,
    );
    return {
      client,
      endpoint,
      reachedNobody: () => local?.reachedNobody() ?? 0,
      close: async () => local?.close(),
    };
  } catch (error) {
    await local?.close();
    throw error instanceof ClientError ? connectionFailure(error, context) : error;
  }
}
