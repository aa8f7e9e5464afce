import { hashPassword, PasswordVerifier, type Verdict } from '@tsmqtt/credentials';
import type { ProtocolVersion } from '@tsmqtt/protocol';
import { describe, expect, it } from 'vitest';
import { type ConnectFields, PINGREQ, publishPacket, subscribePacket } from '../../test/raw-client.js';
import { TestBroker, type TestBrokerOptions, withVerifier } from '../../test/test-broker.js';
import {
  type BrokerSettings,
  DEFAULT_LISTENER,
  DEFAULT_SECURITY,
  type ListenerSettings,
  type SecuritySettings,
} from '../settings.js';

/** Knows the user `pi` with the password `123`. */
const passwords = {
  verify: (username: string, password: Uint8Array | undefined) =>
    Promise.resolve<Verdict>(
      username === 'pi' && password !== undefined && Buffer.from(password).toString() === '123'
        ? 'accepted'
        : 'refused',
    ),
};

/** Answers when the test says so. */
class SlowPasswords {
  readonly #waiting: ((verdict: Verdict) => void)[] = [];

  get waiting(): number {
    return this.#waiting.length;
  }

  verify(): Promise<Verdict> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  answer(verdict: Verdict): void {
    const [first] = this.#waiting.splice(0, 1);
    if (first === undefined) throw new Error('nobody asked');
    first(verdict);
  }
}

/** A listener with its own settings: `per_listener_settings`. */
const own = (changed: Partial<SecuritySettings>): Partial<ListenerSettings> => ({
  security: { ...DEFAULT_SECURITY, ...changed },
});

describe('who may connect (broker §4.1)', () => {
  const nobody: ConnectFields = {};
  const right: ConnectFields = { username: 'pi', password: Buffer.from('123') };
  const wrong: ConnectFields = { username: 'pi', password: Buffer.from('1234') };
  const unknown: ConnectFields = { username: 'root', password: Buffer.from('123') };
  const noPassword: ConnectFields = { username: 'pi' };
  const emptyName: ConnectFields = { username: '', password: Buffer.from('123') };
  const everybody = { nobody, right, wrong, unknown, noPassword, emptyName };

  // biome-ignore format: one row a line
  const ROWS: readonly { what: string; options: TestBrokerOptions; accepted: readonly (keyof typeof everybody)[] }[] = [
    { what: 'no passwords, local only', options: { settings: { localOnly: true } }, accepted: ['nobody', 'right', 'wrong', 'unknown', 'noPassword', 'emptyName'] },
    { what: 'no passwords, not local only', options: { settings: { localOnly: false } }, accepted: [] },
    { what: 'no passwords, allow_anonymous true', options: { settings: { localOnly: false, allowAnonymous: true } }, accepted: ['nobody', 'right', 'wrong', 'unknown', 'noPassword', 'emptyName'] },
    { what: 'no passwords, allow_anonymous false', options: { settings: { allowAnonymous: false } }, accepted: [] },
    { what: 'passwords, allow_anonymous false', options: { settings: { allowAnonymous: false }, verifier: passwords }, accepted: ['right'] },
    { what: 'passwords, allow_anonymous true (broker T-10)', options: { settings: { allowAnonymous: true }, verifier: passwords }, accepted: ['nobody', 'right'] },
    { what: 'passwords, not local only', options: { settings: { localOnly: false }, verifier: passwords }, accepted: ['right'] },
    { what: 'listener_allow_anonymous true beats false', options: { settings: { allowAnonymous: false }, listener: { allowAnonymous: true }, verifier: passwords }, accepted: ['nobody', 'right'] },
    { what: 'listener_allow_anonymous false beats true', options: { settings: { allowAnonymous: true }, listener: { allowAnonymous: false }, verifier: passwords }, accepted: ['right'] },
    { what: 'its own settings, which inherit nothing', options: { settings: { allowAnonymous: true, localOnly: false }, listener: own({}), verifier: passwords }, accepted: ['right'] },
    { what: 'its own allow_anonymous true', options: { settings: { allowAnonymous: false, localOnly: false }, listener: own({ allowAnonymous: true }), verifier: passwords }, accepted: ['nobody', 'right'] },
    { what: 'its own allow_anonymous true, no passwords', options: { settings: { localOnly: false }, listener: own({ allowAnonymous: true }) }, accepted: ['nobody', 'right', 'wrong', 'unknown', 'noPassword', 'emptyName'] },
    { what: 'its own allow_anonymous false in local-only mode', options: { settings: { localOnly: true }, listener: own({ allowAnonymous: false }) }, accepted: [] },
    { what: 'listener_allow_anonymous true beats its own false', options: { settings: { localOnly: false }, listener: { ...own({ allowAnonymous: false }), allowAnonymous: true }, verifier: passwords }, accepted: ['nobody', 'right'] },
    { what: 'listener_allow_anonymous true beats the mode', options: { settings: { localOnly: false }, listener: { allowAnonymous: true } }, accepted: ['nobody', 'right', 'wrong', 'unknown', 'noPassword', 'emptyName'] },
  ];
  for (const { what, options, accepted } of ROWS) {
    for (const protocolVersion of [3, 4, 5] as const) {
      it(`version ${protocolVersion}: ${what}: ${accepted.join(', ') || 'no one'}`, async () => {
        const broker = new TestBroker(options);
        const letIn: string[] = [];
        for (const [name, fields] of Object.entries(everybody)) {
          const lines = await (await broker.attempt({ ...fields, protocolVersion, clientId: name })).take();
          if (/^CONNACK 0x00/.test(lines[0] ?? '')) letIn.push(name);
          else expect(lines).toEqual([`CONNACK ${protocolVersion === 5 ? '0x87' : '0x05'}`, 'closed']);
        }
        expect(letIn).toEqual(accepted);
      });
    }
  }

  it.each([
    ['123', ['CONNACK 0x00']],
    ['124', ['CONNACK 0x05', 'closed']],
  ] as const)('the password %s, by the hash of a file: %j', async (password, expected) => {
    const hash = await hashPassword(Buffer.from('123'), { iterations: 1 });
    const broker = new TestBroker({ verifier: PasswordVerifier.fromText(`pi:${hash}`, 'passwd') });
    const client = await broker.attempt({ username: 'pi', password: Buffer.from(password) });
    const lines: string[] = [];
    // The hash is computed in a thread, which settling does not wait for.
    while (lines.length < expected.length) lines.push(...(await client.take()));
    expect(lines).toEqual(expected);
  });
});

describe('while a password is being checked', () => {
  const user: ConnectFields = { username: 'pi', password: Buffer.from('123') };

  it('what follows CONNECT waits, and is handled in order after it (broker §4.2)', async () => {
    const verifier = new SlowPasswords();
    const broker = new TestBroker({ verifier });
    const client = await broker.attempt(user);
    client.write(subscribePacket({ a: 0 }), publishPacket('a', '1'));
    expect(await client.send(PINGREQ)).toEqual([]);
    expect(broker.engine.tree.size).toBe(0);
    verifier.answer('accepted');
    expect(await client.take()).toEqual(['CONNACK 0x00', 'SUBACK #1 0x00', 'PUBLISH a=1', 'PINGRESP']);
  });

  it('what follows a CONNECT that is refused is not handled [MQTT-3.1.4-6] [MQTT311-3.1.4-5]', async () => {
    const verifier = new SlowPasswords();
    const broker = new TestBroker({ verifier });
    const client = await broker.attempt(user);
    client.write(publishPacket('a', '1', { retain: true }));
    verifier.answer('refused');
    expect(await client.take()).toEqual(['CONNACK 0x05', 'closed']);
    expect(broker.engine.retained.size).toBe(0);
  });

  it.each([
    [4, ['closed']],
    [5, ['CONNACK 0x89', 'closed']],
  ] as const)('too many others: version %i: %j (broker B-12)', async (protocolVersion, lines) => {
    const verifier = new SlowPasswords();
    const client = await new TestBroker({ verifier }).attempt({ ...user, protocolVersion });
    verifier.answer('busy');
    expect(await client.take()).toEqual(lines);
  });

  it('bytes that break the protocol wait too, and end the connection after CONNACK', async () => {
    const verifier = new SlowPasswords();
    const client = await new TestBroker({ verifier }).attempt({ ...user, protocolVersion: 5 });
    expect(await client.send('00 00')).toEqual([]);
    verifier.answer('accepted');
    expect(await client.take()).toEqual([
      expect.stringMatching(/^CONNACK 0x00/),
      'DISCONNECT 0x82',
      'closed',
    ]);
  });

  it('others are served', async () => {
    const verifier = new SlowPasswords();
    const broker = new TestBroker({ verifier });
    await broker.attempt({ ...user, clientId: 'waiting' });
    expect(await (await broker.connect()).send(PINGREQ)).toEqual(['PINGRESP']);
  });

  it('the older connection of that identifier stays until the password was right [MQTT-3.1.4-3] [MQTT311-3.1.4-2]', async () => {
    const verifier = new SlowPasswords();
    const broker = new TestBroker({ verifier });
    const old = await broker.connect();
    await broker.attempt(user);
    expect(await old.send(PINGREQ)).toEqual(['PINGRESP']);
    verifier.answer('accepted');
    expect(await old.take()).toEqual(['closed']);
  });

  it('no timeout runs out, as it is the broker that takes its time', async () => {
    const verifier = new SlowPasswords();
    const broker = new TestBroker({ verifier });
    const client = await broker.attempt({ ...user, keepAlive: 1 });
    await broker.pass(60);
    verifier.answer('accepted');
    expect(await client.take()).toEqual(['CONNACK 0x00']);
  });

  const will = { topic: 'w', payload: Buffer.from('gone'), qos: 0, retain: true, properties: [] } as const;
  it.each(['accepted', 'refused', 'busy'] as const)(
    'a connection that breaks leaves nothing behind: %s',
    async (verdict) => {
      const verifier = new SlowPasswords();
      const broker = new TestBroker({ verifier });
      const client = await broker.attempt({ ...user, cleanStart: true, will });
      client.socket.destroy(new Error('reset'));
      for (const connection of broker.engine.connections) connection.destroy();
      await broker.settle();
      verifier.answer(verdict);
      await broker.settle();
      expect(broker.engine.connections.size).toBe(0);
      expect(broker.engine.sessions.size).toBe(0);
      expect(broker.engine.retained.size).toBe(0);
    },
  );
});

describe('a reload (broker §4.8)', () => {
  const user = (clientId: string, protocolVersion: ProtocolVersion = 4): ConnectFields => ({
    clientId,
    protocolVersion,
    username: clientId,
    password: Buffer.from('x'),
    will: { topic: 'w', payload: Buffer.from(clientId), qos: 0, retain: true, properties: [] },
  });
  const everybody = { verify: () => Promise.resolve<Verdict>('accepted') };
  const reload = (
    broker: TestBroker,
    verifier: Pick<PasswordVerifier, 'verify'> | undefined,
    changed: Partial<BrokerSettings> = {},
  ) => broker.engine.reload({ ...broker.engine.settings, ...changed }, withVerifier(verifier));
  const only = (name: string) => ({
    verify: (username: string) => Promise.resolve<Verdict>(username === name ? 'accepted' : 'refused'),
  });

  it.each([4, 5] as const)(
    'closes who does not verify any more: version %i, no DISCONNECT, no will',
    async (version) => {
      const broker = new TestBroker({ verifier: everybody });
      const stays = await broker.connect(user('stays', version));
      const goes = await broker.connect(user('goes', version));
      await reload(broker, only('stays'));
      expect(await goes.exchange()).toMatch(/closed$/);
      expect(await stays.send(PINGREQ)).toEqual(['PINGRESP']);
      expect(broker.engine.retained.size).toBe(0);
    },
  );

  it('closes anonymous clients where they are refused now', async () => {
    const broker = new TestBroker({ verifier: everybody });
    const nobody = await broker.connect({ clientId: 'nobody', protocolVersion: 5 });
    const somebody = await broker.connect(user('somebody'));
    await reload(broker, everybody, { allowAnonymous: false });
    expect(await nobody.take()).toEqual(['closed']);
    expect(await somebody.send(PINGREQ)).toEqual(['PINGRESP']);
  });

  it('goes by the listener: anonymous clients stay where they are still let in', async () => {
    const listeners = (second: boolean) => [
      { ...DEFAULT_LISTENER, ...own({ allowAnonymous: true }) },
      { ...DEFAULT_LISTENER, ...own({ allowAnonymous: second }) },
    ];
    const settings = { localOnly: false, listeners: listeners(true) };
    const broker = new TestBroker({ settings });
    const [first, second] = settings.listeners;
    const stays = await broker.connect({ clientId: 'stays' }, first);
    const goes = await broker.connect({ clientId: 'goes' }, second);
    await reload(broker, undefined, { listeners: listeners(false) });
    expect([await stays.send(PINGREQ), await goes.take()]).toEqual([['PINGRESP'], ['closed']]);
  });

  it('assigned identifiers keep their prefix (broker T-4)', async () => {
    const broker = new TestBroker({ settings: { autoIdPrefix: 'here-' } });
    await reload(broker, undefined);
    await broker.connect({ clientId: '' });
    expect([...broker.engine.sessions.values()][0]?.clientId).toMatch(/^here-[0-9A-F-]{36}$/);
  });

  it('leaves the session of a client that was closed', async () => {
    const broker = new TestBroker({ verifier: everybody });
    const goes = await broker.connect({ ...user('goes'), cleanStart: false });
    await goes.send(subscribePacket({ a: 1 }));
    await reload(broker, only('nobody'));
    expect(broker.engine.sessions.get('goes')?.subscriptions.size).toBe(1);
  });

  it('checks one after another, so that the queue of checks has room for all', async () => {
    const broker = new TestBroker({ verifier: everybody });
    for (let count = 0; count < 100; count++) await broker.connect(user(`client${count}`));
    let running = 0;
    const verifier = {
      // As the real one does: what is too much is not looked at.
      verify: async (): Promise<Verdict> => {
        if (running > 64) return 'busy';
        running++;
        await new Promise((resolve) => setImmediate(resolve));
        running--;
        return 'refused';
      },
    };
    await reload(broker, verifier);
    await broker.settle();
    expect(broker.engine.connections.size).toBe(0);
  });

  it('looks again at those whose check was put off', async () => {
    const broker = new TestBroker({ verifier: everybody });
    const client = await broker.connect(user('client'));
    let verdict: Verdict = 'busy';
    const verifier = { verify: () => Promise.resolve(verdict) };
    await reload(broker, verifier);
    expect(await client.send(PINGREQ)).toEqual(['PINGRESP']);
    verdict = 'refused';
    await broker.pass(1);
    expect(await client.take()).toEqual(['closed']);
  });

  it('goes by the latest passwords where another one comes in between', async () => {
    const broker = new TestBroker({ verifier: everybody });
    const client = await broker.connect(user('client'));
    const slow = new SlowPasswords();
    const first = reload(broker, slow);
    const second = reload(broker, only('client'));
    slow.answer('refused');
    await Promise.all([first, second]);
    expect(await client.send(PINGREQ)).toEqual(['PINGRESP']);
  });

  it.each(['accepted', 'refused'] as const)(
    'a CONNECT under way goes by the new passwords, not by %s',
    async (before) => {
      const slow = new SlowPasswords();
      const broker = new TestBroker({ verifier: slow });
      const client = await broker.attempt({ username: 'client', password: Buffer.from('x') });
      await reload(broker, only(before === 'accepted' ? 'other' : 'client'));
      slow.answer(before);
      const lines = await client.send(PINGREQ);
      expect(lines).toEqual(
        before === 'accepted' ? ['CONNACK 0x05', 'closed'] : ['CONNACK 0x00', 'PINGRESP'],
      );
    },
  );
});
