import type { ProtocolVersion, QoS } from '@tsmqtt/protocol';
import { DEFAULT_TLS, type TlsSettings } from './tls-settings.js';

/**
 * Kinds of log lines, in the words of `log_type` (contract broker §5). `websockets` and `internal` are accepted for the
 * sake of existing configurations; nothing writes them.
 */
export type LogType =
  | 'error'
  | 'warning'
  | 'notice'
  | 'information'
  | 'debug'
  | 'subscribe'
  | 'unsubscribe'
  | 'websockets'
  | 'internal';

/** Where log lines go and what they look like: `log_dest`, `log_type`, `log_timestamp`, `log_timestamp_format`. */
export interface LogSettings {
  /** Types that are written; empty: none. */
  readonly types: readonly LogType[];
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Write lines to syslog, by the program `logger`. */
  readonly syslog: boolean;
  /** N of the facility localN of syslog, 0 to 7; undefined: daemon. */
  readonly syslogFacility: number | undefined;
  /** Publish lines below `$SYS/broker/log/`. */
  readonly topic: boolean;
  /** Path of the log file, opened for appending. */
  readonly file: string | undefined;
  /** Begin every line with the time. */
  readonly timestamp: boolean;
  /** strftime format of the time, local; undefined: seconds since 1970. */
  readonly timestampFormat: string | undefined;
}

/** Who may come in and what for: for all listeners, or with `per_listener_settings` for one (contract broker §4.6). */
export interface SecuritySettings {
  /** CONNECT without a username; undefined: allowed in local-only mode, refused otherwise (contract broker §4.1). */
  readonly allowAnonymous: boolean | undefined;
  /** Path of the password file. */
  readonly passwordFile: string | undefined;
  /** Path of the file of SCRAM-SHA-256 credentials, for MQTT 5's enhanced authentication. */
  readonly scramFile: string | undefined;
  /** Path of the ACL file: topics that clients may read and write; without one, all but `$SYS`. */
  readonly aclFile: string | undefined;
  /** Path of the file of TLS-PSK identities and keys. */
  readonly pskFile: string | undefined;
  /** Accept an empty client identifier and assign one. */
  readonly allowZeroLengthClientId: boolean;
  /** Beginning of assigned client identifiers, at most 50 characters. */
  readonly autoIdPrefix: string;
}

/** What a listener speaks. */
export type ListenerProtocol = 'mqtt' | 'websockets' | 'http_api';

/** One `listener`, or the default listener of `port` and `bind_address`. */
export interface ListenerSettings extends TlsSettings {
  /** 1 to 65535; a library caller may pass 0 for a free port. */
  readonly port: number;
  /**
   * Name or address to listen on. Undefined: all IPv4 and all IPv6 addresses, or 127.0.0.1 and ::1 where
   * `BrokerSettings.localOnly` is set; a family that the machine lacks is then left out.
   */
  readonly host: string | undefined;
  /** Path of a Unix socket, which is then all it listens at; `port` is 0. */
  readonly path: string | undefined;
  /** Name of the network interface whose addresses to listen on, those of `host` if both are given. */
  readonly bindInterface: string | undefined;
  /** The one address family to listen with; undefined: both. */
  readonly socketDomain: 'ipv4' | 'ipv6' | undefined;
  /** Its own security settings, which inherit nothing (`per_listener_settings`); undefined: the broker's. */
  readonly security: SecuritySettings | undefined;
  /** `listener_allow_anonymous`; undefined: what the security settings say. */
  readonly allowAnonymous: boolean | undefined;
  /** `listener_auto_id_prefix`, at most 50 characters; undefined: what the security settings say. */
  readonly autoIdPrefix: string | undefined;
  /** Prefix of all topics of its clients, which they do not see; no wildcards. Undefined: none. */
  readonly mountPoint: string | undefined;
  /** Open connections at a time, excess is closed unanswered; 0 or less: no limit. */
  readonly maxConnections: number;
  /** Highest QoS of a PUBLISH or will; 0 and 1 are told to MQTT 5 clients as Maximum QoS. */
  readonly maxQos: QoS;
  /** Topic aliases an MQTT 5 client may use towards the broker, 0 to 65535. */
  readonly maxTopicAlias: number;
  /** Topic aliases the broker uses towards an MQTT 5 client, 0 to 65535; the client's own limit holds too. */
  readonly maxTopicAliasBroker: number;
  /** Versions that are served; clients of others are refused. */
  readonly protocolVersions: readonly ProtocolVersion[];
  /** The username, which there has to be, replaces the client identifier. */
  readonly useUsernameAsClientId: boolean;
  readonly protocol: ListenerProtocol;
  /** What `Origin` of a WebSocket request may be, byte for byte; empty: anything. */
  readonly websocketsOrigins: readonly string[];
  /** Folder of the files that `http_api` serves beside the API; undefined: none. */
  readonly httpDir: string | undefined;
  /** Version of the PROXY header that comes first; undefined: there is none. */
  readonly proxyProtocol: 1 | 2 | undefined;
  /** Refuse clients that came to the proxy without TLS; only version 2 tells. */
  readonly proxyProtocolV2RequireTls: boolean;
}

/** What a configuration says, complete with defaults: plain data that the engine reads and never changes. */
export interface BrokerSettings extends SecuritySettings {
  /** None: the broker has no port, and clients come from this process alone. */
  readonly listeners: readonly ListenerSettings[];
  /** The configuration names no `listener`, `port` or `bind_address`: loopback only (contract broker §1.3). */
  readonly localOnly: boolean;
  /** Largest Keep Alive in seconds; MQTT 5 clients are told as Server Keep Alive. 0: no limit. */
  readonly maxKeepAlive: number;
  /** Unacknowledged QoS 1 and 2 messages at a time, to and from a client. 0: no limit, and no Receive Maximum is sent. */
  readonly maxInflightMessages: number;
  /** Payload bytes of QoS 1 and 2 messages on their way to a client; one may exceed it. 0: no limit. */
  readonly maxInflightBytes: number;
  /** Payload bytes queued for a client beyond those in flight; one message may exceed it. 0: no limit. */
  readonly maxQueuedBytes: number;
  /** False: a client of MQTT 3 gets one copy where its subscriptions overlap. */
  readonly allowDuplicateMessages: boolean;
  /** Messages queued for a client beyond those in flight. 0: no limit. */
  readonly maxQueuedMessages: number;
  /** Largest accepted packet in bytes, from 20 on, fixed header included; told to MQTT 5 clients. */
  readonly maxPacketSize: number;
  /** Largest accepted payload of a PUBLISH in bytes; 0: no limit. */
  readonly messageSizeLimit: number;
  /** False: retained messages are refused, and MQTT 5 clients are told so. */
  readonly retainAvailable: boolean;
  /** Minutes after which a retained message vanishes, or earlier if it says so itself; undefined: it stays. */
  readonly retainExpiryInterval: number | undefined;
  /** Deliver a retained message only as long as who published it may still do so. */
  readonly checkRetainSource: boolean;
  /** Keep QoS 0 messages too for persistent sessions that are offline. */
  readonly queueQos0Messages: boolean;
  /** Deliver at the QoS of the subscription even if published lower. */
  readonly upgradeOutgoingQos: boolean;
  /** Seconds after which an offline session ends whatever it asked for; undefined: never. */
  readonly persistentClientExpiration: number | undefined;
  /** Answer on `$CONTROL/broker/v1`. */
  readonly enableControlApi: boolean;
  /** Seconds between publications below `$SYS`; 0: none. */
  readonly sysInterval: number;
  /** Open connections at a time over all listeners, excess is closed unanswered; 0 or less: no limit. */
  readonly globalMaxConnections: number;
  /** Sessions at a time, those of offline clients too; a new client is then refused. 0 or less: no limit. */
  readonly globalMaxClients: number;
  /** Only client identifiers that begin with it are accepted, whoever made them; undefined: all. */
  readonly clientIdPrefix: string | undefined;
  /** Largest head of a WebSocket request in bytes, up to 65535; 0: 4096. */
  readonly packetBufferSize: number;
  /** Log connects and disconnects. */
  readonly connectionMessages: boolean;
  readonly log: LogSettings;
  /** User to become when started as root; undefined: `mosquitto`, else `nobody`. */
  readonly user: string | undefined;
  readonly pidFile: string | undefined;
}

/** Whether clients of a listener speak TLS with it, by certificates or a pre-shared key. */
export function isEncrypted({ certFile, pskHint }: ListenerSettings): boolean {
  return certFile !== undefined || pskHint !== undefined;
}

/** The listener of `listener 1883`. */
export const DEFAULT_LISTENER: ListenerSettings = {
  ...DEFAULT_TLS,
  port: 1883,
  host: undefined,
  path: undefined,
  bindInterface: undefined,
  socketDomain: undefined,
  security: undefined,
  allowAnonymous: undefined,
  autoIdPrefix: undefined,
  mountPoint: undefined,
  maxConnections: -1,
  maxQos: 2,
  maxTopicAlias: 10,
  maxTopicAliasBroker: 10,
  protocolVersions: [3, 4, 5],
  useUsernameAsClientId: false,
  protocol: 'mqtt',
  websocketsOrigins: [],
  httpDir: undefined,
  proxyProtocol: undefined,
  proxyProtocolV2RequireTls: false,
};

/** Security settings that say nothing (contract broker §3.1). */
export const DEFAULT_SECURITY: SecuritySettings = {
  allowAnonymous: undefined,
  passwordFile: undefined,
  scramFile: undefined,
  aclFile: undefined,
  pskFile: undefined,
  allowZeroLengthClientId: true,
  autoIdPrefix: 'auto-',
};

/** What holds without any configuration (contract broker §3, §1.3). */
export const DEFAULT_SETTINGS: BrokerSettings = {
  listeners: [DEFAULT_LISTENER],
  ...DEFAULT_SECURITY,
  localOnly: true,
  maxKeepAlive: 0,
  maxInflightMessages: 20,
  maxInflightBytes: 0,
  maxQueuedBytes: 0,
  allowDuplicateMessages: true,
  maxQueuedMessages: 1000,
  maxPacketSize: 2_000_000,
  messageSizeLimit: 0,
  retainAvailable: true,
  retainExpiryInterval: undefined,
  checkRetainSource: false,
  queueQos0Messages: false,
  upgradeOutgoingQos: false,
  persistentClientExpiration: undefined,
  enableControlApi: false,
  sysInterval: 10,
  globalMaxConnections: -1,
  globalMaxClients: -1,
  clientIdPrefix: undefined,
  packetBufferSize: 4096,
  connectionMessages: true,
  log: {
    types: ['error', 'warning', 'notice', 'information'],
    stdout: false,
    stderr: true,
    syslog: false,
    syslogFacility: undefined,
    topic: false,
    file: undefined,
    timestamp: true,
    timestampFormat: undefined,
  },
  user: undefined,
  pidFile: undefined,
};
