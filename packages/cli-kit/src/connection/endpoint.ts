import type { Settings } from '../options/settings.js';
import { ProgramError } from '../program/program-error.js';

/** Where the broker is. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Port where none was given (cli §9.1). */
export const DEFAULT_PORT = 1883;

/** Where the command line says the broker is. Throws ProgramError for what cannot be connected to. */
export function endpointOf(settings: Settings): Endpoint {
  const port = settings.port ?? DEFAULT_PORT;
  // Port 0 means a Unix socket (cli §9.2), which this release has no transport for.
  if (port === 0) throw new ProgramError(1, 'Unable to connect (This feature is not supported).\n');
  return { host: settings.host, port };
}
