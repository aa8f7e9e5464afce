import { formatScramCredential, makeScramCredential, ScramFile } from '@tsmqtt/credentials';
import { describe, expect, it } from 'vitest';
import { PINGREQ, publishPacket, type RawClient, subscribePacket } from '../../test/raw-client.js';
import { authPacket, authProperties, SCRAM, ScramClient } from '../../test/scram-client.js';
import { TestBroker, withSecrets } from '../../test/test-broker.js';
import { silentLog } from '../log/log.js';
import { parseAcl } from './acl-parser.js';
import type { AuthClient } from './auth-method.js';
import { ScramSha256 } from './scram-sha-256.js';

// RFC 7677, 3: user `user`, password `pencil`. The stored keys follow from them (RFC 5802, 3).
const RFC_SALT = 'W22ZaJ0SNY7soEsUEjb6gQ==';
const RFC_USER = `user:$scram-sha-256$4096$${RFC_SALT}$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=$wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=`;
const RFC_NONCE = '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';

const users = async (given: Record<string, string>) => {
  const lines = Object.entries(given).map(async ([name, password]) => {
    const credential = await makeScramCredential(Buffer.from(password), { iterations: 4096 });
    return `${name}:${formatScramCredential(credential)}\n`;
  });
  return new ScramSha256(ScramFile.fromText((await Promise.all(lines)).join(''), 'scram'));
};

const connectBy = (first: string | undefined, fields = {}) => ({
  protocolVersion: 5 as const,
  properties: authProperties(SCRAM, first),
  ...fields,
});

/** Sends CONNECT and, where there is a challenge, the answer to it; what came in the end. */
async function comeIn(broker: TestBroker, scram: ScramClient, fields = {}): Promise<[RawClient, string[]]> {
  const client = await broker.attempt(connectBy(scram.first, fields));
  const lines = await client.take();
  const challenge = /^AUTH 0x18 authenticationMethod=SCRAM-SHA-256 authenticationData=(.*)$/.exec(
    lines[0] ?? '',
  );
  if (challenge === null) return [client, lines];
  return [client, await client.send(authPacket(0x18, SCRAM, scram.final(challenge[1] as string)))];
}

const ACCEPTED =
  /^CONNACK 0x00 .*authenticationMethod=SCRAM-SHA-256 authenticationData=v=[A-Za-z0-9+/]{43}=$/;
const REFUSED = ['CONNACK 0x87', 'closed'];

it('the exchange of RFC 7677, byte by byte [MQTT-4.12.0-2] [MQTT-4.12.0-5]', async () => {
  const method = new ScramSha256(ScramFile.fromText(RFC_USER, 'scram'), () => RFC_NONCE);
  const client = new TestBroker({ scram: method }).open(5);
  const text = (data: string) => Buffer.from(data).toString('hex');
  const packet = (bytes: string) => {
    const hex = bytes.replaceAll(' ', '').slice(2);
    const length = hex.length / 2;
    const remaining = length < 128 ? [length] : [(length & 127) | 128, length >> 7];
    return `${bytes.slice(0, 2)}${Buffer.from(remaining).toString('hex')}${hex}`.replace(/..(?!$)/g, '$& ');
  };
  const field = (data: string) => `${data.length.toString(16).padStart(4, '0')}${text(data)}`;
  const method16 = `15${field(SCRAM)}`;
  const properties = (data: string) => {
    const all = `${method16}16${field(data)}`;
    const length = all.length / 2;
    return `${Buffer.from(length < 128 ? [length] : [(length & 127) | 128, length >> 7]).toString('hex')}${all}`;
  };
  const first = 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO';
  const challenge = `r=rOprNGfwEbeRWgbNEkqO${RFC_NONCE},s=${RFC_SALT},i=4096`;
  const final = `c=biws,r=rOprNGfwEbeRWgbNEkqO${RFC_NONCE},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`;
  const signature = 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=';

  const connect = packet(`10 0004 4d515454 05 02 0000 ${properties(first)} 0001 61`);
  expect(await client.exchange(connect)).toBe(packet(`f0 18 ${properties(challenge)}`));
  const connack = `22000a 27001e8480 210014 ${method16} 16${field(signature)}`.replaceAll(' ', '');
  const length = (connack.length / 2).toString(16);
  expect(await client.exchange(packet(`f0 18 ${properties(final)}`))).toBe(
    packet(`20 00 00 ${length} ${connack}`),
  );
});

describe('who gets in', () => {
  it('a user with the right password, and the broker proves itself', async () => {
    const broker = new TestBroker({ scram: await users({ ann: 'secret', bob: 'other' }) });
    const scram = new ScramClient('ann', 'secret');
    const [client, [connack = '']] = await comeIn(broker, scram);
    expect(connack).toMatch(ACCEPTED);
    expect(connack.endsWith(scram.expected)).toBe(true);
    expect(await client.send(PINGREQ)).toEqual(['PINGRESP']);
  });

  it.each([
    ['the wrong password', new ScramClient('ann', 'secret2')],
    ["another user's password", new ScramClient('ann', 'other')],
    ['nobody of that name', new ScramClient('eve', 'secret')],
    ['another name to act as', new ScramClient('ann', 'secret', 'n,a=bob,')],
  ])('%s: refused at the end, after the same challenge', async (_what, scram) => {
    const broker = new TestBroker({ scram: await users({ ann: 'secret', bob: 'other' }) });
    const client = await broker.attempt(connectBy(scram.first));
    const [challenge = ''] = await client.take();
    // 18 bytes of nonce, 16 of salt, and the iterations of the file.
    expect(challenge).toMatch(/=r=rOprNGfwEbeRWgbNEkqO[A-Za-z0-9+/]{24},s=[A-Za-z0-9+/]{22}==,i=4096$/);
    const final = scram.final(challenge.slice(challenge.indexOf('r=')));
    expect(await client.send(authPacket(0x18, SCRAM, final))).toEqual(REFUSED);
  });

  it('an unknown user gets the same salt every time, another user another', async () => {
    const broker = new TestBroker({ scram: await users({ ann: 'secret' }) });
    const saltOf = async (name: string) => {
      const client = await broker.attempt(connectBy(new ScramClient(name, '').first));
      return /,s=([^,]+),/.exec((await client.take())[0] ?? '')?.[1];
    };
    const salts = [await saltOf('eve'), await saltOf('eve'), await saltOf('mallory')];
    expect(salts[0]).toBe(salts[1]);
    expect(salts[0]).not.toBe(salts[2]);
  });

  it.each(['y,,', 'n,a=ann,'])('the header %s', async (header) => {
    const broker = new TestBroker({ scram: await users({ ann: 'secret' }) });
    const [, [connack]] = await comeIn(broker, new ScramClient('ann', 'secret', header));
    expect(connack).toMatch(ACCEPTED);
  });

  it('a client that waits to be asked (RFC 4422, 5)', async () => {
    const broker = new TestBroker({ scram: await users({ ann: 'secret' }) });
    const scram = new ScramClient('ann', 'secret');
    const client = await broker.attempt(connectBy(undefined));
    expect(await client.take()).toEqual(['AUTH 0x18 authenticationMethod=SCRAM-SHA-256']);
    const [challenge = ''] = await client.send(authPacket(0x18, SCRAM, scram.first));
    const final = scram.final(challenge.slice(challenge.indexOf('r=')));
    expect((await client.send(authPacket(0x18, SCRAM, final)))[0]).toMatch(ACCEPTED);
  });

  it('names in another form of the same, which rules and log know by one', async () => {
    const broker = new TestBroker({ scram: await users({ fi: 'secret' }) });
    const [, [connack]] = await comeIn(broker, new ScramClient('\ufb01', 'secret'));
    expect(connack).toMatch(ACCEPTED);
    expect(broker.logged.at(-1)).toMatch(/ as client \(p5, c1, k0, u'fi'\)\.$/);
  });

  it('access rules go by the name of the file, whatever User Name the CONNECT has', async () => {
    const acl = parseAcl(Buffer.from('user ann\ntopic a\nuser root\ntopic b\n'), 'acl', silentLog);
    const scram = await users({ ann: 'secret' });
    const broker = new TestBroker({ scram });
    await broker.engine.reload(broker.engine.settings, withSecrets({ scram, acl }));
    const [client] = await comeIn(broker, new ScramClient('ann', 'secret'), { username: 'root' });
    await client.send(subscribePacket({ '#': 0 }));
    expect(await client.send(publishPacket('a', '1'), publishPacket('b', '2'))).toEqual(['PUBLISH a=1']);
  });

  it('User Name and Password of the CONNECT say nothing, anonymous clients allowed or not', async () => {
    const scram = await users({ ann: 'secret' });
    for (const allowAnonymous of [true, false]) {
      const broker = new TestBroker({ scram, settings: { allowAnonymous } });
      const fields = { username: 'root', password: Buffer.from('toor') };
      const [, [connack]] = await comeIn(broker, new ScramClient('ann', 'secret'), fields);
      expect(connack).toMatch(ACCEPTED);
      const [connection] = broker.engine.connections;
      expect(connection?.credentials).toEqual({ username: 'ann', password: undefined });
    }
  });
});

describe('what is refused at once', () => {
  it.each(['', 'n,,', 'p=tls-unique,,n=ann,r=x', 'n,,m=x,n=ann,r=x', 'n,,n=a=b,r=x', 'n,a=x=y,n=ann,r=x'])(
    'first message %j',
    async (first) => {
      const broker = new TestBroker({ scram: await users({ ann: 'secret' }) });
      expect(await (await broker.attempt(connectBy(first))).take()).toEqual(REFUSED);
    },
  );

  it.each([
    ['nonce of its own', (final: string) => final.replace(/r=[^,]*/, 'r=rOprNGfwEbeRWgbNEkqO')],
    ['nonce with more behind it', (final: string) => final.replace(/,r=[^,]*/, '$&x')],
    ['binding of another header', (final: string) => final.replace('biws', 'eSws')],
    [
      'proof with one bit changed',
      (final: string) => final.replace(/p=(.)/, (_, c) => `p=${c === 'A' ? 'B' : 'A'}`),
    ],
    ['no proof', (final: string) => final.replace(/,p=.*/, '')],
    ['nothing', () => undefined],
  ])('final message with %s', async (_what, change) => {
    const broker = new TestBroker({ scram: await users({ ann: 'secret' }) });
    const scram = new ScramClient('ann', 'secret');
    const client = await broker.attempt(connectBy(scram.first));
    const [challenge = ''] = await client.take();
    const final = change(scram.final(challenge.slice(challenge.indexOf('r='))));
    expect(await client.send(authPacket(0x18, SCRAM, final))).toEqual(REFUSED);
  });

  it('an exchange that was recorded: the nonce is another one', async () => {
    const broker = new TestBroker({ scram: await users({ ann: 'secret' }) });
    const scram = new ScramClient('ann', 'secret');
    const client = await broker.attempt(connectBy(scram.first));
    const [challenge = ''] = await client.take();
    const final = scram.final(challenge.slice(challenge.indexOf('r=')));
    const thief = await broker.attempt(connectBy(scram.first, { clientId: 'thief' }));
    await thief.take();
    expect(await thief.send(authPacket(0x18, SCRAM, final))).toEqual(REFUSED);
    expect((await client.send(authPacket(0x18, SCRAM, final)))[0]).toMatch(ACCEPTED);
  });

  it.each([4, 5] as const)(
    'version %i: a User Name without a method, whose name nobody proves; without one the anonymous flag decides',
    async (protocolVersion) => {
      const broker = new TestBroker({ scram: await users({ ann: 'secret' }) });
      const pretender = { protocolVersion, username: 'ann', password: Buffer.from('secret') };
      const code = protocolVersion === 5 ? '0x87' : '0x05';
      expect(await (await broker.attempt(pretender)).take()).toEqual([`CONNACK ${code}`, 'closed']);
      await broker.connect({ protocolVersion });
    },
  );
});

describe('messages that were changed on the way', () => {
  const method = new ScramSha256(ScramFile.fromText(RFC_USER, 'scram'), () => RFC_NONCE);
  const client: AuthClient = {
    clientId: 'c',
    username: undefined,
    password: undefined,
    address: '127.0.0.1',
    port: 1,
    isReauthentication: false,
  };
  /** The verdict on a final message that says what the client has computed, changed by the test. */
  const verdictOn = (first: Buffer, change: (final: Buffer) => Buffer): string => {
    const step = method.start(client, first);
    if (step.result !== 'challenge') return step.result;
    const scram = new ScramClient('user', 'pencil');
    const answer = step.answer(change(Buffer.from(scram.final(String(Buffer.from(step.data ?? []))))));
    return answer instanceof Promise ? 'promise' : answer.result;
  };
  const first = Buffer.from('n,,n=user,r=rOprNGfwEbeRWgbNEkqO');
  const changed = (bytes: Buffer, at: number, bit: number) => {
    const copy = Buffer.from(bytes);
    copy[at] = (copy[at] as number) ^ (1 << bit);
    return copy;
  };

  it('are accepted as they are', () => {
    expect(verdictOn(first, (final) => final)).toBe('accept');
  });

  it('any bit of the final message makes it another one', () => {
    let length = 0;
    verdictOn(first, (final) => {
      length = final.length;
      return final;
    });
    for (let at = 0; at < length; at++) {
      expect(verdictOn(first, (final) => changed(final, at, at % 8))).toBe('refuse');
    }
  });

  it('and any bit of the first, which the proof covers', () => {
    for (let at = 0; at < first.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        expect(verdictOn(changed(first, at, bit), (final) => final)).toBe('refuse');
      }
    }
  });
});

describe('a reload of the users (broker §4.8)', () => {
  const ann = new ScramClient('ann', 'secret');
  const reload = (broker: TestBroker, scram: ScramSha256 | undefined) =>
    broker.engine.reload(broker.engine.settings, withSecrets({ scram }));

  it.each([
    ['gone from the file', () => users({ bob: 'other' })],
    ['has another password', () => users({ ann: 'secret2' })],
    ['no file any more', () => Promise.resolve(undefined)],
  ])('closes who is %s, without DISCONNECT and will', async (_what, next) => {
    const broker = new TestBroker({ scram: await users({ ann: 'secret' }) });
    const will = { topic: 'w', payload: Buffer.from('gone'), qos: 0, retain: true, properties: [] } as const;
    const [client] = await comeIn(broker, ann, { will });
    await reload(broker, await next());
    expect(await client.take()).toEqual(['closed']);
    expect(broker.engine.retained.size).toBe(0);
  });

  it('leaves whose credential is the same', async () => {
    const { credential } = ScramFile.fromText(RFC_USER, 'scram').lookUp('user');
    const text = formatScramCredential(credential);
    const scram = () => new ScramSha256(ScramFile.fromText(`user:${text}\n`, 'scram'));
    const broker = new TestBroker({ scram: scram() });
    const [client] = await comeIn(broker, new ScramClient('user', 'pencil'));
    await reload(broker, scram());
    expect(await client.send(PINGREQ)).toEqual(['PINGRESP']);
  });

  it.each([
    ['the same user', RFC_USER, ACCEPTED],
    ['nobody', '', /^CONNACK 0x87$/],
  ])('an exchange under way goes by the new file: %s', async (_what, content, answer) => {
    const broker = new TestBroker({ scram: new ScramSha256(ScramFile.fromText(RFC_USER, 'scram')) });
    const scram = new ScramClient('user', 'pencil');
    const client = await broker.attempt(connectBy(scram.first));
    const [challenge = ''] = await client.take();
    await reload(broker, new ScramSha256(ScramFile.fromText(content, 'scram')));
    const final = scram.final(challenge.slice(challenge.indexOf('r=')));
    expect((await client.send(authPacket(0x18, SCRAM, final)))[0]).toMatch(answer);
  });
});
