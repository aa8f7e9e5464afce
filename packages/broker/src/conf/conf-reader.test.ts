import { describe, expect, it } from 'vitest';
import {
  type BrokerSettings,
  DEFAULT_LISTENER,
  DEFAULT_SECURITY,
  DEFAULT_SETTINGS,
  type ListenerSettings,
  type SecuritySettings,
} from '../settings.js';
import { ConfError } from './conf-error.js';
import { type Conf, ConfReader } from './conf-reader.js';
import { CONF_OPTIONS } from './option-table.js';

type Files = Readonly<Record<string, string | Buffer>>;

/** Reads configurations from memory: `DIR/NAME` are the entries of DIR. */
function readFiles(files: Files, main = ['main.conf'], ports: readonly number[] = []) {
  const said: string[] = [];
  const reader = new ConfReader(
    {
      readFile(path) {
        const content = files[path];
        if (content === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
        if (content === 'DIRECTORY') throw Object.assign(new Error('is a directory'), { code: 'EISDIR' });
        return Buffer.from(content);
      },
      readDir(path) {
        const entries = Object.keys(files).filter((name) => name.startsWith(`${path}/`));
        if (entries.length === 0) throw Object.assign(new Error('no such folder'), { code: 'ENOENT' });
        return entries.map((name) => name.slice(path.length + 1));
      },
    },
    (type, text) => said.push(`${type}: ${text}`),
  );
  const finish = (): Conf => {
    for (const path of main) reader.read(path);
    return reader.finish(ports);
  };
  return { finish, said };
}

function settingsOf(text: string | Buffer): BrokerSettings {
  return readFiles({ 'main.conf': text }).finish().settings;
}

function errorOf(files: Files): ConfError {
  try {
    readFiles(files).finish();
  } catch (error) {
    expect(error).toBeInstanceOf(ConfError);
    return error as ConfError;
  }
  return expect.fail('read without an error');
}

describe('what lines set', () => {
  it('nothing: the defaults', () => {
    expect(settingsOf('')).toEqual(DEFAULT_SETTINGS);
    expect(settingsOf('# comment\n\n   \r\n#listener 1\n')).toEqual(DEFAULT_SETTINGS);
  });

  // biome-ignore format: one row a line
  const cases: readonly (readonly [text: string, changed: Partial<BrokerSettings>])[] = [
    ['allow_anonymous true', { allowAnonymous: true }],
    ['allow_anonymous 0', { allowAnonymous: false }],
    ['allow_anonymous true\nallow_anonymous false', { allowAnonymous: false }],
    ['allow_anonymous true whatever', { allowAnonymous: true }],
    ['  allow_anonymous   true  \r', { allowAnonymous: true }],
    ['allow_zero_length_clientid false', { allowZeroLengthClientId: false }],
    ['auto_id_prefix x # y', { autoIdPrefix: 'x # y' }],
    ['connection_messages false', { connectionMessages: false }],
    ['enable_control_api true', { enableControlApi: true }],
    ['allow_duplicate_messages false', { allowDuplicateMessages: false }],
    ['max_inflight_bytes 5000', { maxInflightBytes: 5000 }],
    ['max_queued_bytes 0x100', { maxQueuedBytes: 256 }],
    ['max_inflight_messages 100', { maxInflightMessages: 100 }],
    ['max_inflight_messages 0', { maxInflightMessages: 0 }],
    ['max_inflight_messages -1', { maxInflightMessages: 0 }],
    ['max_inflight_messages 65535', { maxInflightMessages: 0 }],
    ['max_inflight_messages 65534', { maxInflightMessages: 65534 }],
    ['max_keepalive 60', { maxKeepAlive: 60 }],
    ['max_packet_size 20', { maxPacketSize: 20 }],
    ['max_queued_messages 010', { maxQueuedMessages: 8 }],
    ['max_queued_messages -5', { maxQueuedMessages: 0 }],
    ['message_size_limit 268435455', { messageSizeLimit: 268435455 }],
    ['password_file /a b\npassword_file c d', { passwordFile: 'c d' }],
    ['persistence false', {}],
    ['persistence_location /var/lib/mosquitto/', {}],
    ['persistent_client_expiration 2h', { persistentClientExpiration: 7200 }],
    ['pid_file  /run/x.pid  ', { pidFile: '/run/x.pid' }],
    ['queue_qos0_messages 1', { queueQos0Messages: true }],
    ['retain_available false', { retainAvailable: false }],
    ['retain_expiry_interval 90', { retainExpiryInterval: 90 }],
    ['retain_expiry_interval 10000001', { retainExpiryInterval: 10_000_000 }],
    ['upgrade_outgoing_qos true', { upgradeOutgoingQos: true }],
    ['user alice', { user: 'alice' }],
  ];
  it.each(cases)('%j', (text, changed) => {
    expect(settingsOf(text)).toEqual({ ...DEFAULT_SETTINGS, ...changed });
  });

  // biome-ignore format: one row a line
  const logs: readonly (readonly [text: string, changed: Partial<BrokerSettings['log']>])[] = [
    ['log_dest stdout', { stdout: true, stderr: false }],
    ['log_dest stdout\nlog_dest stderr', { stdout: true }],
    ['log_dest topic', { topic: true, stderr: false }],
    ['log_dest syslog\nlog_facility 5', { syslog: true, syslogFacility: 5, stderr: false }],
    ['log_dest syslog\nlog_dest none', { stderr: false }],
    ['log_dest file /var/log/a b.log', { file: '/var/log/a b.log', stderr: false }],
    ['log_dest stdout\nlog_dest none', { stderr: false }],
    ['log_dest none\nlog_dest stderr', {}],
    ['log_type debug', { types: ['debug'] }],
    ['log_type error warning', { types: ['error'] }], // T-39
    ['log_type error\nlog_type error\nlog_type debug', { types: ['error', 'debug'] }],
    ['log_type error\nlog_type none', { types: [] }],
    ['log_type none\nlog_type debug', { types: ['debug'] }],
    ['log_type debug\nlog_type all', { types: ['error', 'warning', 'notice', 'information', 'debug', 'subscribe', 'unsubscribe', 'websockets', 'internal'] }],
    ['log_timestamp false', { timestamp: false }],
    ['log_timestamp_format %Y-%m-%dT%H:%M:%S', { timestampFormat: '%Y-%m-%dT%H:%M:%S' }],
  ];
  it.each(logs)('%j', (text, changed) => {
    expect(settingsOf(text).log).toEqual({ ...DEFAULT_SETTINGS.log, ...changed });
  });
});

describe('listeners', () => {
  const own = (changed: Partial<SecuritySettings>) => ({ ...DEFAULT_SECURITY, ...changed });
  const on = (port: number, changed: Partial<ListenerSettings> = {}) => ({
    ...DEFAULT_LISTENER,
    port,
    ...changed,
  });

  // biome-ignore format: one row a line
  const cases: readonly (readonly [text: string, listeners: readonly ListenerSettings[]])[] = [
    ['listener 1884', [on(1884)]],
    ['listener 0x75b 127.0.0.1', [on(1883, { host: '127.0.0.1' })]],
    ['listener 1884\nmount_point a/\nmount_point b c/\nlistener 1885', [on(1884, { mountPoint: 'b c/' }), on(1885)]],
    ['listener 1884 ::1 # comment', [on(1884, { host: '::1' })]],
    ['listener 1884 [::1]', [on(1884, { host: '::1' })]],
    ['listener 1884\nbind_interface eth0\nsocket_domain ipv6', [on(1884, { bindInterface: 'eth0', socketDomain: 'ipv6' })]],
    ['listener 0 /run/b.sock', [on(0, { path: '/run/b.sock' })]],
    ['listener 0 /run/my broker # comment', [on(0, { path: '/run/my broker' })]],
    ['listener 1884 #comment', [on(1884)]],
    ['listener 1884\nlistener 1885 localhost', [on(1884), on(1885, { host: 'localhost' })]],
    ['port 1884', [on(1884)]],
    ['port 1884\nport 1885', [on(1885)]],
    ['bind_address 127.0.0.1', [on(1883, { host: '127.0.0.1' })]],
    ['bind_address 127.0.0.1\nport 1884', [on(1884, { host: '127.0.0.1' })]],
    ['listener 1884\nport 1885\nmax_qos 1', [on(1884, { maxQos: 1 }), on(1885)]], // T-2
    ['port 1885\nmax_qos 1\nlistener 1884', [on(1884), on(1885, { maxQos: 1 })]],
    ['max_qos 1\nport 1885', [on(1885, { maxQos: 1 })]],
    ['listener 1884\nmax_connections 5\nlistener 1885\nmax_connections 0', [on(1884, { maxConnections: 5 }), on(1885)]],
    ['listener 1884\nmaximum_qos 0', [on(1884, { maxQos: 0 })]],
    ['listener 1884\nlistener_allow_anonymous true', [on(1884, { allowAnonymous: true })]],
    ['listener 1884\nprotocol mqtt', [on(1884)]],
    ['listener 1884\nlistener_auto_id_prefix x-', [on(1884, { autoIdPrefix: 'x-' })]],
    // per_listener_settings: nothing is inherited (contract broker §4.6)
    ['per_listener_settings true\nlistener 1884\nallow_anonymous true\nlistener 1885\npassword_file p\nauto_id_prefix x', [on(1884, { security: own({ allowAnonymous: true }) }), on(1885, { security: own({ passwordFile: 'p', autoIdPrefix: 'x' }) })]],
    ['per_listener_settings true\nlistener 1884\nacl_file a\nacl_file b', [on(1884, { security: own({ aclFile: 'b' }) })]],
    ['per_listener_settings true\nallow_anonymous true\nallow_zero_length_clientid false\nport 1884\nlistener 1885', [on(1885, { security: own({}) }), on(1884, { security: own({ allowAnonymous: true, allowZeroLengthClientId: false }) })]],
    ['listener 1884\nper_listener_settings true\nallow_anonymous true', [on(1884, { security: own({ allowAnonymous: true }) })]],
    ['per_listener_settings true\nper_listener_settings false\nlistener 1884\nallow_anonymous true', [on(1884, { security: own({ allowAnonymous: true }) })]],
    ['per_listener_settings false\nlistener 1884\nauto_id_prefix x', [on(1884)]],
  ];
  it.each(cases)('%j', (text, listeners) => {
    const settings = settingsOf(text);
    expect(settings.listeners).toEqual(listeners);
    expect(settings.localOnly).toBe(false);
  });

  it('security settings of the default listener reach the loopback listeners, with a warning (T-1)', () => {
    const { finish, said } = readFiles({ 'main.conf': 'per_listener_settings true\nallow_anonymous false' });
    const { settings } = finish();
    expect(settings).toMatchObject({ localOnly: true, allowAnonymous: undefined });
    expect(settings.listeners[0]?.security).toEqual(own({ allowAnonymous: false }));
    expect(said.at(-1)).toMatch(/^warning: Warning: The 'allow_anonymous' option .* \(main\.conf:2\)$/);
  });

  it.each([true, false])('per_listener_settings stays %s while the broker runs', (running) => {
    const said: string[] = [];
    const text = `per_listener_settings ${!running}\nlistener 1884\nallow_anonymous true`;
    const reader = new ConfReader(
      { readFile: () => Buffer.from(text), readDir: () => [] },
      (_type, line) => said.push(line),
      running,
    );
    reader.read('main.conf');
    const { listeners, allowAnonymous } = reader.finish().settings;
    expect(listeners[0]?.security?.allowAnonymous).toBe(running ? true : undefined);
    expect(allowAnonymous).toBe(running ? undefined : true);
    expect(said).toContain("Warning: A change of 'per_listener_settings' needs a restart.");
  });

  it('-p names the ports of local-only mode, and nothing else', () => {
    const { settings } = readFiles({ 'main.conf': '' }, ['main.conf'], [1884, 1885]).finish();
    expect([settings.localOnly, settings.listeners]).toEqual([true, [on(1884), on(1885)]]);
    const other = readFiles({ 'main.conf': 'port 1999' }, ['main.conf'], [1884]).finish().settings;
    expect([other.localOnly, other.listeners]).toEqual([false, [on(1999)]]);
  });

  it('T-1: options above every listener apply to the loopback listeners, with a warning', () => {
    const { finish, said } = readFiles(
      { 'main.conf': 'max_connections 5\nmax_qos 1\n' },
      ['main.conf'],
      [1884],
    );
    const { settings } = finish();
    expect(settings.listeners).toEqual([on(1884, { maxConnections: 5, maxQos: 1 })]);
    expect(settings.localOnly).toBe(true);
    expect(said).toContain("notice: Creating default listener due to 'max_connections' option.");
    expect(said).not.toContain("notice: Creating default listener due to 'max_qos' option.");
    expect(said).toContain(
      "warning: Warning: The 'max_qos' option is set without a listener: it applies to the local only listeners. (main.conf:2)",
    );
  });

  it('options above every listener that no default listener takes are warned about', () => {
    const { finish, said } = readFiles({ 'main.conf': 'max_qos 1\nlistener 1884\n' });
    expect(finish().settings.listeners).toEqual([on(1884)]);
    expect(said).toContain(
      "warning: Warning: The 'max_qos' option is set above the first listener: it applies to none. (main.conf:1)",
    );
  });

  it("topic alias limits, versions and use_username_as_clientid are each listener's own", () => {
    const text = `listener 1
max_topic_alias 0
accept_protocol_versions 5, 3 9
use_username_as_clientid true
listener 2
max_topic_alias_broker 7
accept_protocol_versions 4`;
    expect(settingsOf(text).listeners).toMatchObject([
      { maxTopicAlias: 0, maxTopicAliasBroker: 10, protocolVersions: [3, 5], useUsernameAsClientId: true },
      { maxTopicAlias: 10, maxTopicAliasBroker: 7, protocolVersions: [4], useUsernameAsClientId: false },
    ]);
  });

  it('scram_file is for all, or with per_listener_settings for the listener above it', () => {
    expect(settingsOf('listener 1\nscram_file a')).toMatchObject({
      scramFile: 'a',
      listeners: [{ security: undefined }],
    });
    const own = settingsOf('per_listener_settings true\nlistener 1\nscram_file a\nlistener 2');
    expect(own.scramFile).toBeUndefined();
    expect(own.listeners.map(({ security }) => security?.scramFile)).toEqual(['a', undefined]);
  });

  it('global_max_clients and clientid_prefixes', () => {
    expect(settingsOf('clientid_prefixes a-\nglobal_max_clients 7')).toMatchObject({
      clientIdPrefix: 'a-',
      globalMaxClients: 7,
    });
    expect(settingsOf('global_max_clients 0')).toMatchObject({
      clientIdPrefix: undefined,
      globalMaxClients: -1,
    });
  });
});

// biome-ignore format: one row a line
const errors: readonly (readonly [text: string | Buffer, line: number, error: string])[] = [
  // unknown
  ['foo bar', 1, "Error: Unknown configuration variable 'foo'."],
  ['\n\nfoo', 3, "Error: Unknown configuration variable 'foo'."],
  [' # indented', 1, "Error: Unknown configuration variable '#'."],
  ['port\t1883', 1, "Error: Unknown configuration variable 'port\t1883'."],
  ['\tport 1883', 1, "Error: Unknown configuration variable '\tport'."],
  ['Port 1883', 1, "Error: Unknown configuration variable 'Port'."],
  ['listener_password_file x', 1, "Error: Unknown configuration variable 'listener_password_file'."],
  // booleans
  ['allow_anonymous TRUE', 1, "Error: Invalid 'allow_anonymous' value (TRUE)."],
  ['allow_anonymous maybe so', 1, "Error: Invalid 'allow_anonymous' value (maybe)."],
  ['allow_anonymous true\t', 1, "Error: Invalid 'allow_anonymous' value (true\t)."],
  ['allow_anonymous  ', 1, "Error: Empty 'allow_anonymous' value in configuration."],
  // numbers
  ['max_keepalive x', 1, "Error: 'max_keepalive' value not a number."],
  ['max_keepalive 3000000000', 1, "Error: 'max_keepalive' value out of range."],
  ['max_keepalive 65536', 1, "Error: Invalid 'max_keepalive' value (65536)."],
  ['sys_interval -1', 1, "Error: Invalid 'sys_interval' value (-1)."],
  ['message_size_limit 268435456', 1, "Error: Invalid 'message_size_limit' value (268435456)."],
  ['memory_limit -1', 1, "Error: Invalid 'memory_limit' value (-1)."],
  ['max_inflight_bytes -1', 1, "Error: Invalid 'max_inflight_bytes' value (-1)."],
  ['max_queued_bytes -1', 1, "Error: Invalid 'max_queued_bytes' value (-1)."],
  ['max_inflight_messages 65536', 1, "Error: 'max_inflight_messages' must be <= 65535."],
  ['max_packet_size 19', 1, "Error: 'max_packet_size' must be >= 20."],
  ['listener 1883\nmax_topic_alias 65536', 2, "Error: Invalid 'max_topic_alias' value in configuration."],
  ['listener 1883\nmax_topic_alias_broker -1', 2, "Error: Invalid 'max_topic_alias_broker' value in configuration."],
  ['listener 1883\nmaximum_qos 3', 2, "Error: 'max_qos' must be between 0 and 2 inclusive."],
  ['packet_buffer_size 70000', 1, 'Error: Packet buffer size must be between 0 and 65535 inclusive.'],
  ['websockets_headers_size 70000', 1, 'Error: Packet buffer size must be between 0 and 65535 inclusive.'],
  ['retain_expiry_interval 0', 1, 'Error: retain_expiry_interval must be >= 1.'],
  ['mount_point a/', 1, "Error: The 'mount_point' option requires a listener to be defined first."],
  ...['a/+/', '#', 'a#'].map((value) => [`listener 1883\nmount_point ${value}`, 2, `Error: Invalid 'mount_point' value (${value}). Does it contain a wildcard character?`] as const),
  ['listener 1883\nenable_proxy_protocol 3', 2, 'Error: enable_proxy_protocol must be 1 or 2.'],
  [`auto_id_prefix ${'x'.repeat(51)}`, 1, 'Error: auto_id_prefix length must be <= 50.'],
  [`listener 1\nlistener_auto_id_prefix ${'x'.repeat(51)}`, 2, "Error: 'listener_auto_id_prefix' length must be <= 50."],
  // ports
  ['listener', 1, "Error: Empty 'listener' value in configuration."],
  ['listener #1883', 1, "Error: Empty 'listener port' value in configuration."],
  ['listener abc', 1, "Error: 'listener port' value not a number."],
  ['listener 65536', 1, "Error: Invalid 'port' value (65536)."],
  ['listener -1', 1, "Error: Invalid 'port' value (-1)."],
  ['listener 0', 1, 'Error: A listener with port 0 must provide a Unix socket path.'],
  ['port 0', 1, "Error: Invalid 'port' value (0)."],
  ['port 01883', 1, "Error: 'port' value not a number."],
  ['port 65536', 1, "Error: Invalid 'port' value (65536)."],
  // strings
  [Buffer.from('user a\xff', 'latin1'), 1, 'Error: Malformed UTF-8 in configuration.'],
  ['user a\x01', 1, 'Error: Malformed UTF-8 in configuration.'],
  ['password_file', 1, "Error: Empty 'password_file' value in configuration."],
  ['user a\nuser b', 2, "Error: Duplicate 'user' value in configuration."],
  ['pid_file a\npid_file a', 2, "Error: Duplicate 'pid_file' value in configuration."],
  ['bind_address 127.0.0.1\nbind_address 127.0.0.2', 2, "Error: Duplicate 'bind_address' value in configuration."],
  ['persistent_client_expiration 5', 1, "Error: Invalid 'persistent_client_expiration' duration in configuration."],
  // logging
  ['log_type foo', 1, "Error: Invalid 'log_type' value (foo)."],
  ['log_dest foo', 1, "Error: Invalid 'log_dest' value (foo)."],
  ['log_dest file', 1, 'Error: Empty "log_dest file" value in configuration.'],
  ['log_dest file a\nlog_dest file b', 2, 'Error: Duplicate "log_dest file" value.'],
  ['log_dest dlt', 1, "Error: The 'log_dest dlt' option is not supported by tsmqtt-broker."],
  ['log_facility 8', 1, "Error: Invalid 'log_facility' value (8)."],
  // context, before the value
  ['listener 1883\naccept_protocol_versions 6', 2, "Error: Invalid 'accept_protocol_versions' value (6)."],
  ['max_topic_alias x', 1, "Error: The 'max_topic_alias' option requires a listener to be defined first."],
  ['cafile', 1, "Error: The 'cafile' option requires a listener to be defined first."],
  ['address', 1, "Error: The 'address' option requires a bridge to be defined first."],
  ['clientid x', 1, "Error: The 'clientid' option requires a bridge to be defined first."],
  ['plugin_opt_a b', 1, "Error: The 'plugin_opt_a' option requires plugin/global_plugin/plugin_load to be defined first."],
  ['auth_opt_a b', 1, "Error: The 'auth_opt_a' option requires plugin/global_plugin/plugin_load to be defined first."],
  ['plugin x\nplugin_opt_ b', 2, "Error: Invalid 'plugin_opt_' config option."],
  ['plugin x\nplugin_opt_a', 2, "Error: Empty 'a' value in configuration."],
  ['plugin', 1, "Error: Empty 'plugin' value in configuration."],
  // order
  ['allow_anonymous true\nper_listener_settings true', 2, 'Error: per_listener_settings must be set before any other security settings.'],
  ['per_listener_settings true\nlistener 1884\npassword_file x\nper_listener_settings true', 4, 'Error: per_listener_settings must be set before any other security settings.'],
  ['per_listener_settings true\nlistener 1884\nauto_id_prefix x\nauto_id_prefix y', 4, "Error: Duplicate 'auto_id_prefix' value in configuration."],
  // refused by name, after the value was looked at
  ['acl_file', 1, "Error: Empty 'acl_file' value in configuration."],
  ['connection x\naddress y', 1, "Error: The 'connection' option is not supported by tsmqtt-broker."],
  ['persistence true', 1, "Error: The 'persistence' option is not supported by tsmqtt-broker: nothing is stored on disk in this version; 'persistence false' runs without it."],
  ['listener 1883\nprotocol mqttsn', 2, "Error: The 'protocol mqttsn' option is not supported by tsmqtt-broker."],
  ['listener 1883\nprotocol foo', 2, "Error: Invalid 'protocol' value (foo)."],
  ['maximum_qos x', 1, "Error: 'maximum_qos' value not a number."],
];

describe('errors (contract broker §2.3)', () => {
  it.each(errors)('%j', (text, line, error) => {
    const found = errorOf({ 'main.conf': text });
    expect(found.lines).toEqual([error, `Error found at main.conf:${line}.`]);
    expect(found.exitCode).toBe(3);
  });

  it('files that cannot be read', () => {
    expect(errorOf({}).lines).toEqual(["Error: Unable to open config file 'main.conf'."]);
    expect(errorOf({ 'main.conf': 'DIRECTORY' }).lines).toEqual([
      "Error: Config file 'main.conf' is a directory.",
    ]);
  });
});

describe('every option', () => {
  const above = { L: 'listener 1883\n', X: 'plugin x\n' } as Readonly<Record<string, string>>;
  const prefixOf = (row: (typeof CONF_OPTIONS)[number]) => above[row.scope] ?? '';
  const located = CONF_OPTIONS.filter((row) => row.scope !== 'B');

  it.each(located.filter((row) => row.type !== 'anything'))('$name without a value', (row) => {
    const prefix = prefixOf(row);
    expect(errorOf({ 'main.conf': `${prefix}${row.name}` }).lines).toEqual([
      `Error: Empty '${row.name}' value in configuration.`,
      `Error found at main.conf:${prefix === '' ? 1 : 2}.`,
    ]);
  });

  it.each(CONF_OPTIONS.filter((row) => ['L', 'B', 'X'].includes(row.scope)))(
    '$name out of context',
    (row) => {
      expect(errorOf({ 'main.conf': row.name }).lines[0]).toMatch(
        new RegExp(`^Error: The '${row.name}' option requires .* to be defined first\\.$`),
      );
    },
  );

  const wrong = { boolean: 'yes', integer: 'x', choice: 'nonsense', duration: 'x' } as Readonly<
    Record<string, string>
  >;
  it.each(located.filter((row) => wrong[row.type] !== undefined))('$name with a wrong value', (row) => {
    const [text] = errorOf({ 'main.conf': `${prefixOf(row)}${row.name} ${wrong[row.type]}` }).lines;
    expect(text).toMatch(
      new RegExp(`^Error: (Invalid )?'${row.name}' (value|duration)|^Error: Invalid '${row.name}'`),
    );
  });

  const good = { boolean: 'true', integer: '2', string: 'x', choice: '', duration: '1d' } as Readonly<
    Record<string, string>
  >;
  it.each(located.filter((row) => row.support === 'refused'))('$name is refused', (row) => {
    const usable = [...(row.choices ?? []), good[row.type]!, 'false'].find(
      (value) => !row.harmless?.some((harmless) => String(harmless) === value),
    );
    const { lines, exitCode } = errorOf({ 'main.conf': `${prefixOf(row)}${row.name} ${usable}` });
    const why = row.advice === undefined ? '' : `: ${row.advice}`;
    expect(lines[0]).toBe(`Error: The '${row.name}' option is not supported by tsmqtt-broker${why}.`);
    expect(lines[1]).toMatch(/^Error found at main\.conf:[12]\.$/);
    expect(exitCode).toBe(3);
  });

  it.each(located.flatMap((row) => (row.harmless ?? []).map((value) => ({ row, name: row.name, value }))))(
    '$name $value asks for what happens anyway',
    ({ row, name, value }) => {
      const { finish, said } = readFiles({ 'main.conf': `${prefixOf(row)}${name} ${value}` });
      finish();
      expect(
        said.filter((text) => text.startsWith('warning') && !text.includes('without a listener')),
      ).toEqual([]);
    },
  );
});

describe('what is said without an error', () => {
  it.each([
    'auto_id_prefix x',
    'bind_address 127.0.0.1',
    'port 1883',
    'allow_duplicate_messages true',
    'per_listener_settings false',
  ])('%s is deprecated', (text) => {
    const { finish, said } = readFiles({ 'main.conf': text });
    finish();
    const [name] = text.split(' ');
    const notice = `notice: The '${name}' option is now deprecated and will be removed in version 3.0. `;
    expect(said.filter((line) => line.startsWith(notice))).toHaveLength(1);
  });

  it.each([
    ['dhparamfile x', 'dhparamfile is no longer required. (main.conf:1)'],
    ['dhparamfile', 'dhparamfile is no longer required. (main.conf:1)'],
    ['retry_interval x', "The 'retry_interval' option is no longer available. (main.conf:1)"],
    [
      'set_tcp_nodelay false',
      "Warning: The 'set_tcp_nodelay' option has no effect: TCP_NODELAY is always on. (main.conf:1)",
    ],
  ])('%s', (text, warning) => {
    const { finish, said } = readFiles({ 'main.conf': text });
    finish();
    expect(said).toEqual([`warning: ${warning}`]);
  });
});

describe('include_dir (contract broker §2.2)', () => {
  it('reads the files at that place, in order', () => {
    const { finish, said } = readFiles({
      'main.conf': 'max_keepalive 1\ninclude_dir d\nmax_queued_messages 7\n',
      'd/b.conf': 'max_keepalive 3\nmax_queued_messages 3\n',
      'd/A.conf': 'max_keepalive 2\nlistener 1884\n',
      'd/README': 'nonsense\n',
    });
    const { settings } = finish();
    expect([settings.maxKeepAlive, settings.maxQueuedMessages, settings.listeners.length]).toEqual([3, 7, 1]);
    expect(said).toEqual([
      "information: Loading config file 'd/A.conf'",
      "information: Loading config file 'd/b.conf'",
    ]);
  });

  it('keeps the contexts of files apart', () => {
    const { finish } = readFiles({
      'main.conf': 'listener 1884\ninclude_dir d\nmax_qos 1\n',
      'd/a.conf': 'listener 1885\nmax_qos 0\n',
    });
    expect(finish().settings.listeners.map(({ port, maxQos }) => [port, maxQos])).toEqual([
      [1884, 1],
      [1885, 0],
    ]);
    expect(
      errorOf({ 'main.conf': 'listener 1884\ninclude_dir d', 'd/a.conf': 'max_topic_alias 1' }).lines[0],
    ).toBe("Error: The 'max_topic_alias' option requires a listener to be defined first.");
  });

  // biome-ignore format: one row a line
  const cases: readonly (readonly [included: string, lines: readonly string[]])[] = [
    ['foo', ["Error: Unknown configuration variable 'foo'.", "Error found at 'd/a.conf:1'.", 'Error found at main.conf:2.']],
    ['include_dir e', ['Error: The include_dir option is only valid in the main configuration file.', "Error found at 'd/a.conf:1'.", 'Error found at main.conf:2.']],
    ['DIRECTORY', ["Error: Config file 'd/a.conf' is a directory.", 'Error found at main.conf:2.']],
    ['user b', ["Error: Duplicate 'user' value in configuration.", "Error found at 'd/a.conf:1'.", 'Error found at main.conf:2.']],
  ];
  it.each(cases)('%j in an included file', (included, lines) => {
    expect(errorOf({ 'main.conf': 'user a\ninclude_dir d', 'd/a.conf': included }).lines).toEqual(lines);
  });

  it('needs the folder', () => {
    expect(errorOf({ 'main.conf': 'include_dir d' }).lines).toEqual([
      "Error: Unable to open include_dir 'd'.",
      'Error found at main.conf:1.',
    ]);
  });

  it('takes a folder with a slash at its end', () => {
    const { finish, said } = readFiles({ 'main.conf': 'include_dir d/', 'd//a.conf': '', 'd/a.conf': '' });
    finish();
    expect(said).toContain("information: Loading config file 'd/a.conf'");
  });
});

it('several main files add up', () => {
  const { finish } = readFiles({ a: 'listener 1884\n', b: 'max_keepalive 5\n' }, ['a', 'b']);
  const { settings } = finish();
  expect([settings.listeners[0]?.port, settings.maxKeepAlive]).toEqual([1884, 5]);
});

describe("Debian's stock configuration", () => {
  const stock = (persistence: boolean) => ({
    'main.conf': [
      '# Place your local configuration in /etc/mosquitto/conf.d/',
      '#',
      '',
      'pid_file /run/mosquitto/mosquitto.pid',
      '',
      `persistence ${persistence}`,
      'persistence_location /var/lib/mosquitto/',
      '',
      'log_dest file /var/log/mosquitto/mosquitto.log',
      '',
      'include_dir /etc/mosquitto/conf.d',
      '',
    ].join('\n'),
    '/etc/mosquitto/conf.d/README': 'x',
  });

  it('is refused for its persistence, by name and line', () => {
    expect(errorOf(stock(true)).lines).toEqual([
      expect.stringMatching(
        /'persistence' option is not supported .* 'persistence false' runs without it\.$/,
      ),
      'Error found at main.conf:6.',
    ]);
  });

  it('starts with `persistence false` (B-13)', () => {
    const { finish, said } = readFiles(stock(false));
    expect(finish().settings).toEqual({
      ...DEFAULT_SETTINGS,
      pidFile: '/run/mosquitto/mosquitto.pid',
      log: { ...DEFAULT_SETTINGS.log, stderr: false, file: '/var/log/mosquitto/mosquitto.log' },
    });
    expect(said).toEqual([]);
  });
});
