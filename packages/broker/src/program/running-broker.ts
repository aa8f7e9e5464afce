import type { Broker, BrokerOptions } from '../broker.js';

/** What the program needs of a broker. */
export type RunningBroker = Pick<Broker, 'close' | 'reload' | 'subscriptionTree'>;

/** Opens the listeners. @throws the error of the system, such as EADDRINUSE. */
export type StartBroker = (options: BrokerOptions) => Promise<RunningBroker>;
