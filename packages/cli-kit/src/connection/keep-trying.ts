import { type Client, ClientError, type ClientErrorCode, type ConnectOptions, connect } from '@tsmqtt/client';
import { delay } from '../program/timer.js';
import { reconnectDelay } from './reconnect.js';

/** What the very first attempt may end with without being the last (cli §9.3, §9.5, §12.4). */
const LOST: ReadonlySet<ClientErrorCode> = new Set(['connection-lost', 'keep-alive', 'proxy-unreachable']);

/** The same for a later one: whoever was there may be gone for a while. */
const GONE: ReadonlySet<ClientErrorCode> = new Set([
  ...LOST,
  'connect-failed',
  'lookup-failed',
  'tls-interrupted',
  'server-disconnect',
]);

/**
 * Connects, and does so again where the connection was there and ended before CONNACK. The handlers for a lost and a
 * regained connection are called for that, too.
 */
export async function keepTrying(options: ConnectOptions): Promise<Client> {
  for (let attempt = 1; ; attempt++) {
    try {
      const client = await connect(options);
      if (attempt > 1) options.onReconnected?.(client.connack);
      return client;
    } catch (error) {
      const transient = attempt === 1 ? LOST : GONE;
      if (!(error instanceof ClientError && transient.has(error.code)) || options.signal?.aborted)
        throw error;
      options.onConnectionLost?.(error);
      await delay(reconnectDelay(attempt), options.signal);
    }
  }
}
