import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { formatScramCredential, hashPassword, makeScramCredential } from '@tsmqtt/credentials';
import { PacketType, type Properties, type PropertyName, property, type QoS } from '@tsmqtt/protocol';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CONF_OPTIONS } from '../packages/broker/src/conf/option-table.js';
import { type ConnectFields, publishPacket, subscribePacket } from '../packages/broker/test/raw-client.js';
import { authProperties, SCRAM } from '../packages/broker/test/scram-client.js';
import { request, UPGRADE } from '../packages/broker/test/web-client.js';
import {
  type Authority,
  type CertificateFiles,
  certificateFolder,
  createAuthority,
} from './support/certificates.js';
import { freePort } from './support/free-port.js';
import { ReloadScene } from './support/reload-scene.js';

const folder = certificateFolder();
let own: Authority;
let foreign: Authority;
let server: CertificateFiles;
let second: CertificateFiles;
let device: CertificateFiles;
let expired: CertificateFiles;
let revoked: CertificateFiles;
let passwordLine: string;
let scramLine: string;
beforeAll(async () => {
  own = createAuthority(folder, 'own');
  foreign = createAuthority(folder, 'foreign');
  server = own.issue('server', { name: 'first' });
  second = own.issue('second', { name: 'second' });
  device = own.issue('device', { name: 'device 7' });
  expired = own.issue('expired', { name: 'expired', until: '20210101' });
  revoked = own.issue('revoked', { name: 'revoked' });
  own.revoke(revoked);
  passwordLine = `u:${await hashPassword(Buffer.from('p'), { kind: 'sha512' })}\n`;
  scramLine = `u:${formatScramCredential(await makeScramCredential(Buffer.from('p'), { iterations: 4096 }))}\n`;
});

let scene: ReloadScene;
beforeEach(() => {
  scene = new ReloadScene();
});
afterEach(() => scene.end());

/** How to see which value of an option is in force. */
interface Sight {
  /** Lines with the option: global ones, or those of the one listener, as its scope says. */
  readonly lines: readonly [before: string, after: string];
  /** What else the listener or the broker needs. */
  readonly listener?: string;
  readonly global?: string;
  /** Where the listener is; default: a Unix socket. */
  readonly place?: () => Promise<string>;
  readonly look: () => Promise<unknown>;
  /** What is seen of the value before, and of the one after. */
  readonly seen: readonly [before: unknown, after: unknown];
  /** Just before the reload. */
  readonly meanwhile?: () => void;
  readonly asRoot?: boolean;
}

const code = async (fields: ConnectFields = {}): Promise<unknown> =>
  (await scene.connack(fields))?.reasonCode ?? 'closed';
const told = async (name: PropertyName, fields: ConnectFields = {}): Promise<unknown> => {
  const connack = await scene.connack({ protocolVersion: 5, ...fields });
  return property(connack?.properties ?? [], name as 'receiveMaximum');
};
const logs = async (pattern: RegExp, fields: ConnectFields = {}): Promise<boolean> => {
  scene.log = '';
  await scene.client(fields);
  return pattern.test(scene.log);
};
/** Publications that one subscriber gets of what it publishes itself. */
const received = async (
  filters: Readonly<Record<string, QoS>>,
  published: readonly { topic?: string; payload?: string; qos?: QoS; retain?: boolean }[],
  fields: ConnectFields = {},
) => {
  const client = await scene.client(fields);
  client.send(subscribePacket(filters));
  for (const [index, { topic = 'a', payload = 'x', ...more }] of published.entries()) {
    client.send(publishPacket(topic, payload, { ...more, packetId: index + 1 }));
  }
  await client.ping();
  return client.publications;
};
/** How many messages of three wait for a client that was away. */
const waiting = async (qos: QoS): Promise<number> => {
  const away = { clientId: 'away', cleanStart: false };
  const first = await scene.client(away);
  first.send(subscribePacket({ a: 1 }));
  await first.ping();
  first.socket.destroy();
  await first.until(() => first.closed);
  const publisher = await scene.client({ clientId: 'publisher' });
  for (const packetId of [1, 2, 3]) publisher.send(publishPacket('a', 'x', { qos, packetId }));
  await publisher.ping();
  const again = await scene.client(away);
  await again.ping();
  const count = again.publications.length;
  again.socket.destroy();
  await again.until(() => again.closed);
  await scene.client({ clientId: 'away' });
  return count;
};
/** How many of two sockets are served. */
const served = async (): Promise<number> => {
  const codes = [await code({ clientId: '1' }), await code({ clientId: '2' })];
  return codes.filter((one) => one === 0).length;
};
const accepts = async (port: number, host: string): Promise<boolean> => {
  const caller = scene.caller({ port, host }, true);
  caller.socket.once('connect', () => caller.socket.end());
  await caller.until(() => caller.closed);
  return caller.socket.bytesRead >= 0 && !caller.socket.errored;
};
const http = async (text: string): Promise<string> => {
  const caller = scene.caller(undefined, true);
  caller.socket.write(text);
  await caller.until(
    () => caller.text.includes('\r\n\r\n') && (caller.text.startsWith('HTTP/1.1 101') || caller.closed),
  );
  return caller.text;
};
const status = async (text: string): Promise<string | undefined> => (await http(text)).split(' ')[1];
const tlsCode = async (files?: CertificateFiles, more: object = {}): Promise<unknown> => {
  const holding = files === undefined ? {} : { cert: readFileSync(files.cert), key: readFileSync(files.key) };
  return (await scene.connack({}, scene.tlsCaller({ ...holding, ...more })))?.reasonCode ?? 'closed';
};
const tlsSocket = async (more: object = {}) => {
  const caller = scene.tlsCaller(more);
  const answer = await caller.introduce();
  return answer === undefined ? undefined : (caller.socket as ReturnType<typeof import('node:tls').connect>);
};
const username = async (): Promise<string | undefined> => {
  scene.log = '';
  await tlsCode(device);
  return /, u'(.*)'\)\./.exec(scene.log)?.[1];
};

const material = () => `certfile ${server.cert}\nkeyfile ${server.key}\n`;
const mutual = () => `${material()}cafile ${own.file}\nrequire_certificate true\n`;
const V1 = 'PROXY TCP4 192.168.0.1 10.0.0.2 8080 1883\r\n';
const V2 = Buffer.from('0d0a0d0a000d0a515549540a2111000cc0a800010a0000021f90075b', 'hex');
let port = 0;
const tcp = async (): Promise<string> => {
  port = await freePort();
  return String(port);
};

const aclSight =
  (line: (file: string) => string): (() => Sight) =>
  () => ({
    lines: [line(scene.write('acl1', 'topic a\n')), line(scene.write('acl2', 'topic b\n'))],
    look: async () => (await received({ a: 0 }, [{}])).length,
    seen: [1, 0],
  });

/** A sight of every option that a running broker could take up or not. */
const SIGHTS: Readonly<Record<string, () => Sight>> = {
  acl_file: aclSight((file) => `acl_file ${file}`),
  plugin: aclSight((file) => `plugin mosquitto_acl_file.so\nplugin_opt_acl_file ${file}`),
  auth_plugin: aclSight((file) => `auth_plugin mosquitto_acl_file.so\nauth_opt_acl_file ${file}`),
  global_plugin: aclSight((file) => `global_plugin mosquitto_acl_file.so\nplugin_opt_acl_file ${file}`),
  allow_anonymous: () => ({
    lines: ['allow_anonymous true', 'allow_anonymous false'],
    look: () => code(),
    seen: [0, 5],
  }),
  allow_duplicate_messages: () => ({
    lines: ['allow_duplicate_messages true', 'allow_duplicate_messages false'],
    look: async () => (await received({ a: 0, '#': 0 }, [{}])).length,
    seen: [2, 1],
  }),
  allow_zero_length_clientid: () => ({
    lines: ['allow_zero_length_clientid true', 'allow_zero_length_clientid false'],
    look: () => code({ clientId: '' }),
    seen: [0, 2],
  }),
  auto_id_prefix: () => ({
    lines: ['auto_id_prefix x-', 'auto_id_prefix y-'],
    look: async () => String(await told('assignedClientIdentifier', { clientId: '' })).slice(0, 2),
    seen: ['x-', 'y-'],
  }),
  // The rules change with it: who published what is retained may not any more.
  check_retain_source: () => ({
    lines: ['check_retain_source true', 'check_retain_source false'],
    global: `acl_file ${scene.write('acl', 'user p\ntopic a\nuser r\ntopic read a\n')}`,
    meanwhile: () => scene.write('acl', 'user r\ntopic read a\n'),
    look: async () => {
      const publisher = await scene.client({ clientId: 'p', username: 'p' });
      publisher.send(publishPacket('a', 'x', { retain: true }));
      await publisher.ping();
      return (await received({ a: 0 }, [], { username: 'r' })).length;
    },
    seen: [0, 1],
  }),
  clientid_prefixes: () => ({ lines: ['', 'clientid_prefixes x'], look: () => code(), seen: [0, 5] }),
  connection_messages: () => ({
    lines: ['connection_messages true', 'connection_messages false'],
    look: () => logs(/New client connected/),
    seen: [true, false],
  }),
  enable_control_api: () => ({
    lines: ['enable_control_api false', 'enable_control_api true'],
    look: async () => {
      const commands = '{"commands":[{"command":"listPlugins"}]}';
      const [answer] = await received({ '$CONTROL/broker/v1/response': 0 }, [
        { topic: '$CONTROL/broker/v1', payload: commands },
      ]);
      return Object.keys(JSON.parse(Buffer.from(answer!.payload).toString()))[0];
    },
    seen: ['error', 'responses'],
  }),
  global_max_clients: () => ({ lines: ['', 'global_max_clients 1'], look: served, seen: [2, 1] }),
  global_max_connections: () => ({ lines: ['', 'global_max_connections 1'], look: served, seen: [2, 1] }),
  include_dir: () => {
    mkdirSync(scene.at('conf.d'));
    scene.write('conf.d/a.conf', 'clientid_prefixes x\n');
    return { lines: ['', `include_dir ${scene.at('conf.d')}`], look: () => code(), seen: [0, 5] };
  },
  log_dest: () => ({
    lines: [`log_dest file ${scene.at('log1')}`, `log_dest file ${scene.at('log2')}`],
    look: async () => {
      await scene.client({ clientId: 'somebody' });
      return existsSync(scene.at('log2')) && readFileSync(scene.at('log2'), 'utf8').includes('somebody');
    },
    seen: [false, true],
  }),
  log_facility: () => ({
    lines: ['log_facility 1', 'log_facility 2'],
    global: 'log_dest syslog',
    look: async () => {
      await scene.client();
      return scene.priorities.at(-1);
    },
    seen: ['local1.notice', 'local2.notice'],
  }),
  log_timestamp: () => ({
    lines: ['log_timestamp true', 'log_timestamp false'],
    look: () => logs(/^New client/m),
    seen: [false, true],
  }),
  log_timestamp_format: () => ({
    lines: ['log_timestamp_format one', 'log_timestamp_format two'],
    look: () => logs(/^two: New client/m),
    seen: [false, true],
  }),
  log_type: () => ({
    lines: ['log_type error', 'log_type notice'],
    look: () => logs(/New client/),
    seen: [false, true],
  }),
  max_inflight_bytes: () => ({
    lines: ['', 'max_inflight_bytes 1'],
    look: async () => (await received({ a: 1 }, [{ qos: 1 }, { qos: 1 }])).length,
    seen: [2, 1],
  }),
  max_inflight_messages: () => ({
    lines: ['', 'max_inflight_messages 1'],
    look: async () => (await received({ a: 1 }, [{ qos: 1 }, { qos: 1 }])).length,
    seen: [2, 1],
  }),
  max_keepalive: () => ({
    lines: ['', 'max_keepalive 10'],
    look: () => told('serverKeepAlive', { keepAlive: 60 }),
    seen: [undefined, 10],
  }),
  max_packet_size: () => ({
    lines: ['', 'max_packet_size 100'],
    look: () => told('maximumPacketSize'),
    seen: [2_000_000, 100],
  }),
  max_queued_bytes: () => ({ lines: ['', 'max_queued_bytes 1'], look: () => waiting(1), seen: [3, 1] }),
  max_queued_messages: () => ({ lines: ['', 'max_queued_messages 2'], look: () => waiting(1), seen: [3, 2] }),
  message_size_limit: () => ({
    lines: ['', 'message_size_limit 1'],
    look: async () => {
      const client = await scene.client({ protocolVersion: 5 });
      client.send(publishPacket('a', 'xx', { qos: 1 }));
      await client.ping();
      return client.packets.find((packet) => packet.type === PacketType.PUBACK);
    },
    seen: [expect.objectContaining({ reasonCode: 0x10 }), expect.objectContaining({ reasonCode: 0x95 })],
  }),
  packet_buffer_size: () => ({
    lines: ['packet_buffer_size 300', 'packet_buffer_size 4096'],
    listener: 'protocol websockets',
    look: () => status(request({ ...UPGRADE, 'X-Long': 'x'.repeat(1000) })),
    seen: ['431', '101'],
  }),
  password_file: () => ({
    lines: [
      `password_file ${scene.write('passwords', passwordLine)}`,
      `password_file ${scene.write('nobody', '')}`,
    ],
    look: () => code({ username: 'u', password: Buffer.from('p') }),
    seen: [0, 5],
  }),
  // As the first line; in force, the listener would inherit nothing.
  per_listener_settings: () => ({
    lines: ['', 'per_listener_settings true'],
    look: () => code(),
    seen: [0, 5],
  }),
  pid_file: () => ({
    lines: [`pid_file ${scene.at('pid1')}`, `pid_file ${scene.at('pid2')}`],
    look: async () => [existsSync(scene.at('pid1')), existsSync(scene.at('pid2'))],
    seen: [
      [true, false],
      [false, true],
    ],
  }),
  psk_file: () => ({
    lines: [`psk_file ${scene.write('psk1', 'me:0b\n')}`, `psk_file ${scene.write('psk2', 'you:0b\n')}`],
    listener: 'psk_hint hint',
    look: async () => {
      const pskCallback = () => ({ identity: 'me', psk: Buffer.from('0b', 'hex') });
      return tlsCode(undefined, {
        ciphers: 'PSK',
        maxVersion: 'TLSv1.2',
        pskCallback,
        checkServerIdentity: () => undefined,
      });
    },
    seen: [0, 'closed'],
  }),
  queue_qos0_messages: () => ({
    lines: ['queue_qos0_messages false', 'queue_qos0_messages true'],
    look: () => waiting(0),
    seen: [0, 3],
  }),
  retain_available: () => ({
    lines: ['retain_available true', 'retain_available false'],
    look: () => told('retainAvailable'),
    seen: [undefined, 0],
  }),
  scram_file: () => ({
    lines: ['', `scram_file ${scene.write('scram', scramLine)}`],
    look: async () => {
      const properties = authProperties(SCRAM, 'n,,n=u,r=nonce');
      return (await scene.caller().introduce({ protocolVersion: 5, properties }))?.type;
    },
    seen: [PacketType.CONNACK, PacketType.AUTH],
  }),
  sys_interval: () => ({
    lines: ['sys_interval 10', 'sys_interval 0'],
    look: async () => (await received({ '$SYS/broker/version': 0 }, [])).length,
    seen: [1, 0],
  }),
  upgrade_outgoing_qos: () => ({
    lines: ['upgrade_outgoing_qos false', 'upgrade_outgoing_qos true'],
    look: async () => (await received({ a: 1 }, [{}]))[0]?.qos,
    seen: [0, 1],
  }),
  user: () => ({
    lines: ['user one', 'user two'],
    asRoot: true,
    look: async () => scene.users.at(-1),
    seen: ['one', 'two'],
  }),
  listener: () => ({
    lines: ['', `listener 0 ${scene.at('more')}`],
    look: async () => existsSync(scene.at('more')),
    seen: [false, true],
  }),
  port: () => ({ lines: ['', `port ${port}`], look: () => accepts(port, '127.0.0.1'), seen: [false, true] }),
  bind_address: () => ({
    lines: ['', 'bind_address 127.0.0.3'],
    look: () => accepts(1883, '127.0.0.3'),
    seen: [false, true],
  }),
  accept_protocol_versions: () => ({
    lines: ['', 'accept_protocol_versions 5'],
    look: () => code(),
    seen: [0, 1],
  }),
  bind_interface: () => ({
    place: tcp,
    lines: ['bind_interface lo', ''],
    look: () => accepts(port, '127.0.0.2'),
    seen: [false, true],
  }),
  enable_proxy_protocol: () => ({
    lines: ['', 'enable_proxy_protocol 1'],
    look: async () => {
      const caller = scene.caller();
      caller.socket.write(V1);
      return (await caller.introduce().catch(() => undefined))?.type;
    },
    seen: [undefined, PacketType.CONNACK],
  }),
  http_dir: () => {
    for (const name of ['one', 'two']) {
      mkdirSync(scene.at(name));
      scene.write(`${name}/f`, name);
    }
    return {
      lines: [`http_dir ${scene.at('one')}`, `http_dir ${scene.at('two')}`],
      listener: 'protocol http_api',
      look: async () => (await http('GET /f HTTP/1.1\r\nHost: x\r\n\r\n')).split('\r\n\r\n')[1],
      seen: ['one', 'two'],
    };
  },
  listener_allow_anonymous: () => ({
    lines: ['', 'listener_allow_anonymous false'],
    look: () => code(),
    seen: [0, 5],
  }),
  listener_auto_id_prefix: () => ({
    lines: ['listener_auto_id_prefix x-', 'listener_auto_id_prefix y-'],
    look: async () => String(await told('assignedClientIdentifier', { clientId: '' })).slice(0, 2),
    seen: ['x-', 'y-'],
  }),
  max_connections: () => ({ lines: ['', 'max_connections 1'], look: served, seen: [2, 1] }),
  max_qos: () => ({ lines: ['', 'max_qos 1'], look: () => told('maximumQoS'), seen: [undefined, 1] }),
  max_topic_alias: () => ({
    lines: ['', 'max_topic_alias 3'],
    look: () => told('topicAliasMaximum'),
    seen: [10, 3],
  }),
  max_topic_alias_broker: () => ({
    lines: ['', 'max_topic_alias_broker 0'],
    look: async () => {
      const properties: Properties = [{ name: 'topicAliasMaximum', value: 5 }];
      const [message] = await received({ a: 0 }, [{}], { protocolVersion: 5, properties });
      return property(message!.properties, 'topicAlias');
    },
    seen: [1, undefined],
  }),
  mount_point: () => ({
    lines: ['', 'mount_point m/'],
    look: async () => {
      await received({ a: 0 }, []);
      return scene.broker?.subscriptionTree().split(/\s/)[0];
    },
    seen: ['a', 'm'],
  }),
  protocol: () => ({
    lines: ['protocol mqtt', 'protocol websockets'],
    look: async () => (await http(request())).startsWith('HTTP/1.1 101'),
    seen: [false, true],
  }),
  proxy_protocol_v2_require_tls: () => ({
    lines: ['', 'proxy_protocol_v2_require_tls true'],
    listener: 'enable_proxy_protocol 2',
    look: async () => {
      const caller = scene.caller();
      caller.socket.write(V2);
      return (await caller.introduce())?.type;
    },
    seen: [PacketType.CONNACK, undefined],
  }),
  socket_domain: () => ({
    place: tcp,
    lines: ['socket_domain ipv4', ''],
    look: () => accepts(port, '::1'),
    seen: [false, true],
  }),
  use_username_as_clientid: () => ({
    lines: ['', 'use_username_as_clientid true'],
    look: () => logs(/ as u \(/, { username: 'u' }),
    seen: [false, true],
  }),
  websockets_origin: () => ({
    lines: ['', 'websockets_origin http://here'],
    listener: 'protocol websockets',
    look: () => status(request({ ...UPGRADE, Origin: 'http://there' } as typeof UPGRADE)),
    seen: ['101', '403'],
  }),
  certfile: () => ({
    lines: [material(), `certfile ${second.cert}\nkeyfile ${second.key}`],
    look: async () => (await tlsSocket())?.getPeerX509Certificate()?.subject,
    seen: ['CN=first', 'CN=second'],
  }),
  cafile: () => ({
    lines: [`cafile ${own.file}`, `cafile ${foreign.file}`],
    listener: `${material()}require_certificate true`,
    look: () => tlsCode(device),
    seen: [0, 'closed'],
  }),
  capath: () => ({
    lines: ['', `capath ${own.file.replace(/\/[^/]*$/, '')}`],
    listener: `${material()}require_certificate true`,
    look: () => tlsCode(device),
    seen: ['closed', 0],
  }),
  require_certificate: () => ({
    lines: ['', 'require_certificate true'],
    listener: `${material()}cafile ${own.file}`,
    look: () => tlsCode(),
    seen: [0, 'closed'],
  }),
  use_identity_as_username: () => ({
    lines: ['', 'use_identity_as_username true'],
    listener: mutual(),
    look: username,
    seen: [undefined, 'device 7'],
  }),
  use_subject_as_username: () => ({
    lines: ['', 'use_subject_as_username true'],
    listener: mutual(),
    look: username,
    seen: [undefined, 'CN=device 7'],
  }),
  tls_version: () => ({
    lines: ['tls_version tlsv1.2', 'tls_version tlsv1.3'],
    listener: material(),
    look: () => tlsCode(undefined, { maxVersion: 'TLSv1.2' }),
    seen: [0, 'closed'],
  }),
  ciphers: () => ({
    lines: ['ciphers ECDHE-ECDSA-AES128-GCM-SHA256', 'ciphers ECDHE-ECDSA-AES256-GCM-SHA384'],
    listener: material(),
    look: async () => (await tlsSocket({ maxVersion: 'TLSv1.2' }))?.getCipher().name,
    seen: ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384'],
  }),
  'ciphers_tls1.3': () => ({
    lines: ['ciphers_tls1.3 TLS_AES_128_GCM_SHA256', 'ciphers_tls1.3 TLS_AES_256_GCM_SHA384'],
    listener: material(),
    look: async () => (await tlsSocket())?.getCipher().name,
    seen: ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384'],
  }),
  crlfile: () => ({
    lines: ['', `crlfile ${own.revocations()}`],
    listener: mutual(),
    look: () => tlsCode(revoked),
    seen: [0, 'closed'],
  }),
  disable_client_cert_date_checks: () => ({
    lines: ['', 'disable_client_cert_date_checks true'],
    listener: mutual(),
    look: () => tlsCode(expired),
    seen: ['closed', 0],
  }),
  psk_hint: () => ({
    lines: ['psk_hint one', 'psk_hint two'],
    global: `psk_file ${scene.write('psk', 'me:0b\n')}`,
    look: async () => {
      const hints: (string | null)[] = [];
      const pskCallback = (hint: string | null) => {
        hints.push(hint);
        return { identity: 'me', psk: Buffer.from('0b', 'hex') };
      };
      await tlsCode(undefined, {
        ciphers: 'PSK',
        maxVersion: 'TLSv1.2',
        pskCallback,
        checkServerIdentity: () => undefined,
      });
      return hints[0];
    },
    seen: ['one', 'two'],
  }),
};

/** What cannot be seen so, and where else it is. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  keyfile: 'certfile: neither does without the other',
  persistent_client_expiration: 'packages/broker/src/simulated-days.test.ts, which has the days',
  retain_expiry_interval: 'packages/broker/src/routing/retained-delivery.test.ts, which has the minutes',
  plugin_load: 'plugin_use: neither does without the other',
  plugin_use: 'packages/broker/src/conf/plugins.test.ts; what it sets is acl_file and password_file',
};

const honoured = CONF_OPTIONS.filter(({ support }) => support === 'honoured');

it('no option is forgotten', () => {
  const known = [...Object.keys(SIGHTS), ...Object.keys(ELSEWHERE)];
  expect(known.sort()).toEqual(honoured.map(({ name }) => name).sort());
});

describe('after SIGHUP (broker §3, HUP)', () => {
  const rows = honoured.filter(({ name }) => name in SIGHTS).map((row) => [row.name, row.hup, row] as const);
  it.each(rows)('%s (%s)', async (name, hup, { scope }) => {
    port = await freePort();
    const { lines, listener = '', global = '', place, look, seen, meanwhile, asRoot } = SIGHTS[name]!();
    const at = place === undefined ? `0 ${scene.socket}` : await place();
    const user = name === 'user' ? '' : 'user root\n';
    const conf = (line: string): string => {
      const below = scope === 'L' || scope === 'L+';
      const above = `${below ? '' : line}\n${user}${/^allow_anonymous/.test(line) ? '' : 'allow_anonymous true\n'}${global}`;
      return `${above}\nlistener ${at}\n${listener}\n${below ? line : ''}\n`;
    };
    await scene.start(conf(lines[0]), asRoot === true ? 0 : undefined);
    expect(await look()).toEqual(name === 'check_retain_source' ? 1 : seen[0]);
    await scene.leave();
    meanwhile?.();
    await scene.hangUp(conf(lines[1]));
    expect(await look()).toEqual(seen[hup === 'N' ? 0 : 1]);
    const waits = scene.log.includes(`Warning: A change of '${name}' needs a restart.`);
    const isPlace = ['listener', 'port', 'bind_address'].includes(name);
    expect(waits).toBe(hup === 'N' && !isPlace);
  });
});

it('certificates do not make way for keys, nor keys for certificates, before a restart: nobody gets in without TLS', async () => {
  const psk = `psk_file ${scene.write('psk', 'me:0b\n')}`;
  const conf = (lines: string) =>
    `user root\nallow_anonymous true\n${psk}\nlistener 0 ${scene.socket}\n${lines}\n`;
  await scene.start(conf(material()));
  await scene.hangUp(conf('psk_hint hint'));
  expect(await code()).toBe('closed');
  expect((await tlsSocket())?.getPeerX509Certificate()?.subject).toBe('CN=first');
  expect(scene.log).toContain("Warning: A change of 'psk_hint' needs a restart.");
});
