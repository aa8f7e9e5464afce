import type { PasswordVerifier } from '@tsmqtt/credentials';
import type { Log } from '../log/log.js';
import type { BrokerSettings } from '../settings.js';

/** What the program starts and reloads the broker with. */
export interface StartOptions extends Omit<BrokerSettings, 'log'> {
  readonly log: Log;
  /** The users of `passwordFile`, which the program has read; absent: there is no password file. */
  readonly verifier?: PasswordVerifier;
}

/** What the program needs of a broker. */
export interface RunningBroker {
  /** Publishes pending wills, closes clients and listeners. */
  close(): Promise<void>;
  /** Goes over to other settings with the same listeners, and verifies the connected clients again. */
  reload(options: StartOptions): Promise<void>;
}

/** Opens the listeners. @throws the error of the system, such as EADDRINUSE. */
export type StartBroker = (options: StartOptions) => Promise<RunningBroker>;
