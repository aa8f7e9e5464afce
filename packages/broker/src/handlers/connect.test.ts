import type { ProtocolVersion } from '@tsmqtt/protocol';
import { describe, expect, it } from 'vitest';
import { bytesOf, connectPacket, publishPacket } from '../../test/raw-client.js';
import { TestBroker, type TestBrokerOptions } from '../../test/test-broker.js';

const NAME = { MQTT: '0004 4d515454', MQIsdp: '0006 4d5149736470' } as const;

/** What stands between Fixed Header and the payload. */
interface Header {
  readonly name?: keyof typeof NAME;
  readonly level: number;
  readonly flags: string;
  /** MQTT 5: Properties with their length. */
  readonly properties?: string;
  /** Default: 60. */
  readonly keepAlive?: string;
}

/** CONNECT from its parts as hex digits. */
function connect(header: Header, payload: string, firstByte = '10'): string {
  const name = NAME[header.name ?? (header.level === 3 ? 'MQIsdp' : 'MQTT')];
  const properties = header.properties ?? ((header.level & 0x7f) === 5 ? '00' : '');
  const level = header.level.toString(16).padStart(2, '0');
  const body =
    `${name}${level}${header.flags}${header.keepAlive ?? '003c'}${properties}${payload}`.replaceAll(' ', '');
  return `${firstByte} ${(body.length / 2).toString(16).padStart(2, '0')} ${body}`;
}

/** Answers: bytes of CONNACK before the close; '' for a bare close. */
type Answers = Partial<Record<ProtocolVersion, string>>;

interface Row {
  readonly what: string;
  readonly flags: string;
  readonly payload: string;
  readonly properties?: string;
  readonly keepAlive?: string;
  readonly firstByte?: string;
  readonly broker?: TestBrokerOptions;
  readonly answers: Answers;
}

const ACCEPTED: Record<ProtocolVersion, string> = {
  3: '20 02 00 00',
  4: '20 02 00 00',
  5: '20 0e 00 00 0b 22 00 0a 27 00 1e 84 80 21 00 14',
};
const all = (answer: string): Answers => ({ 3: answer, 4: answer, 5: answer });
const CLOSE = all('');
const NOT_AUTHORISED: Answers = { 3: '20 02 00 05', 4: '20 02 00 05', 5: '20 03 00 87 00' };
const ID = '0001 61';
/** Will topic `w` with payload `x`, in 3.x and in MQTT 5 with its empty properties. */
const WILL = { 3: '0001 77 0001 78', 5: '00 0001 77 0001 78' } as const;
const refuses = { verify: () => Promise.resolve('refused' as const) };

// Every CONNECT that does not get in, and those that look like it (broker §9.2).
// biome-ignore format: one row a line
const ROWS: readonly Row[] = [
  { what: 'as it should be [MQTT-3.2.2-1]', flags: '02', payload: ID, answers: ACCEPTED },
  { what: 'Fixed Header flags [MQTT-2.1.3-1] [MQTT311-2.2.2-1]', flags: '02', payload: ID, firstByte: '11', answers: { 3: ACCEPTED[3], 4: '', 5: '' } },
  { what: 'reserved Connect Flag [MQTT-3.1.2-3] [MQTT311-3.1.2-3]', flags: '03', payload: ID, answers: { 3: ACCEPTED[3], 4: '', 5: '' } },
  { what: 'password without username [MQTT311-3.1.2-22]', flags: '42', payload: `${ID} 0001 70`, answers: { 3: '', 4: '', 5: ACCEPTED[5] } },
  { what: 'Will QoS 3 [MQTT311-3.1.2-14]', flags: '1e', payload: `${ID} ${WILL[3]}`, answers: { 3: '', 4: '' } },
  { what: 'Will QoS 3 [MQTT-3.1.2-12]', flags: '1e', payload: `${ID} ${WILL[5]}`, answers: { 5: '' } },
  { what: 'Will QoS without a will [MQTT-3.1.2-11] [MQTT311-3.1.2-11] [MQTT311-3.1.2-13]', flags: '0a', payload: ID, answers: CLOSE },
  { what: 'Will Retain without a will [MQTT-3.1.2-13] [MQTT311-3.1.2-11] [MQTT311-3.1.2-15]', flags: '22', payload: ID, answers: CLOSE },
  { what: 'wildcard in the Will Topic', flags: '06', payload: `${ID} 0001 23 0000`, answers: { 3: '', 4: '' } },
  { what: 'wildcard in the Will Topic', flags: '06', payload: `${ID} 00 0001 2b 0000`, answers: { 5: '' } },
  { what: 'Will Topic $CONTROL/a', flags: '06', payload: `${ID} 000a 24434f4e54524f4c2f61 0000`, answers: { 3: '', 4: '' } },
  { what: 'Will Topic $CONTROL/a', flags: '06', payload: `${ID} 00 000a 24434f4e54524f4c2f61 0000`, answers: { 5: '' } },
  { what: 'empty Will Topic', flags: '06', payload: `${ID} 0000 0000`, answers: { 3: '', 4: '' } },
  { what: 'empty Will Topic', flags: '06', payload: `${ID} 00 0000 0000`, answers: { 5: '20 03 00 82 00' } },
  { what: 'Will Retain without retain_available [MQTT311-3.2.2-6]', flags: '26', payload: `${ID} ${WILL[3]}`, broker: { settings: { retainAvailable: false } }, answers: { 3: '', 4: '' } },
  { what: 'Will Retain without retain_available [MQTT-3.2.2-13]', flags: '26', payload: `${ID} ${WILL[5]}`, broker: { settings: { retainAvailable: false } }, answers: { 5: '20 03 00 9a 00' } },
  { what: 'Will QoS over max_qos [MQTT311-3.2.2-6]', flags: '16', payload: `${ID} ${WILL[3]}`, broker: { listener: { maxQos: 1 } }, answers: { 3: '', 4: '' } },
  { what: 'Will QoS over max_qos [MQTT-3.2.2-12]', flags: '16', payload: `${ID} ${WILL[5]}`, broker: { listener: { maxQos: 1 } }, answers: { 5: '20 05 00 9b 02 24 01' } },
  { what: 'will over message_size_limit', flags: '06', payload: `${ID} 0001 77 0003 787878`, broker: { settings: { messageSizeLimit: 2 } }, answers: { 3: '20 02 00 05', 4: '20 02 00 05' } },
  { what: 'will over message_size_limit', flags: '06', payload: `${ID} 00 0001 77 0003 787878`, broker: { settings: { messageSizeLimit: 2 } }, answers: { 5: '20 03 00 95 00' } },
  { what: 'Property Length beyond the packet', flags: '02', properties: '20', payload: ID, answers: { 5: '20 03 00 81 00' } },
  { what: 'Property Length not in its shortest form [MQTT-1.5.5-1]', flags: '02', properties: '80 00', payload: ID, answers: { 5: '20 03 00 81 00' } },
  { what: 'property that does not exist', flags: '02', properties: '02 7f 00', payload: ID, answers: { 5: '20 03 00 81 00' } },
  { what: 'property value that is cut off', flags: '02', properties: '02 21 00', payload: ID, answers: { 5: '20 03 00 81 00' } },
  { what: 'property that may not stand there', flags: '02', properties: '02 01 00', payload: ID, answers: { 5: '20 03 00 82 00' } },
  { what: 'property that stands twice', flags: '02', properties: '06 21 0001 21 0001', payload: ID, answers: { 5: '20 03 00 82 00' } },
  { what: 'Receive Maximum 0', flags: '02', properties: '03 21 0000', payload: ID, answers: { 5: '20 03 00 82 00' } },
  { what: 'Maximum Packet Size 0', flags: '02', properties: '05 27 00000000', payload: ID, answers: { 5: '20 03 00 82 00' } },
  { what: 'boolean of 2', flags: '02', properties: '02 17 02', payload: ID, answers: { 5: '20 03 00 82 00' } },
  { what: 'invalid UTF-8 in a User Property [MQTT-1.5.7-1]', flags: '02', properties: '06 26 0001 ff 0000', payload: ID, answers: { 5: '' } },
  { what: 'property value of the will that is cut off', flags: '06', payload: `${ID} 02 18 00 0001 77 0001 78`, answers: { 5: '20 03 00 81 00' } },
  { what: 'property that the will does not have', flags: '06', payload: `${ID} 03 21 0001 0001 77 0001 78`, answers: { 5: '20 03 00 82 00' } },
  { what: 'Authentication Data without Method', flags: '02', properties: '04 16 0001 61', payload: ID, answers: { 5: '20 03 00 82 00' } },
  { what: 'Authentication Method [MQTT-4.12.0-1]', flags: '02', properties: '04 15 0001 61', payload: ID, answers: { 5: '20 03 00 8c 00' } },
  { what: 'client identifier that is not UTF-8 [MQTT-3.1.3-4] [MQTT-3.1.3-8] [MQTT311-3.1.3-4] [MQTT311-3.1.4-1]', flags: '02', payload: '0001 ff', answers: { 3: '', 4: '', 5: '20 03 00 85 00' } },
  { what: 'client identifier with a control character', flags: '02', payload: '0001 01', answers: { 3: '', 4: '', 5: '20 03 00 85 00' } },
  { what: 'client identifier that is cut off', flags: '02', payload: '0005 61', answers: { 3: '', 4: '', 5: '20 03 00 85 00' } },
  { what: 'no client identifier at all [MQTT-3.1.3-3] [MQTT-3.1.4-1] [MQTT311-3.1.3-3]', flags: '02', payload: '', answers: { 3: '', 4: '', 5: '20 03 00 85 00' } },
  { what: 'username that is not UTF-8 [MQTT-3.1.3-12] [MQTT311-3.1.3-11]', flags: '82', payload: `${ID} 0001 ff`, answers: CLOSE },
  { what: 'username that is cut off', flags: '82', payload: `${ID} 0005 61`, answers: CLOSE },
  { what: 'username flag and nothing behind [MQTT-3.1.2-17] [MQTT311-3.1.2-19]', flags: '82', payload: ID, answers: { 3: ACCEPTED[3], 4: '', 5: '' } },
  { what: 'password that is cut off [MQTT-3.1.2-19] [MQTT311-3.1.2-21]', flags: 'c2', payload: `${ID} 0001 75 0005 70`, answers: CLOSE },
  { what: 'Will Payload that is cut off [MQTT311-3.1.2-9]', flags: '06', payload: `${ID} 0001 77 0005 78`, answers: { 3: '', 4: '' } },
  { what: 'bytes left over [MQTT-3.1.2-16] [MQTT-3.1.2-18] [MQTT311-3.1.2-18] [MQTT311-3.1.2-20]', flags: '02', payload: `${ID} 00`, answers: { 3: '', 4: '', 5: '20 03 00 81 00' } },
  { what: 'empty identifier, clean', flags: '02', payload: '0000', answers: { 3: '20 02 00 02' } },
  { what: 'empty identifier, not clean [MQTT311-3.1.3-7] [MQTT311-3.1.3-8]', flags: '00', payload: '0000', answers: { 3: '20 02 00 02', 4: '20 02 00 02' } },
  { what: 'empty identifier without allow_zero_length_clientid [MQTT-3.1.3-8] [MQTT311-3.1.3-9]', flags: '02', payload: '0000', broker: { settings: { allowZeroLengthClientId: false } }, answers: { 3: '20 02 00 02', 4: '20 02 00 02', 5: '20 03 00 80 00' } },
  { what: 'Keep Alive over max_keepalive', flags: '02', payload: ID, broker: { settings: { maxKeepAlive: 59 } }, answers: { 3: '20 02 00 02', 4: '20 02 00 02' } },
  { what: 'Keep Alive of max_keepalive', flags: '02', payload: ID, broker: { settings: { maxKeepAlive: 60 } }, answers: ACCEPTED },
  { what: 'refused credentials [MQTT-3.1.4-2] [MQTT-3.2.2-7] [MQTT-4.13.2-1] [MQTT311-3.2.2-5]', flags: 'c2', payload: `${ID} 0001 75 0001 70`, broker: { verifier: refuses }, answers: { 3: '20 02 00 05', 4: '20 02 00 05', 5: '20 03 00 87 00' } },
  { what: 'refused credentials, max_qos 0', flags: 'c2', payload: `${ID} 0001 75 0001 70`, broker: { verifier: refuses, listener: { maxQos: 0 } }, answers: { 5: '20 05 00 87 02 24 00' } },
  { what: 'Keep Alive over max_keepalive [MQTT-3.2.2-21]', flags: '02', payload: ID, broker: { settings: { maxKeepAlive: 59 } }, answers: { 5: '20 11 00 00 0e 13 00 3b 22 00 0a 27 00 1e 84 80 21 00 14' } },
  { what: 'Keep Alive 0 with max_keepalive', flags: '02', payload: ID, keepAlive: '0000', broker: { settings: { maxKeepAlive: 59 } }, answers: { 3: '20 02 00 02', 4: '20 02 00 02', 5: '20 11 00 00 0e 13 00 3b 22 00 0a 27 00 1e 84 80 21 00 14' } },
  { what: 'Will Topic that is not UTF-8 [MQTT-3.1.3-11]', flags: '06', payload: `${ID} 0001 ff 0000`, answers: { 3: '', 4: '' } },
  { what: 'Will Topic that is not UTF-8 [MQTT-3.1.3-11]', flags: '06', payload: `${ID} 00 0001 ff 0000`, answers: { 5: '' } },
  { what: 'Will Topic that is cut off', flags: '06', payload: `${ID} 0005 77`, answers: { 3: '', 4: '' } },
  { what: 'Will Topic that is cut off', flags: '06', payload: `${ID} 00 0005 77`, answers: { 5: '' } },
  { what: 'version that is not among accept_protocol_versions', flags: '02', payload: ID, broker: { listener: { protocolVersions: [] } }, answers: { 3: '20 02 00 01', 4: '20 02 00 01', 5: '20 03 00 84 00' } },
  { what: 'accept_protocol_versions 3', flags: '02', payload: ID, broker: { listener: { protocolVersions: [3] } }, answers: { 3: ACCEPTED[3], 4: '20 02 00 01', 5: '20 03 00 84 00' } },
  { what: 'accept_protocol_versions 4', flags: '02', payload: ID, broker: { listener: { protocolVersions: [4] } }, answers: { 3: '20 02 00 01', 4: ACCEPTED[4], 5: '20 03 00 84 00' } },
  { what: 'accept_protocol_versions 5', flags: '02', payload: ID, broker: { listener: { protocolVersions: [5] } }, answers: { 3: '20 02 00 01', 4: '20 02 00 01', 5: ACCEPTED[5] } },
  { what: 'use_username_as_clientid, no username', flags: '02', payload: ID, broker: { listener: { useUsernameAsClientId: true } }, answers: NOT_AUTHORISED },
  { what: 'use_username_as_clientid, empty username', flags: '82', payload: `${ID} 0000`, broker: { listener: { useUsernameAsClientId: true } }, answers: NOT_AUTHORISED },
  { what: 'use_username_as_clientid, username', flags: '82', payload: `${ID} 0001 75`, broker: { listener: { useUsernameAsClientId: true } }, answers: ACCEPTED },
  { what: 'use_username_as_clientid, username, empty identifier', flags: '82', payload: '0000 0001 75', broker: { listener: { useUsernameAsClientId: true } }, answers: { 3: '20 02 00 02', 4: ACCEPTED[4], 5: '20 12 00 00 0f 22 00 0a 12 00 01 75 27 00 1e 84 80 21 00 14' } },
  { what: 'use_identity_as_username, no certificate', flags: 'c2', payload: `${ID} 0001 75 0001 70`, broker: { listener: { useIdentityAsUsername: true } }, answers: { 3: '20 02 00 04', 4: '20 02 00 04', 5: '20 03 00 86 00' } },
  { what: 'use_identity_as_username, certificate without CN', flags: '02', payload: ID, broker: { listener: { useIdentityAsUsername: true }, identity: { commonName: undefined, subject: 'O=x' } }, answers: { 3: '20 02 00 04', 4: '20 02 00 04', 5: '20 03 00 86 00' } },
  { what: 'use_identity_as_username, whatever the password', flags: 'c2', payload: `${ID} 0001 75 0001 70`, broker: { verifier: refuses, listener: { useIdentityAsUsername: true }, identity: { commonName: 'ann', subject: 'CN=ann' } }, answers: ACCEPTED },
  { what: 'identifier with the prefix', flags: '02', payload: '0002 612d', broker: { settings: { clientIdPrefix: 'a-' } }, answers: ACCEPTED },
  { what: 'identifier without the prefix', flags: '02', payload: ID, broker: { settings: { clientIdPrefix: 'a-' } }, answers: NOT_AUTHORISED },
  { what: 'assigned identifier without the prefix', flags: '02', payload: '0000', broker: { settings: { clientIdPrefix: 'a-' } }, answers: { 4: '20 02 00 05', 5: '20 03 00 87 00' } },
  { what: 'assigned identifier with the prefix', flags: '02', payload: '0000', broker: { settings: { clientIdPrefix: 'a-', autoIdPrefix: 'a-' } }, answers: { 4: ACCEPTED[4] } },
  { what: 'the prefix is that of the identifier, not of the username that replaces it', flags: '82', payload: '0002 612d 0001 75', broker: { settings: { clientIdPrefix: 'a-' }, listener: { useUsernameAsClientId: true } }, answers: ACCEPTED },
  { what: 'Maximum Packet Size of a CONNACK that refuses', flags: 'c2', properties: '05 27 00000005', payload: `${ID} 0001 75 0001 70`, broker: { verifier: refuses }, answers: { 5: '20 03 00 87 00' } },
  { what: 'Maximum Packet Size below a CONNACK that refuses [MQTT-3.1.2-24]', flags: 'c2', properties: '05 27 00000004', payload: `${ID} 0001 75 0001 70`, broker: { verifier: refuses }, answers: { 5: '' } },
  { what: 'Maximum Packet Size of CONNACK', flags: '02', properties: '05 27 00000010', payload: ID, answers: { 5: ACCEPTED[5] } },
  { what: 'Maximum Packet Size below CONNACK [MQTT-3.1.2-24]', flags: '02', properties: '05 27 0000000f', payload: ID, answers: { 5: '' } },
];

for (const { what, answers, broker: options, firstByte, ...parts } of ROWS) {
  for (const version of [3, 4, 5] as const) {
    const answer = answers[version];
    if (answer === undefined) continue;
    it(`version ${version}: ${what}: ${answer === '' ? 'closed' : answer}`, async () => {
      const broker = new TestBroker(options);
      const client = broker.open(version);
      // The right way to name the reader of what comes: packets behind a refused CONNECT are not handled.
      const ping = 'c0 00';
      const bytes = connect({ level: version, ...parts }, parts.payload, firstByte);
      // An accepted client's PINGREQ is answered.
      const expected = /^20 \S\S 00 00/.test(answer) ? `${answer} d0 00` : `${answer} closed`.trim();
      expect(await client.exchange(bytes, ping)).toBe(expected);
    });
  }
}

describe('protocol name and level', () => {
  const UNKNOWN_LEVEL = '20 03 00 84 00 closed';
  const WRONG_LEVEL = '20 02 00 01 closed';
  // biome-ignore format: one row a line
  const LEVELS = [
    { name: 'MQTT', level: 0, answer: UNKNOWN_LEVEL },
    { name: 'MQTT', level: 6, answer: UNKNOWN_LEVEL },
    { name: 'MQTT', level: 0x80, answer: UNKNOWN_LEVEL },
    { name: 'MQTT', level: 0x86, answer: UNKNOWN_LEVEL },
    { name: 'MQIsdp', level: 0, answer: UNKNOWN_LEVEL },
    { name: 'MQIsdp', level: 4, answer: WRONG_LEVEL },
    { name: 'MQIsdp', level: 5, answer: WRONG_LEVEL },
    { name: 'MQTT', level: 3, answer: WRONG_LEVEL },
    { name: 'MQIsdp', level: 0x83, answer: ACCEPTED[3] },
    { name: 'MQTT', level: 0x84, answer: ACCEPTED[4] },
    { name: 'MQTT', level: 0x85, answer: ACCEPTED[5] },
  ] as const;
  for (const { name, level, answer } of LEVELS) {
    it(`${name} with level 0x${level.toString(16)}: ${answer} [MQTT-3.1.2-2] [MQTT311-3.1.2-2]`, async () => {
      const client = new TestBroker().open(5);
      expect(await client.exchange(connect({ name, level, flags: '02' }, ID))).toBe(answer);
    });
  }

  const wrong = ['0004 4d515455', '0004 6d717474', '0006 4d5154545474', '0000', '0005 4d51'];
  it.each(wrong.flatMap((name) => ['03', '04', '05'].map((level) => [name, level] as const)))(
    'Protocol Name %s with level %s closes [MQTT-3.1.2-1] [MQTT311-3.1.2-1]',
    async (name, level) => {
      const body = `${name} ${level} 02 003c ${level === '05' ? '00' : ''} 0001 61`.replaceAll(' ', '');
      const client = new TestBroker().open();
      expect(await client.exchange(`10 ${(body.length / 2).toString(16).padStart(2, '0')} ${body}`)).toBe(
        'closed',
      );
    },
  );
});

describe('a refused CONNECT', () => {
  const verifier = {
    verify: (_user: string, password: Uint8Array | undefined) =>
      Promise.resolve(password?.length === 1 ? ('accepted' as const) : ('refused' as const)),
  };
  const will = { topic: 'will', payload: Buffer.from('gone'), qos: 0 as const, retain: true, properties: [] };
  const good = { clientId: 'same', username: 'u', password: Buffer.from('1'), cleanStart: false };
  const bad = { ...good, password: Buffer.from('22'), cleanStart: true, will };

  it.each([3, 4, 5] as const)(
    'version %i: leaves the client of that identifier alone and has no will',
    async (protocolVersion) => {
      const broker = new TestBroker({ verifier });
      const owner = await broker.connect({ ...good, protocolVersion: 4 });
      await owner.send('82 06 0001 0001 23 00');
      const intruder = await broker.attempt({ ...bad, protocolVersion });
      expect(await intruder.take()).toEqual([expect.stringMatching(/^CONNACK 0x(05|87)/), 'closed']);
      await intruder.vanish();
      expect(await owner.send(publishPacket('a', '1'))).toEqual(['PUBLISH a=1']);
      expect(broker.engine.retained.size).toBe(0);
    },
  );

  it.each([3, 4, 5] as const)(
    'version %i: leaves the offline session of that identifier alone',
    async (protocolVersion) => {
      const broker = new TestBroker({ verifier });
      await (await broker.connect({ ...good, protocolVersion: 4 })).vanish();
      await broker.attempt({ ...bad, protocolVersion });
      const back = await broker.attempt({ ...good, protocolVersion: 4 });
      expect(await back.take()).toEqual(['CONNACK present 0x00']);
    },
  );

  it('does not cancel a delayed will', async () => {
    const broker = new TestBroker({ verifier });
    const delayed = {
      ...will,
      retain: false,
      properties: [{ name: 'willDelayInterval', value: 5 } as const],
    };
    const watcher = await broker.connect({ ...good, clientId: 'watcher' });
    await watcher.send('82 06 0001 0001 23 00');
    await (await broker.connect({ ...good, protocolVersion: 5, will: delayed })).vanish();
    await broker.attempt({ ...bad, protocolVersion: 5 });
    await broker.pass(6);
    expect(await watcher.take()).toEqual(['PUBLISH will=gone']);
  });
});

it('packets behind a refused CONNECT are not handled [MQTT311-3.1.4-5]', async () => {
  const broker = new TestBroker({ verifier: refuses });
  const client = broker.open();
  client.write(
    bytesOf(connectPacket({ username: 'u', password: Buffer.from('p') }), 4),
    publishPacket('a', '1', { retain: true }),
  );
  expect(await client.take()).toEqual(['CONNACK 0x05', 'closed']);
  expect(broker.engine.retained.size).toBe(0);
});

describe('use_username_as_clientid', () => {
  it('the session is that of the username, and a second client with it takes over', async () => {
    const broker = new TestBroker({ listener: { useUsernameAsClientId: true } });
    const first = await broker.connect({ clientId: 'a', username: 'ann' });
    expect(broker.engine.sessions.get('ann')).toBeDefined();
    expect(broker.engine.sessions.get('a')).toBeUndefined();
    expect(broker.logged.at(-1)).toContain(" as ann (p4, c1, k0, u'ann').");
    await broker.connect({ clientId: 'b', username: 'ann' });
    expect(await first.take()).toEqual(['closed']);
  });
});

describe('global_max_clients', () => {
  const settings = { globalMaxClients: 2 };
  const lasting = { cleanStart: false } as const;

  it.each([
    [3, ['closed']],
    [4, ['closed']],
    [5, ['CONNACK 0x89', 'closed']],
  ] as const)('version %i: a new client beyond it: %j', async (protocolVersion, lines) => {
    const broker = new TestBroker({ settings });
    await broker.connect({ clientId: 'one' });
    await (await broker.connect({ clientId: 'two', ...lasting })).vanish();
    expect(await (await broker.attempt({ clientId: 'three', protocolVersion })).take()).toEqual(lines);
    expect(broker.engine.sessions.size).toBe(2);
  });

  it('those who are known come back, and take over, clean or not', async () => {
    const broker = new TestBroker({ settings });
    await broker.connect({ clientId: 'one' });
    await (await broker.connect({ clientId: 'two', ...lasting })).vanish();
    for (const clientId of ['one', 'two']) {
      const [connack] = await (await broker.attempt({ clientId, cleanStart: true })).take();
      expect(connack).toMatch(/^CONNACK 0x00/);
    }
  });

  it('a session that ended makes room', async () => {
    const broker = new TestBroker({ settings: { globalMaxClients: 1 } });
    await (await broker.connect({ clientId: 'one' })).vanish();
    await broker.connect({ clientId: 'two' });
  });
});

describe('a reload goes for those who come after it (broker T-6)', () => {
  it('global_max_clients', async () => {
    const broker = new TestBroker();
    const first = await broker.connect({ clientId: 'one' });
    await broker.connect({ clientId: 'two' });
    await broker.reload({ globalMaxClients: 1 });
    expect(await first.send('c0 00')).toEqual(['PINGRESP']);
    expect(await (await broker.attempt({ clientId: 'three' })).take()).toEqual(['closed']);
    await broker.reload({ globalMaxClients: 3 });
    await broker.connect({ clientId: 'three' });
  });

  it('clientid_prefixes', async () => {
    const broker = new TestBroker();
    const first = await broker.connect({ clientId: 'one' });
    await broker.reload({ clientIdPrefix: 'a-' });
    expect(await first.send('c0 00')).toEqual(['PINGRESP']);
    expect(await (await broker.attempt({ clientId: 'one' })).take()).toEqual(['CONNACK 0x05', 'closed']);
    await broker.connect({ clientId: 'a-one' });
  });
});
