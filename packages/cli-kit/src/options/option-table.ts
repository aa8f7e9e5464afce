import { compileFormat } from '../format/compile-format.js';
import { argumentError } from './argument-error.js';
import { expiryValue, floatValue, integerValue } from './number-value.js';
import type { OptionRow } from './option-row.js';
import type { PayloadSource, Settings, Tool } from './settings.js';
import { topicFilter, topicName, wideFilter } from './topic-value.js';
import { TLS_OPTIONS, TRANSPORT_OPTIONS } from './transport-options.js';

const ALL: readonly Tool[] = ['pub', 'sub', 'rr'];
const PUB: readonly Tool[] = ['pub'];
const SUB: readonly Tool[] = ['sub'];
const RR: readonly Tool[] = ['rr'];
/** Those that publish what the command line says. */
const PUBLISHERS: readonly Tool[] = ['pub', 'rr'];
/** Those that print messages. */
const RECEIVERS: readonly Tool[] = ['sub', 'rr'];

/** Largest value of a number that has no bound of its own: what a C `int` holds. */
const MAXIMUM_INT = 0x7fffffff;

const PROTOCOL_VERSIONS = { '31': 3, mqttv31: 3, '311': 4, mqttv311: 4, '5': 5, mqttv5: 5 } as const;
const RETAIN_HANDLINGS = { always: 0, new: 1, never: 2 } as const;

/** `-m -n -f -s -l`: one of them, once (cli §2.5). */
function onePayload(settings: Settings): void {
  if (settings.payloadSource !== undefined) {
    throw argumentError`Error: Only one type of message can be sent at once.\n\n`;
  }
}

function oneClientId(other: 'clientId' | 'clientIdPrefix'): (settings: Settings) => void {
  return (settings) => {
    if (settings[other] !== undefined) {
      throw argumentError`Error: -i and -I argument cannot be used together.\n\n`;
    }
  };
}

function payload(source: PayloadSource): (settings: Settings) => void {
  return (settings) => {
    settings.payloadSource = source;
  };
}

/** The one of `choices` that was typed. */
function choice<V>(choices: Readonly<Record<string, V>>, value: Buffer): V | undefined {
  const text = value.toString('latin1');
  return Object.hasOwn(choices, text) ? choices[text] : undefined;
}

function qos(value: Buffer): 0 | 1 | 2 | undefined {
  return integerValue(value, 0, 2) as 0 | 1 | 2 | undefined;
}

/** Longest payload there is: the Remaining Length's limit as the reference counts it (cli §3.3). */
export const MAXIMUM_PAYLOAD = 268_435_455;

/** Every option of the programs (cli §3). The only list: parser, help, completion, reference and errors derive from it. */
export const OPTIONS: readonly OptionRow[] = [
  {
    names: ['-h', '--host'],
    tools: ALL,
    group: 'Connection',
    value: { placeholder: 'HOST', noun: 'host' },
    help: 'Broker to connect to: name or address.',
    initially: 'localhost',
    apply: (settings, value) => {
      settings.host = value.toString();
      settings.local = false;
    },
  },
  {
    names: ['-p', '--port'],
    tools: ALL,
    group: 'Connection',
    value: { placeholder: 'PORT', noun: 'port' },
    help: 'Port of the broker; 0 stands for the Unix socket that -h names.',
    initially: '1883; 8883 with --cafile, --capath or --psk',
    apply: (settings, value) => {
      const port = integerValue(value, 0, 65535);
      if (port === undefined) throw argumentError`Error: Invalid port given: ${value}\n`;
      settings.port = port;
    },
  },
  {
    names: ['--local'],
    tools: ALL,
    group: 'Connection',
    help: 'Use the broker on this machine, and be that broker (127.0.0.1 only) where there is none. A later -h overrides it.',
    apply: (settings) => {
      settings.local = true;
    },
  },
  {
    names: ['-A'],
    tools: ALL,
    group: 'Connection',
    value: { placeholder: 'ADDRESS', noun: 'address' },
    help: 'Local address to connect from.',
    apply: (settings, value) => {
      settings.bindAddress = value.toString();
    },
  },
  {
    names: ['-k', '--keepalive'],
    tools: ALL,
    group: 'Connection',
    value: { placeholder: 'SECONDS', noun: 'keepalive' },
    help: 'Keep alive: longest silence before the connection is tested, 5 to 65535.',
    initially: '60',
    apply: (settings, value) => {
      const seconds = integerValue(value, 5, 65535);
      if (seconds === undefined) {
        throw argumentError`Error: Invalid keepalive given, it must be between 5 and 65535 inclusive.\n\n`;
      }
      settings.keepAlive = seconds;
    },
  },
  {
    names: ['--nodelay'],
    tools: ALL,
    group: 'Connection',
    help: 'Send small packets at once (TCP_NODELAY).',
    apply: (settings) => {
      settings.noDelay = true;
    },
  },
  {
    names: ['-u', '--username'],
    tools: ALL,
    group: 'Connection',
    value: { placeholder: 'NAME', noun: 'username' },
    help: 'User name. The environment variable TSMQTT_USERNAME stands in for it.',
    apply: (settings, value) => {
      settings.username = value;
    },
  },
  {
    names: ['-P', '--pw'],
    tools: ALL,
    group: 'Connection',
    value: { placeholder: 'PASSWORD', noun: 'password' },
    help: 'Password, for everybody on this machine to see; TSMQTT_PASSWORD and --pw-file are not.',
    apply: (settings, value) => {
      settings.password = value;
      settings.passwordFile = undefined;
    },
  },
  {
    names: ['--pw-file'],
    tools: ALL,
    group: 'Connection',
    value: { placeholder: 'FILE', noun: 'password file' },
    help: 'File whose first line is the password.',
    apply: (settings, value) => {
      settings.passwordFile = value;
      settings.password = undefined;
    },
  },
  ...TRANSPORT_OPTIONS,
  ...TLS_OPTIONS,
  {
    names: ['-o'],
    tools: ALL,
    group: 'General',
    value: { placeholder: 'FILE', noun: 'options file' },
    help: 'Read options from this file first, one a line, instead of from the default file.',
    // Found by a scan of the whole command line before parsing starts (cli §2.8); here it is only stepped over.
    apply: () => {},
  },
  {
    names: ['-V', '--protocol-version'],
    tools: ALL,
    group: 'MQTT session',
    value: {
      placeholder: 'VERSION',
      noun: 'version',
      spelling: '--protocol-version',
      choices: Object.keys(PROTOCOL_VERSIONS),
    },
    help: 'MQTT version: 5, 311 or 31.',
    initially: '311; rr: 5',
    apply: (settings, value) => {
      const version = choice(PROTOCOL_VERSIONS, value);
      if (version === undefined) throw argumentError`Error: Invalid protocol version argument given.\n\n`;
      settings.protocolVersion = version;
    },
  },
  {
    names: ['-i', '--id'],
    tools: ALL,
    group: 'MQTT session',
    value: { placeholder: 'ID', noun: 'id' },
    help: 'Client identifier. Without it the broker chooses one.',
    guard: oneClientId('clientIdPrefix'),
    apply: (settings, value) => {
      settings.clientId = value;
    },
  },
  {
    names: ['-I', '--id-prefix'],
    tools: ALL,
    group: 'MQTT session',
    value: { placeholder: 'PREFIX', noun: 'id prefix' },
    help: 'Client identifier from this prefix and the process id.',
    guard: oneClientId('clientId'),
    apply: (settings, value) => {
      settings.clientIdPrefix = value;
    },
  },
  {
    names: ['-c', '--disable-clean-session'],
    tools: ALL,
    group: 'MQTT session',
    help: 'Keep the session: the broker queues messages while this client is away. Needs -i.',
    apply: (settings) => {
      settings.cleanStart = false;
    },
  },
  {
    names: ['-x'],
    tools: ALL,
    group: 'MQTT session',
    value: { placeholder: 'SECONDS', noun: 'session expiry interval' },
    help: 'How long the broker keeps the session after the end; -1 is for ever. Switches to MQTT 5.',
    apply: (settings, value) => {
      const expiry = expiryValue(value);
      if (typeof expiry === 'string') throw argumentError`Error: session-expiry-interval ${expiry}.\n\n`;
      settings.sessionExpiry = expiry;
      settings.protocolVersion = 5;
    },
  },
  {
    names: ['-M'],
    tools: ALL,
    group: 'MQTT session',
    value: { placeholder: 'COUNT', noun: 'max_inflight', missing: 'max_inflight not' },
    help: 'Messages at QoS 1 and 2 that may be on their way at once.',
    initially: '20',
    apply: (settings, value) => {
      const count = integerValue(value, 1, 65535);
      if (count === undefined) {
        throw argumentError`Error: Maximum inflight messages must be greater than 0.\n\n`;
      }
      settings.maximumInflight = count;
    },
  },
  {
    names: ['--will-topic'],
    tools: ALL,
    group: 'Will',
    value: { placeholder: 'TOPIC', noun: 'will topic' },
    help: 'Topic to which the broker publishes when this client goes without saying so.',
    apply: (settings, value) => {
      settings.willTopic = topicName(value, '--will-topic', 'will');
    },
  },
  {
    names: ['--will-payload'],
    tools: ALL,
    group: 'Will',
    value: { placeholder: 'TEXT', noun: 'will payload' },
    help: 'What it publishes there.',
    initially: 'an empty message',
    apply: (settings, value) => {
      settings.willPayload = value;
    },
  },
  {
    names: ['--will-qos'],
    tools: ALL,
    group: 'Will',
    value: { placeholder: 'QOS', noun: 'will QoS', choices: ['0', '1', '2'] },
    help: 'At which QoS.',
    initially: '0',
    apply: (settings, value) => {
      const level = qos(value);
      if (level === undefined) throw argumentError`Error: Invalid will QoS ${value}.\n\n`;
      settings.willQos = level;
    },
  },
  {
    names: ['--will-retain'],
    tools: ALL,
    group: 'Will',
    help: 'The broker keeps the will for later subscribers.',
    apply: (settings) => {
      settings.willRetain = true;
    },
  },
  {
    names: ['-t', '--topic'],
    tools: PUBLISHERS,
    group: 'Publishing',
    value: { placeholder: 'TOPIC', noun: 'topic' },
    help: 'Topic to publish to.',
    apply: (settings, value) => {
      settings.topic = topicName(value, '-t', 'publish');
    },
  },
  {
    names: ['-t', '--topic'],
    tools: SUB,
    group: 'Subscribing',
    value: { placeholder: 'FILTER', noun: 'topic' },
    repeatable: SUB,
    help: 'Topic to subscribe to; + stands for one level, # for any number of them.',
    apply: (settings, value) => {
      settings.filters.push({ argument: value, wide: wideFilter(value, '-t', 'subscription') });
    },
  },
  {
    names: ['-m', '--message'],
    tools: PUBLISHERS,
    group: 'Publishing',
    value: { placeholder: 'TEXT', noun: 'message' },
    help: 'Publish this text.',
    guard: onePayload,
    apply: (settings, value) => {
      if (value.length > MAXIMUM_PAYLOAD) {
        throw argumentError`Error: Message length must be less than ${MAXIMUM_PAYLOAD} bytes.\n\n`;
      }
      settings.payloadSource = { from: 'argument', payload: value };
    },
  },
  {
    names: ['-f', '--file'],
    tools: PUBLISHERS,
    group: 'Publishing',
    value: { placeholder: 'FILE', noun: 'file' },
    help: 'Publish the content of this file as one message.',
    guard: onePayload,
    apply: (settings, value) => {
      settings.payloadSource = { from: 'file', path: value };
    },
  },
  {
    names: ['-l', '--stdin-line'],
    tools: PUB,
    group: 'Publishing',
    help: 'Publish every line of standard input as a message.',
    guard: onePayload,
    apply: payload({ from: 'lines' }),
  },
  {
    names: ['-s', '--stdin-file'],
    tools: PUBLISHERS,
    group: 'Publishing',
    help: 'Publish the whole of standard input as one message.',
    guard: onePayload,
    apply: payload({ from: 'stdin' }),
  },
  {
    names: ['-n', '--null-message'],
    tools: PUBLISHERS,
    group: 'Publishing',
    help: 'Publish an empty message; with -r that clears a retained one.',
    guard: onePayload,
    apply: payload({ from: 'nothing' }),
  },
  {
    names: ['-q', '--qos'],
    tools: ALL,
    group: 'MQTT session',
    value: { placeholder: 'QOS', noun: 'QoS', choices: ['0', '1', '2'] },
    help: 'Quality of service: 0 at most once, 1 at least once, 2 exactly once.',
    initially: '0',
    apply: (settings, value) => {
      const level = qos(value);
      if (level === undefined) throw argumentError`Error: Invalid QoS given: ${value}\n`;
      settings.qos = level;
    },
  },
  {
    names: ['-e'],
    tools: RR,
    group: 'Publishing',
    value: { placeholder: 'TOPIC', noun: 'response topic' },
    help: 'Topic on which the response is expected.',
    apply: (settings, value) => {
      settings.responseTopic = topicName(value, '-e', 'response');
    },
  },
  {
    names: ['-r', '--retain'],
    tools: PUB,
    group: 'Publishing',
    help: 'The broker keeps the message for later subscribers.',
    apply: (settings) => {
      settings.retain = true;
    },
  },
  {
    names: ['--repeat'],
    tools: PUB,
    group: 'Publishing',
    value: { placeholder: 'COUNT', noun: 'count' },
    help: 'Publish the message so many times (not with -l).',
    initially: '1',
    apply: (settings, value) => {
      const count = integerValue(value, 1, MAXIMUM_INT);
      if (count === undefined) throw argumentError`Error: --repeat argument must be >0.\n\n`;
      settings.repeat = count;
    },
  },
  {
    names: ['--repeat-delay'],
    tools: PUB,
    group: 'Publishing',
    value: { placeholder: 'SECONDS', noun: 'time' },
    help: 'Wait between two of them; a decimal number.',
    initially: '0',
    apply: (settings, value) => {
      const seconds = floatValue(value);
      if (seconds < 0) throw argumentError`Error: --repeat-delay argument must be >=0.0.\n\n`;
      settings.repeatDelay = seconds;
    },
  },
  {
    names: ['--give-up'],
    tools: PUB,
    group: 'Publishing',
    value: { placeholder: 'SECONDS', noun: 'time' },
    help: 'With -l: how long to try to reconnect after the last line while nothing more gets through.',
    initially: '30 at QoS 0, for ever at QoS 1 and 2',
    apply: (settings, value) => {
      const seconds = integerValue(value, 0, MAXIMUM_INT);
      if (seconds === undefined) throw argumentError`Error: Invalid time "${value}" for --give-up.\n\n`;
      settings.giveUp = seconds;
    },
  },
  {
    names: ['-U', '--unsubscribe'],
    tools: SUB,
    group: 'Subscribing',
    value: { placeholder: 'FILTER', noun: 'unsubscribe topic' },
    repeatable: SUB,
    help: 'Topic to unsubscribe from.',
    apply: (settings, value) => {
      settings.unsubscribe.push(topicFilter(value, '-U', 'unsubscribe'));
    },
  },
  {
    names: ['-T', '--filter-out'],
    tools: SUB,
    group: 'Subscribing',
    value: { placeholder: 'FILTER', noun: 'topic filter' },
    repeatable: SUB,
    help: 'Leave out messages whose topic matches.',
    apply: (settings, value) => {
      settings.filterOut.push(topicFilter(value, '-T', 'filter'));
    },
  },
  {
    names: ['--strict-filters'],
    tools: SUB,
    group: 'Subscribing',
    help: 'Refuse filters that have # before their last level, as Mosquitto does.',
    apply: (settings) => {
      settings.strictFilters = true;
    },
  },
  {
    names: ['-C'],
    tools: SUB,
    group: 'Subscribing',
    value: { placeholder: 'COUNT', noun: 'count' },
    help: 'End after so many messages.',
    apply: (settings, value) => {
      const count = integerValue(value, 1, MAXIMUM_INT);
      if (count === undefined) throw argumentError`Error: Invalid message count "${value}".\n\n`;
      settings.count = count;
    },
  },
  {
    names: ['-W'],
    tools: RECEIVERS,
    group: 'Subscribing',
    value: { placeholder: 'SECONDS', noun: 'timeout' },
    help: 'End after so many seconds, with exit code 27.',
    apply: (settings, value) => {
      const seconds = integerValue(value, 1, MAXIMUM_INT);
      if (seconds === undefined) throw argumentError`Error: Invalid timeout "${value}".\n\n`;
      settings.timeout = seconds;
    },
  },
  {
    names: ['-E'],
    tools: SUB,
    group: 'Subscribing',
    help: 'End as soon as the broker has confirmed the subscriptions.',
    apply: (settings) => {
      settings.exitAfterSuback = true;
    },
  },
  {
    names: ['-R'],
    tools: RECEIVERS,
    group: 'Subscribing',
    help: 'Leave out retained messages.',
    apply: (settings) => {
      settings.ignoreRetained = true;
      settings.retainHandling = RETAIN_HANDLINGS.never;
    },
  },
  {
    names: ['--retained-only'],
    tools: SUB,
    group: 'Subscribing',
    help: 'End at the first message that is not a retained one.',
    apply: (settings) => {
      settings.retainedOnly = true;
    },
  },
  {
    names: ['--remove-retained'],
    tools: SUB,
    group: 'Subscribing',
    help: 'Clear every retained message that is received, in the broker, once it is printed. -R and -T spare theirs.',
    apply: (settings) => {
      settings.removeRetained = true;
    },
  },
  {
    names: ['--retain-as-published'],
    tools: RECEIVERS,
    group: 'Subscribing',
    help: 'Messages keep the retain flag they were published with (MQTT 5).',
    apply: (settings) => {
      settings.retainAsPublished = true;
    },
  },
  {
    names: ['--retain-handling'],
    tools: RECEIVERS,
    group: 'Subscribing',
    value: { placeholder: 'WHEN', noun: 'option', choices: Object.keys(RETAIN_HANDLINGS) },
    help: 'When retained messages are wanted: always, new (with a new subscription only), never (MQTT 5).',
    initially: 'always',
    apply: (settings, value) => {
      const handling = choice(RETAIN_HANDLINGS, value);
      if (handling === undefined) {
        throw argumentError`Error: Unknown value '${value}' for --retain-handling.\n\n`;
      }
      settings.retainHandling = handling;
    },
  },
  {
    names: ['-F'],
    tools: RECEIVERS,
    group: 'Output',
    value: { placeholder: 'FORMAT', noun: 'format' },
    help: 'Print each message as this says, such as %t %p or %j.',
    apply: (settings, value) => {
      settings.format = compileFormat(value);
    },
  },
  {
    names: ['--pretty'],
    tools: RECEIVERS,
    group: 'Output',
    help: 'Lay the JSON of %j and %J out in lines.',
    apply: (settings) => {
      settings.pretty = true;
    },
  },
  {
    names: ['-v', '--verbose'],
    tools: RECEIVERS,
    group: 'Output',
    help: 'Print the topic before each message.',
    apply: (settings) => {
      settings.verbose = true;
    },
  },
  {
    names: ['-N'],
    tools: RECEIVERS,
    group: 'Output',
    help: 'No line end after each message.',
    apply: (settings) => {
      settings.lineEnd = false;
    },
  },
  {
    names: ['--random-filter'],
    tools: SUB,
    group: 'Output',
    value: { placeholder: 'PERCENT', noun: 'chance' },
    help: 'Print only about so many of 100 messages, 0.1 to 100.',
    apply: (settings, value) => {
      const percent = floatValue(value);
      if (!(percent >= 0.1 && percent <= 100)) {
        throw argumentError`Error: --random-filter chance must be between 0.1-100.0\n\n`;
      }
      settings.randomFilter = percent;
    },
  },
  {
    names: ['--message-rate'],
    tools: SUB,
    group: 'Output',
    help: 'Print no messages, only how many come: one line a second. All count, and nothing else is done with them.',
    apply: (settings) => {
      settings.messageRate = true;
    },
  },
  {
    names: ['-w', '--watch'],
    tools: SUB,
    group: 'Output',
    help: 'Print each topic on a line of its own on the screen, newest message only (not with --message-rate).',
    apply: (settings) => {
      settings.watch = true;
    },
  },
  {
    names: ['--latency'],
    tools: RR,
    group: 'Output',
    help: 'Print how long the response took, behind it. Implies --nodelay.',
    apply: (settings) => {
      settings.latency = true;
      settings.noDelay = true;
    },
  },
  {
    names: ['-d', '--debug'],
    tools: ALL,
    group: 'General',
    help: 'Print every packet, on standard output.',
    apply: (settings) => {
      settings.debug = true;
    },
  },
  {
    names: ['--quiet'],
    tools: ALL,
    group: 'General',
    help: 'No errors and warnings while running.',
    apply: (settings) => {
      settings.quiet = true;
    },
  },
  {
    names: ['--help'],
    tools: ALL,
    group: 'General',
    help: 'Print this and exit.',
    apply: () => {},
    answers: 'help',
  },
  {
    names: ['--version'],
    tools: ALL,
    group: 'General',
    help: 'Print the version and exit.',
    apply: () => {},
    answers: 'version',
  },
  {
    names: ['--completion'],
    tools: ALL,
    group: 'General',
    help: 'Print a completion script for bash or zsh and exit.',
    apply: () => {},
    answers: 'completion',
  },
];
