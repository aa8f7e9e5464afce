import type { ProtocolVersion, Will } from '@tsmqtt/protocol';
import { describe, expect, it } from 'vitest';
import {
  acknowledgement,
  type ConnectFields,
  publishPacket,
  subscribePacket,
  unsubscribePacket,
} from '../../test/raw-client.js';
import { TestBroker, withAcl } from '../../test/test-broker.js';
import { DEFAULT_LISTENER } from '../settings.js';
import { NO_SECRETS } from './secrets.js';

/** Every way to say that a client may, or may not. `ann` is the user, `c` the Client Identifier that is tried. */
interface Way {
  readonly what: string;
  readonly username?: string;
  readonly rules: (access: string) => string;
}
const WAYS: readonly Way[] = [
  { what: 'anonymous', rules: (access) => `topic ${access} t` },
  { what: 'user', username: 'ann', rules: (access) => `user ann\ntopic ${access} t` },
  {
    what: 'pattern',
    username: 'ann',
    rules: (access) => `pattern ${access} +/#\npattern ${access} %u\npattern ${access} t`,
  },
  { what: 'anonymous, not denied', rules: (access) => `topic ${access} #\ntopic deny x` },
];
const REFUSALS: readonly (Way & { readonly only?: string })[] = [
  { what: 'no rule', rules: () => '' },
  { what: 'another topic', rules: (access) => `topic ${access} x/#` },
  { what: 'the other access', rules: (access) => `topic ${access === 'read' ? 'write' : 'read'} t` },
  { what: 'rules of clients without a username', username: 'ann', rules: (access) => `topic ${access} t` },
  { what: 'rules of another user', username: 'ann', rules: (access) => `user bob\ntopic ${access} t` },
  { what: 'deny', rules: (access) => `topic ${access} t\ntopic deny #` },
  { what: 'pattern deny', rules: (access) => `pattern ${access} t\npattern deny +` },
];
const CASES = [
  ...WAYS.map((way) => ({ ...way, allowed: true })),
  ...REFUSALS.map((way) => ({ ...way, allowed: false })),
].flatMap((way) => ([3, 4, 5] as const).map((version) => ({ ...way, version })));

/** Everything for everybody else: user `helper`. */
const HELPER = '\nuser helper\ntopic #';
const helper: ConnectFields = { clientId: 'helper', username: 'helper' };
const client = (way: Way, version: ProtocolVersion, more: ConnectFields = {}): ConnectFields => ({
  clientId: 'c',
  protocolVersion: version,
  ...(way.username === undefined ? {} : { username: way.username }),
  ...more,
});
const lasting = (version: ProtocolVersion): ConnectFields => ({
  cleanStart: false,
  properties: version === 5 ? [{ name: 'sessionExpiryInterval', value: 1000 }] : [],
});

for (const way of CASES) {
  const { allowed, version } = way;
  const verdict = allowed ? 'allowed' : 'refused';

  describe(`read, version ${version}, ${way.what}: ${verdict} (broker §4.4)`, () => {
    const acl = way.rules('read') + HELPER;
    const got = (line: string) => (allowed ? [line] : []);

    it('SUBSCRIBE and UNSUBSCRIBE are never refused (broker T-13)', async () => {
      const broker = new TestBroker({ acl });
      const subscriber = await broker.connect(client(way, version));
      expect(await subscriber.send(subscribePacket({ t: 2 }))).toEqual(['SUBACK #1 0x02']);
      expect((await subscriber.send(unsubscribePacket(['t'])))[0]).toMatch(/^UNSUBACK #1/);
    });

    it.each([0, 1, 2] as const)('live, QoS %i', async (qos) => {
      const broker = new TestBroker({ acl });
      const subscriber = await broker.connect(client(way, version));
      await subscriber.send(subscribePacket({ '#': qos }));
      const publisher = await broker.connect(helper);
      await publisher.send(publishPacket('t', '1', { qos }));
      if (qos === 2) await publisher.send(acknowledgement('PUBREL', 1));
      expect(await subscriber.take()).toEqual(got(`PUBLISH t=1${qos === 0 ? '' : ` q${qos} #1`}`));
    });

    it('retained', async () => {
      const broker = new TestBroker({ acl });
      await (await broker.connect(helper)).send(publishPacket('t', '1', { retain: true }));
      const subscriber = await broker.connect(client(way, version));
      expect(await subscriber.send(subscribePacket({ '#': 0 }))).toEqual([
        'SUBACK #1 0x00',
        ...got('PUBLISH t=1 retain'),
      ]);
    });

    it('shared', async () => {
      const broker = new TestBroker({ acl });
      const subscriber = await broker.connect(client(way, version));
      await subscriber.send(subscribePacket({ '$share/g/+': 0 }));
      await (await broker.connect(helper)).send(publishPacket('t', '1'));
      expect(await subscriber.take()).toEqual(got('PUBLISH t=1'));
    });

    it('queued while offline, QoS 0 too', async () => {
      const broker = new TestBroker({ acl, settings: { queueQos0Messages: true } });
      const subscriber = await broker.connect(client(way, version, lasting(version)));
      await subscriber.send(subscribePacket({ t: 1 }));
      await subscriber.vanish();
      const publisher = await broker.connect(helper);
      await publisher.send(publishPacket('t', '1', { qos: 1 }), publishPacket('t', '0'));
      const back = await broker.attempt(client(way, version, lasting(version)));
      const [connack, ...lines] = await back.take();
      expect(connack).toMatch(version === 3 ? /^CONNACK/ : /^CONNACK present/);
      expect(lines.sort()).toEqual(allowed ? ['PUBLISH t=0', 'PUBLISH t=1 q1 #1'] : []);
    });
  });

  describe(`write, version ${version}, ${way.what}: ${verdict} (broker §4.4)`, () => {
    const acl = way.rules('write') + HELPER;
    const got = (line: string) => (allowed ? [line] : []);
    const code = (name: string) => `${name} #1${version === 5 && !allowed ? ' 0x87' : ''}`;

    it.each([0, 1, 2] as const)('PUBLISH, QoS %i', async (qos) => {
      const broker = new TestBroker({ acl, logsAll: true });
      const subscriber = await broker.connect(helper);
      await subscriber.send(subscribePacket({ t: 0 }));
      const publisher = await broker.connect(client(way, version));
      const answer = await publisher.send(publishPacket('t', '1', { qos }));
      expect(answer).toEqual([[], [code('PUBACK')], [code('PUBREC')]][qos]);
      // MQTT 3 goes on as if it had been taken.
      if (qos === 2 && (allowed || version < 5)) {
        expect(await publisher.send(acknowledgement('PUBREL', 1))).toEqual(['PUBCOMP #1']);
      }
      expect(await subscriber.take()).toEqual(got('PUBLISH t=1'));
      const denied = `debug Denied PUBLISH from c (d0, q${qos}, r0, m${qos === 0 ? 0 : 1}, 't', ... (1 bytes))`;
      expect(broker.logged.filter((line) => line.includes('Denied'))).toEqual(allowed ? [] : [denied]);
    });

    it('a retained message is neither stored nor cleared', async () => {
      const broker = new TestBroker({ acl });
      const other = await broker.connect(helper);
      await other.send(publishPacket('t', 'old', { retain: true }));
      const publisher = await broker.connect(client(way, version));
      await publisher.send(publishPacket('t', '', { retain: true }));
      expect(broker.engine.retained.size).toBe(allowed ? 0 : 1);
    });

    const will: Will = { topic: 't', payload: Buffer.from('gone'), qos: 0, retain: false, properties: [] };
    it('the will, when it is sent', async () => {
      const broker = new TestBroker({ acl });
      const subscriber = await broker.connect(helper);
      await subscriber.send(subscribePacket({ '#': 0 }));
      // At CONNECT nobody looks.
      const publisher = await broker.connect(client(way, version, { will }));
      await publisher.vanish();
      expect(await subscriber.take()).toEqual(got('PUBLISH t=gone'));
    });
  });
}

it.each([3, 4, 5] as const)(
  'a forbidden topic is not let in under the identifier of another message, version %i',
  async (version) => {
    const broker = new TestBroker({ acl: `topic write t${HELPER}` });
    const subscriber = await broker.connect(helper);
    await subscriber.send(subscribePacket({ '#': 0 }));
    const publisher = await broker.connect({ clientId: 'c', protocolVersion: version });
    await publisher.send(publishPacket('t', '1', { qos: 2 }));
    await publisher.send(publishPacket('forbidden', '2', { qos: 2 }));
    await publisher.send(acknowledgement('PUBREL', 1));
    expect(await subscriber.take()).toEqual([]);
  },
);

describe('a change of the rules', () => {
  const reload = (broker: TestBroker, acl: string) =>
    broker.engine.reload(broker.engine.settings, withAcl(acl));

  it('acts on subscriptions that there are, at once', async () => {
    const broker = new TestBroker({ acl: `topic t${HELPER}` });
    const subscriber = await broker.connect({ clientId: 'c' });
    await subscriber.send(subscribePacket({ '#': 0 }));
    const publisher = await broker.connect(helper);
    await publisher.send(publishPacket('t', '1'));
    await reload(broker, HELPER);
    await publisher.send(publishPacket('t', '2'));
    await reload(broker, `topic t${HELPER}`);
    await publisher.send(publishPacket('t', '3'));
    expect(await subscriber.take()).toEqual(['PUBLISH t=1', 'PUBLISH t=3']);
  });

  it('acts on what is queued, before it is sent for the first time', async () => {
    const broker = new TestBroker({ acl: 'topic #' });
    const subscriber = await broker.connect({ clientId: 'c', ...lasting(4) });
    await subscriber.send(subscribePacket({ '#': 1 }));
    await subscriber.vanish();
    const publisher = await broker.connect({ clientId: 'p' });
    await publisher.send(
      publishPacket('t', '1', { qos: 1 }),
      publishPacket('u', '2', { qos: 1, packetId: 2 }),
    );
    await reload(broker, 'topic u');
    const back = await broker.attempt({ clientId: 'c', ...lasting(4) });
    expect(await back.take()).toEqual(['CONNACK present 0x00', 'PUBLISH u=2 q1 #2']);
  });

  it('acts on what waits behind the window of a connected client', async () => {
    const broker = new TestBroker({ acl: 'topic #', settings: { maxInflightMessages: 1 } });
    const subscriber = await broker.connect({ clientId: 'c' });
    await subscriber.send(subscribePacket({ '#': 1 }));
    const publisher = await broker.connect({ clientId: 'p' });
    for (const [index, topic] of ['t', 't', 'u'].entries()) {
      await publisher.send(publishPacket(topic, String(index), { qos: 1, packetId: index + 1 }));
    }
    expect(await subscriber.take()).toEqual(['PUBLISH t=0 q1 #1']);
    await reload(broker, 'topic u');
    expect(await subscriber.send(acknowledgement('PUBACK', 1))).toEqual(['PUBLISH u=2 q1 #3']);
  });

  it('does not take back what was sent before [MQTT-4.4.0-1]', async () => {
    const broker = new TestBroker({ acl: 'topic #' });
    const subscriber = await broker.connect({ clientId: 'c', ...lasting(4) });
    await subscriber.send(subscribePacket({ '#': 1 }));
    await (await broker.connect({ clientId: 'p' })).send(publishPacket('t', '1', { qos: 1 }));
    expect(await subscriber.take()).toEqual(['PUBLISH t=1 q1 #1']);
    await subscriber.vanish();
    await reload(broker, '');
    const back = await broker.attempt({ clientId: 'c', ...lasting(4) });
    expect(await back.take()).toEqual(['CONNACK present 0x00', 'PUBLISH t=1 q1 #1 dup']);
  });

  it('acts on a will that waits for its delay', async () => {
    const will: Will = {
      topic: 't',
      payload: Buffer.from('gone'),
      qos: 0,
      retain: true,
      properties: [{ name: 'willDelayInterval', value: 5 }],
    };
    const broker = new TestBroker({ acl: 'topic #' });
    const publisher = await broker.connect({ protocolVersion: 5, will });
    await publisher.vanish();
    await reload(broker, '');
    await broker.pass(6);
    expect(broker.engine.retained.size).toBe(0);
  });
});

describe.each([3, 4, 5] as const)(
  'version %i: without a source of passwords any username is believed (broker T-11)',
  (protocolVersion) => {
    // biome-ignore format: one row a line
    const ROWS: readonly (readonly [rules: string, username: string | undefined, reads: boolean])[] = [
    ['user ann\ntopic t', 'ann', true],
    ['user ann\ntopic t', 'bob', false],
    ['user ann\ntopic t', undefined, false],
    ['pattern read u/%u\npattern read t', 'bob', true],
    ['pattern deny t\nuser ann\ntopic read t', 'ann', true],
    ['topic t', 'ann', false],
  ];
    it.each(ROWS)('%j, username %s: reads %s (broker T-12)', async (rules, username, reads) => {
      const broker = new TestBroker({ acl: `${rules}${HELPER}`, settings: { allowAnonymous: true } });
      const fields = username === undefined ? {} : { username, password: Buffer.from('whatever') };
      const subscriber = await broker.connect({ clientId: 'c', protocolVersion, ...fields });
      await subscriber.send(subscribePacket({ t: 0 }));
      await (await broker.connect(helper)).send(publishPacket('t', 'x'));
      expect(await subscriber.take()).toEqual(reads ? ['PUBLISH t=x'] : []);
    });

    it('pattern %u stands for it', async () => {
      const broker = new TestBroker({
        acl: `pattern read u/%u${HELPER}`,
        settings: { allowAnonymous: true },
      });
      const subscriber = await broker.connect({ clientId: 'c', protocolVersion, username: 'bob' });
      await subscriber.send(subscribePacket({ 'u/#': 0 }));
      await (await broker.connect(helper)).send(publishPacket('u/ann', '1'), publishPacket('u/bob', '2'));
      expect(await subscriber.take()).toEqual(['PUBLISH u/bob=2']);
    });
  },
);

describe('check_retain_source', () => {
  it.each([
    ['unset (broker T-5)', {}, ['SUBACK #1 0x00', 'PUBLISH t=1 retain']],
    ['false', { checkRetainSource: false }, ['SUBACK #1 0x00', 'PUBLISH t=1 retain']],
    ['true', { checkRetainSource: true }, ['SUBACK #1 0x00']],
  ] as const)(
    '%s: a retained message whose publisher may no longer publish it',
    async (_what, settings, lines) => {
      const broker = new TestBroker({ acl: 'topic #', settings });
      const publisher = await broker.connect({ clientId: 'p' });
      await publisher.send(publishPacket('t', '1', { retain: true }));
      await publisher.vanish();
      const subscriber = await broker.connect({ clientId: 'c' });
      await broker.engine.reload(broker.engine.settings, withAcl('topic read #'));
      expect(await subscriber.send(subscribePacket({ t: 0 }))).toEqual(lines);
    },
  );

  it('leaves those whose publisher may, wills too', async () => {
    const broker = new TestBroker({ acl: 'topic #', settings: { checkRetainSource: true } });
    const will: Will = { topic: 'w', payload: Buffer.from('1'), qos: 0, retain: true, properties: [] };
    await (await broker.connect({ clientId: 'p', will })).vanish();
    const subscriber = await broker.connect({ clientId: 'c' });
    expect(await subscriber.send(subscribePacket({ w: 0 }))).toEqual([
      'SUBACK #1 0x00',
      'PUBLISH w=1 retain',
    ]);
    await broker.engine.reload(broker.engine.settings, withAcl('topic read #'));
    expect(await subscriber.send(subscribePacket({ w: 0 }))).toEqual(['SUBACK #1 0x00']);
  });
});

describe('listeners with rules of their own (broker §4.6)', () => {
  const open = { ...DEFAULT_LISTENER, port: 1 };
  const closed = { ...DEFAULT_LISTENER, port: 2 };
  const secrets = () => {
    const byPort = new Map([[2, withAcl('topic read r\ntopic write w')(closed)]]);
    return ({ port }: { readonly port: number }) => byPort.get(port) ?? NO_SECRETS;
  };
  const start = () => new TestBroker({ settings: { listeners: [open, closed] }, secrets: secrets() });

  it("read goes by the receiver's listener, write by the publisher's", async () => {
    const broker = start();
    const here = await broker.connect({ clientId: 'here', protocolVersion: 5 }, open);
    const there = await broker.connect({ clientId: 'there', protocolVersion: 5 }, closed);
    await here.send(subscribePacket({ '#': 0 }));
    await there.send(subscribePacket({ '#': 0 }));
    await here.send(publishPacket('r', '1'), publishPacket('w', '2'), publishPacket('x', '3'));
    await there.send(publishPacket('r', '4'), publishPacket('w', '5'), publishPacket('x', '6'));
    expect(await there.take()).toEqual([]);
    expect(await here.take()).toEqual(['PUBLISH w=5']);
  });

  it('a session that goes on adopts the rules of the listener it comes back through', async () => {
    const broker = start();
    const first = await broker.connect({ clientId: 'c', ...lasting(4) }, open);
    await first.send(subscribePacket({ '#': 1 }));
    const publisher = await broker.connect({ clientId: 'p' }, open);
    await publisher.send(publishPacket('x', '1'), publishPacket('r', '2'));
    expect(await first.take()).toEqual(['PUBLISH x=1', 'PUBLISH r=2']);
    await first.vanish();
    await publisher.send(
      publishPacket('x', '3', { qos: 1, packetId: 1 }),
      publishPacket('r', '4', { qos: 1, packetId: 2 }),
    );
    const second = await broker.attempt({ clientId: 'c', ...lasting(4) }, closed);
    expect(await second.take()).toEqual(['CONNACK present 0x00', 'PUBLISH r=4 q1 #2']);
    await publisher.send(publishPacket('x', '5'), publishPacket('r', '6'));
    expect(await second.take()).toEqual(['PUBLISH r=6']);
    await second.vanish();
    const third = await broker.attempt({ clientId: 'c', ...lasting(4) }, open);
    await publisher.send(publishPacket('x', '7'));
    expect((await third.take()).at(-1)).toBe('PUBLISH x=7');
  });
});
