import type { Settings } from '../options/settings.js';
import { ProgramError } from '../program/program-error.js';

/** Where the broker is. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Port where none was given (cli §9.1). */
export const DEFAULT_PORT = 1883;

/** Port on which connections are encrypted without being asked to (cli §9.3). */
const TLS_PORT = 8883;

/** Where the command line says the broker is. Throws ProgramError for what cannot be connected to. */
export function endpointOf(settings: Settings): Endpoint {
  const port = settings.port ?? DEFAULT_PORT;
  // This release has no transport for a Unix socket, which is what port 0 means (cli §9.2), and none for TLS; what is
  // meant to be encrypted never goes out in plain text (P-11).
  if (port === 0 || (port === TLS_PORT && !settings.local))
    throw new ProgramError(1, 'Unable to connect (This feature is not supported).\n');
  return { host: settings.host, port };
}
