import { type BrokerSettings, isEncrypted, type ListenerSettings } from '../settings.js';
import type { ControlEndpoint } from './control-topics.js';

/** Where it is served with `enable_control_api true`. */
export const BROKER_CONTROL_TOPIC = '$CONTROL/broker/v1';

type Answer =
  | { readonly command: string; readonly data: object; readonly correlationData?: string }
  | { readonly command?: string; readonly error: string; readonly correlationData?: string };

/** What each command gives as `data`. Their names compare case-insensitively. */
const COMMANDS: readonly { readonly name: string; readonly data: (settings: BrokerSettings) => object }[] = [
  { name: 'listListeners', data: ({ listeners }) => ({ listeners: listeners.map(describe) }) },
  // There are none.
  { name: 'listPlugins', data: () => ({ plugins: [] }) },
];

function describe(listener: ListenerSettings): object {
  const { port, host, path, protocol } = listener;
  return {
    port,
    protocol: protocol === 'websockets' ? 'mqtt+websockets' : protocol,
    ...(host !== undefined && { 'bind-address': host }),
    ...(path !== undefined && { 'socket-path': path }),
    tls: isEncrypted(listener),
  };
}

/** `$CONTROL/broker/v1`: what this broker says about itself (broker §10.6). @param settings Those in force now. */
export function brokerEndpoint(settings: () => BrokerSettings): ControlEndpoint {
  return (payload) => {
    const commands = readCommands(payload);
    const responses =
      typeof commands === 'string'
        ? [{ error: commands }]
        : commands.map((command) => respond(command, settings()));
    return JSON.stringify({ responses });
  };
}

/** Bounds of a request, in bytes and commands: the response is many times as long, and must be a packet. */
const LARGEST_REQUEST = 1_048_576;
const MOST_COMMANDS = 1000;
const INVALID_COMMANDS = 'Invalid/missing commands';

/** The commands of a request, or the text of the error. */
function readCommands(payload: Buffer): readonly unknown[] | string {
  if (payload.length > LARGEST_REQUEST) return INVALID_COMMANDS;
  let request: unknown;
  try {
    request = JSON.parse(payload.toString());
  } catch {
    return 'Payload not valid JSON';
  }
  const commands = isObject(request) ? request.commands : undefined;
  return Array.isArray(commands) && commands.length <= MOST_COMMANDS ? commands : INVALID_COMMANDS;
}

function respond(request: unknown, settings: BrokerSettings): Answer {
  if (!isObject(request)) return { error: 'Command not an object' };
  const { command, correlationData } = request;
  if (typeof command !== 'string') return { error: 'Missing command' };
  if (correlationData !== undefined && typeof correlationData !== 'string') {
    return { command, error: 'Invalid correlationData data type.' };
  }
  const known = COMMANDS.find(({ name }) => name.toLowerCase() === command.toLowerCase());
  const result = known === undefined ? { error: 'Unknown command' } : { data: known.data(settings) };
  return { command, ...result, ...(correlationData !== undefined && { correlationData }) };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
