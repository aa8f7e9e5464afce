import { type Client, ClientError, type ConnectOptions, type Connector, connect, tcp } from '@tsmqtt/client';
import type { LocalBroker } from '../local/local-broker.js';
import type { Settings } from '../options/settings.js';
import { encryptionOf } from '../options/tls-checks.js';
import type { Io } from '../program/io.js';
import { connectOptions } from './connect-options.js';
import { type Endpoint, endpointName, endpointOf } from './endpoint.js';
import { connectionFailure, type FailureContext } from './failure.js';
import { keepTrying } from './keep-trying.js';
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
 * host. `onTransport` is called when the transport is up, before anything of MQTT; `onEndpoint` before there is an
 * attempt. sub tries again where others give up (cli §12.4). Throws ProgramError.
 */
export async function openConnection(
  settings: Settings,
  io: Io,
  handlers: ConnectionHandlers,
  context: FailureContext,
  onTransport?: () => void,
  onEndpoint?: (endpoint: Endpoint) => void,
): Promise<Connection> {
  const options = connectOptions(settings, io);
  const named = endpointOf(settings);
  let local: LocalBroker | undefined;
  if (settings.local) {
    const { joinLocalBroker } = await import('../local/local-broker.js');
    local = await joinLocalBroker(named.port);
  }
  const endpoint = local?.endpoint ?? named;
  onEndpoint?.(endpoint);
  try {
    const open = await connectorTo(endpoint, settings, io);
    const connector: Connector = async (signal) => {
      const transport = await open(signal);
      onTransport?.();
      return transport;
    };
    const text = `Connecting to ${endpointName(endpoint)}`;
    const client = await withSpinner(
      (context.tool === 'sub' ? keepTrying : connect)({ ...options, ...handlers, connector }),
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

/** Plain TCP is at hand; what carries MQTT otherwise is loaded where it is asked for. */
async function connectorTo(endpoint: Endpoint, settings: Settings, io: Io): Promise<Connector> {
  const { proxy, srv, webSocket, url, noDelay, bindAddress } = settings;
  const layered =
    endpoint.port === 0 ||
    proxy !== undefined ||
    srv ||
    webSocket ||
    url?.webSocket === true ||
    encryptionOf(settings) !== 'none';
  if (layered && !settings.local) {
    const { layeredConnector } = await import('./transport.js');
    return await layeredConnector(settings, endpoint, io);
  }
  return tcp({ ...endpoint, noDelay, ...(bindAddress === undefined ? {} : { bindAddress }) });
}
