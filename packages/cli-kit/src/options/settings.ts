import type { ProxyAddress } from '@tsmqtt/client';
import type { Property, PropertyPlace, ProtocolVersion, QoS, WideFilter } from '@tsmqtt/protocol';
import type { CompiledFormat } from '../format/compile-format.js';

/** The programs whose options are in the table. */
export type Tool = 'pub' | 'sub' | 'rr';

/** Where the payload of a publisher comes from: `-m`, `-n`, `-f`, `-s`, `-l`. */
export type PayloadSource =
  | { readonly from: 'argument'; readonly payload: Buffer }
  | { readonly from: 'nothing' }
  | { readonly from: 'file'; readonly path: Buffer }
  | { readonly from: 'stdin' }
  | { readonly from: 'lines' };

/** A filter to subscribe to, and how it was typed. */
export interface RequestedFilter {
  readonly argument: Buffer;
  readonly wide: WideFilter;
}

/** Where `-D` puts properties. */
export type SettablePlace = Extract<
  PropertyPlace,
  'CONNECT' | 'PUBLISH' | 'SUBSCRIBE' | 'UNSUBSCRIBE' | 'DISCONNECT' | 'WILL'
>;

/** The TLS options as typed (cli §3.5). */
export interface TlsSettings {
  caFile: Buffer | undefined;
  caDirectory: Buffer | undefined;
  osCertificates: boolean;
  certFile: Buffer | undefined;
  keyFile: Buffer | undefined;
  keyForm: Buffer | undefined;
  ciphers: Buffer | undefined;
  version: Buffer | undefined;
  insecure: boolean;
  alpn: Buffer | undefined;
  keyLogFile: Buffer | undefined;
  engine: Buffer | undefined;
  engineKeyPassword: Buffer | undefined;
  psk: Buffer | undefined;
  pskIdentity: Buffer | undefined;
  /** `--no-tls`: nothing of the above counts. */
  off: boolean;
}

/** What the command line, the options file and the environment asked for. Options write it, programs read it. */
export interface Settings {
  readonly tool: Tool;

  /** Name or address; the path of a Unix socket where `port` is 0. */
  host: string;
  port: number | undefined;
  bindAddress: string | undefined;
  noDelay: boolean;
  /** Find or become a broker on this machine (design: `--local`). */
  local: boolean;
  /** Look the broker up by SRV records. */
  srv: boolean;
  /** `--ws`; a URL may ask for it, too. */
  webSocket: boolean;
  webSocketPath: string | undefined;
  readonly webSocketHeaders: [name: string, value: string][];
  proxy: ProxyAddress | undefined;
  /** What the scheme of the last `-L` asks for. */
  url: { readonly webSocket: boolean; readonly tls: boolean } | undefined;
  readonly tls: TlsSettings;

  protocolVersion: ProtocolVersion;
  /** Keep Alive in seconds. */
  keepAlive: number;
  /** As typed: whether it is valid is only said when the connection is set up (cli §5). */
  clientId: Buffer | undefined;
  clientIdPrefix: Buffer | undefined;
  cleanStart: boolean;
  /** Session Expiry Interval in seconds; undefined where `-x` was not given. */
  sessionExpiry: number | undefined;
  username: Buffer | undefined;
  password: Buffer | undefined;
  /** File whose first line is the password (P-13). */
  passwordFile: Buffer | undefined;
  maximumInflight: number;
  /** Properties of `-D` by the packet they are for, in the order they were given. */
  readonly properties: Readonly<Record<SettablePlace, Property[]>>;
  willTopic: string | undefined;
  willPayload: Buffer | undefined;
  willQos: QoS;
  willRetain: boolean;

  qos: QoS;
  debug: boolean;
  quiet: boolean;

  /** Topic to publish to. */
  topic: string | undefined;
  /** Topic on which rr expects the response. */
  responseTopic: string | undefined;
  payloadSource: PayloadSource | undefined;
  retain: boolean;
  /** Number of publishes of the one message. */
  repeat: number;
  /** Seconds from the end of one publish to the start of the next. */
  repeatDelay: number;
  /** Seconds to keep trying after the end of input while disconnected; undefined: the default of P-24. */
  giveUp: number | undefined;

  readonly filters: RequestedFilter[];
  readonly unsubscribe: string[];
  readonly filterOut: string[];
  strictFilters: boolean;
  /** Exit after so many messages (`-C`). */
  count: number | undefined;
  /** Exit after so many seconds (`-W`). */
  timeout: number | undefined;
  exitAfterSuback: boolean;
  ignoreRetained: boolean;
  retainedOnly: boolean;
  /** Clear the retained messages that are received. */
  removeRetained: boolean;
  retainAsPublished: boolean;
  /** Retain Handling of `--retain-handling`; undefined where it was not given. */
  retainHandling: 0 | 1 | 2 | undefined;
  /** `-F`: instead of what `-v` says. */
  format: CompiledFormat | undefined;
  pretty: boolean;
  verbose: boolean;
  /** A line end after each message; `-N` says no. */
  lineEnd: boolean;
  /** Percentage of messages to print; undefined: all. */
  randomFilter: number | undefined;
  /** Print how many messages come a second, instead of them. */
  messageRate: boolean;
  /** Print each topic on a screen line of its own. */
  watch: boolean;
  /** Print how long the response took. */
  latency: boolean;
}

/** What holds where nothing was said (cli §3). */
export function defaultSettings(tool: Tool): Settings {
  return {
    tool,
    host: 'localhost',
    port: undefined,
    bindAddress: undefined,
    noDelay: false,
    local: false,
    srv: false,
    webSocket: false,
    webSocketPath: undefined,
    webSocketHeaders: [],
    proxy: undefined,
    url: undefined,
    tls: {
      caFile: undefined,
      caDirectory: undefined,
      osCertificates: false,
      certFile: undefined,
      keyFile: undefined,
      keyForm: undefined,
      ciphers: undefined,
      version: undefined,
      insecure: false,
      alpn: undefined,
      keyLogFile: undefined,
      engine: undefined,
      engineKeyPassword: undefined,
      psk: undefined,
      pskIdentity: undefined,
      off: false,
    },
    // Requests name the topic of their response in a property of MQTT 5 (cli §13).
    protocolVersion: tool === 'rr' ? 5 : 4,
    keepAlive: 60,
    clientId: undefined,
    clientIdPrefix: undefined,
    cleanStart: true,
    sessionExpiry: undefined,
    username: undefined,
    password: undefined,
    passwordFile: undefined,
    maximumInflight: 20,
    properties: { CONNECT: [], PUBLISH: [], SUBSCRIBE: [], UNSUBSCRIBE: [], DISCONNECT: [], WILL: [] },
    willTopic: undefined,
    willPayload: undefined,
    willQos: 0,
    willRetain: false,
    qos: 0,
    debug: false,
    quiet: false,
    topic: undefined,
    responseTopic: undefined,
    payloadSource: undefined,
    retain: false,
    repeat: 1,
    repeatDelay: 0,
    giveUp: undefined,
    filters: [],
    unsubscribe: [],
    filterOut: [],
    strictFilters: false,
    count: undefined,
    timeout: undefined,
    exitAfterSuback: false,
    ignoreRetained: false,
    retainedOnly: false,
    removeRetained: false,
    retainAsPublished: false,
    retainHandling: undefined,
    format: undefined,
    pretty: false,
    verbose: false,
    lineEnd: true,
    randomFilter: undefined,
    messageRate: false,
    watch: false,
    latency: false,
  };
}
