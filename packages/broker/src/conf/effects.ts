import { isIP } from 'node:net';
import type { ProtocolVersion } from '@tsmqtt/protocol';
import type { ConfPosition } from './conf-error.js';
import type { FileContext } from './conf-reader.js';
import { type ConfValue, ConfValueError, readInteger } from './conf-value.js';
import {
  type ListenerDraft,
  type LogDestChange,
  newListener,
  type Place,
  type SettingsDraft,
} from './settings-draft.js';

/** What an effect works with. */
export interface EffectInput {
  readonly draft: SettingsDraft;
  readonly context: FileContext;
  readonly listener: ListenerDraft | undefined;
  readonly value: ConfValue;
  readonly position: ConfPosition;
}

type Effect = (input: EffectInput) => void;

/** Options that do more than set one value, by name. */
export const SPECIAL_EFFECTS: Readonly<Record<string, Effect>> = {
  listener({ draft, context, value }) {
    context.listener = newListener(readListener(String(value)));
    draft.listeners.push(context.listener);
  },
  // T-2: these two open the default listener, whatever stands above them.
  port(input) {
    openDefault(input).settings.port = Number(input.value);
  },
  bind_address(input) {
    openDefault(input).settings.host = readHost(String(input.value));
    input.draft.bindPosition = input.position;
  },
  // Once on it cannot be turned off (contract broker §3.1).
  per_listener_settings({ draft, value }) {
    if (value === true) draft.perListener = true;
  },
  accept_protocol_versions({ listener, value }) {
    listener!.settings.protocolVersions = readProtocolVersions(String(value));
  },
  plugin: (input) => addPlugin(input, 'plugin'),
  auth_plugin: (input) => addPlugin(input, 'auth_plugin'),
  global_plugin({ draft, context, value, position }) {
    context.plugin = draft.plugins.add('global_plugin', String(value), position, 'all');
  },
  plugin_load({ draft, context, value, position }) {
    context.plugin = draft.plugins.load(String(value), position);
  },
  plugin_use({ draft, context, listener, value, position }) {
    const own = draft.perListener ? listener?.security : undefined;
    context.plugin = draft.plugins.use(String(value), position, own);
  },
  log_type({ draft, value }) {
    draft.addLogType(String(value));
  },
  log_dest(input) {
    addLogDest(input);
  },
  log_facility({ draft, value }) {
    draft.log.syslogFacility = Number(value);
  },
  log_timestamp({ draft, value }) {
    draft.log.timestamp = value === true;
  },
  log_timestamp_format({ draft, value }) {
    draft.log.timestampFormat = String(value);
  },
  protocol({ listener, value }) {
    if (value !== 'mqtt' && value !== 'websockets' && value !== 'http_api') {
      throw new ConfValueError(`The 'protocol ${value}' option is not supported by tsmqtt-broker.`);
    }
    listener!.settings.protocol = value;
  },
  mount_point({ listener, value }) {
    const prefix = String(value);
    if (/[+#]/.test(prefix)) {
      throw new ConfValueError(
        `Invalid 'mount_point' value (${prefix}). Does it contain a wildcard character?`,
      );
    }
    listener!.settings.mountPoint = prefix;
  },
  enable_proxy_protocol({ listener, value }) {
    listener!.settings.proxyProtocol = value === 1 ? 1 : 2;
  },
  websockets_origin({ listener, value }) {
    const { settings } = listener!;
    settings.websocketsOrigins = [...settings.websocketsOrigins, String(value)];
  },
};

/** `PORT [HOST]` or `0 PATH`, up to a word that begins with `#` (contract broker §2.1). */
function readListener(value: string): Place {
  const words = value.split(' ').filter((word) => word !== '');
  const comment = words.findIndex((word) => word.startsWith('#'));
  const [portWord, ...rest] = comment === -1 ? words : words.slice(0, comment);
  if (portWord === undefined) throw new ConfValueError("Empty 'listener port' value in configuration.");
  const port = readInteger('listener port', portWord);
  if (port < 0 || port > 65535) throw new ConfValueError(`Invalid 'port' value (${port}).`);
  if (port === 0) {
    if (rest.length === 0)
      throw new ConfValueError('A listener with port 0 must provide a Unix socket path.');
    return { port, host: undefined, path: rest.join(' ') };
  }
  return { port, host: rest[0] === undefined ? undefined : readHost(rest[0]), path: undefined };
}

// Brackets are how URLs write IPv6 addresses; sockets want them without.
function readHost(host: string): string {
  const inner = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  return isIP(inner) === 6 ? inner : host;
}

function addPlugin({ draft, context, listener, value, position }: EffectInput, option: string): void {
  // With per_listener_settings there is a listener, otherwise none.
  context.plugin = draft.plugins.add(option, String(value), position, listener?.security ?? draft.broker);
}

function openDefault({ draft, context }: EffectInput): ListenerDraft {
  draft.defaultListener ??= newListener();
  draft.opensDefault = true;
  context.listener ??= draft.defaultListener;
  return draft.defaultListener;
}

function addLogDest({ draft, value, position }: EffectInput): void {
  draft.addLogDest(readLogDest(String(value), draft.log.file !== undefined));
  draft.syslogPosition = draft.log.syslog ? (draft.syslogPosition ?? position) : undefined;
}

function readLogDest(value: string, hasFile: boolean): LogDestChange {
  const [word, ...rest] = value.split(' ');
  switch (word) {
    case 'none':
      return 'none';
    case 'stdout':
    case 'stderr':
    case 'syslog':
    case 'topic':
      return { [word]: true };
    case 'file': {
      const file = rest.join(' ').trimStart();
      if (file === '') throw new ConfValueError('Empty "log_dest file" value in configuration.');
      if (hasFile) throw new ConfValueError('Duplicate "log_dest file" value.');
      return { file };
    }
    case 'dlt':
    case 'android':
      throw new ConfValueError(`The 'log_dest ${word}' option is not supported by tsmqtt-broker.`);
    default:
      throw new ConfValueError(`Invalid 'log_dest' value (${value}).`);
  }
}

/** Words that are no version are ignored (contract broker §3.2); a list of nothing else would let nobody in. */
function readProtocolVersions(value: string): readonly ProtocolVersion[] {
  const words = value.split(/[ ,]+/);
  const versions = ([3, 4, 5] as const).filter((version) => words.includes(String(version)));
  if (versions.length === 0) throw new ConfValueError(`Invalid 'accept_protocol_versions' value (${value}).`);
  return versions;
}
