import type { Property } from '@tsmqtt/protocol';
import { describe, expect, it } from 'vitest';
import {
  type ConnectFields,
  disconnectPacket,
  PINGREQ,
  publishPacket,
  type RawClient,
  subscribePacket,
} from '../../test/raw-client.js';
import { authPacket, authProperties } from '../../test/scram-client.js';
import { TestBroker, type TestBrokerOptions } from '../../test/test-broker.js';
import type { AuthClient, AuthMethod, AuthStep } from '../auth/auth-method.js';

const textOf = (data: Uint8Array | undefined) =>
  data === undefined ? undefined : Buffer.from(data).toString();

/**
 * A method in which the client says what happens: `ok` accepts, `no` refuses, `busy` refuses as such, `throw` throws,
 * anything else is asked back.
 */
class Echo implements AuthMethod {
  readonly name: string = 'ECHO';
  readonly clients: AuthClient[] = [];
  username: string | undefined = 'ann';

  start(client: AuthClient, data: Uint8Array | undefined): AuthStep | Promise<AuthStep> {
    this.clients.push(client);
    return this.step(data);
  }

  step(data: Uint8Array | undefined): AuthStep {
    switch (textOf(data)) {
      case 'ok':
        return { result: 'accept', username: this.username, data: Buffer.from('welcome') };
      case 'plain':
        return { result: 'accept', username: this.username };
      case 'no':
        return { result: 'refuse' };
      case 'busy':
        return { result: 'refuse', reasonCode: 0x89 };
      case 'throw':
        throw new Error('out of order');
      default:
        return { result: 'challenge', data, answer: (answer) => this.step(answer) };
    }
  }
}

/** The same, where every step waits for the test. */
class Slow extends Echo {
  override readonly name = 'SLOW';
  readonly waiting: (() => void)[] = [];
  readonly maxPending = 3;

  override start(client: AuthClient, data: Uint8Array | undefined): Promise<AuthStep> {
    this.clients.push(client);
    return new Promise((resolve, reject) => {
      this.waiting.push(() => {
        try {
          resolve(this.step(data));
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  go(): void {
    const [first] = this.waiting.splice(0, 1);
    if (first === undefined) throw new Error('nobody waits');
    first();
  }
}

const by = (method: string, data?: string, fields: ConnectFields = {}): ConnectFields => ({
  protocolVersion: 5,
  ...fields,
  properties: [...authProperties(method, data), ...(fields.properties ?? [])],
});
const brokerWith = (method: AuthMethod, options: TestBrokerOptions = {}) =>
  new TestBroker({ ...options, authMethods: [method] });
const authLine = (code: string, data?: string, method = 'ECHO') =>
  `AUTH ${code} authenticationMethod=${method}${data === undefined ? '' : ` authenticationData=${data}`}`;
const DEFAULTS = 'topicAliasMaximum=10 maximumPacketSize=2000000 receiveMaximum=20';
const accepted = (data?: string, method = 'ECHO') =>
  `CONNACK 0x00 ${DEFAULTS} authenticationMethod=${method}${data === undefined ? '' : ` authenticationData=${data}`}`;
const PROTOCOL_ERROR = ['CONNACK 0x82', 'closed'];

describe('the exchange of a CONNECT (4.12)', () => {
  it('as long as the method asks: every AUTH with 0x18, the method, the data and no more [MQTT-4.12.0-2] [MQTT-4.12.0-5] [MQTT-3.15.2-2] [MQTT-3.15.2-3]', async () => {
    const client = await brokerWith(new Echo()).attempt(by('ECHO', 'a'));
    expect(await client.take()).toEqual([authLine('0x18', 'a')]);
    expect(await client.send(authPacket(0x18, 'ECHO', 'b'))).toEqual([authLine('0x18', 'b')]);
    expect(await client.send(authPacket(0x18, 'ECHO'))).toEqual([authLine('0x18')]);
    expect(await client.send(authPacket(0x18, 'ECHO', 'ok'))).toEqual([accepted('welcome')]);
  });

  it('may need no AUTH at all, and end without data', async () => {
    const client = await brokerWith(new Echo()).attempt(by('ECHO', 'plain'));
    expect(await client.take()).toEqual([accepted()]);
  });

  it.each([
    ['no', 'CONNACK 0x87'],
    ['busy', 'CONNACK 0x89'],
    ['throw', 'CONNACK 0x80'],
  ])('%s at once or later: %s, then the close [MQTT-4.12.0-4]', async (data, connack) => {
    const broker = brokerWith(new Echo());
    expect(await (await broker.attempt(by('ECHO', data))).take()).toEqual([connack, 'closed']);
    const client = await broker.attempt(by('ECHO', 'a'));
    await client.take();
    expect(await client.send(authPacket(0x18, 'ECHO', data))).toEqual([connack, 'closed']);
  });

  it.each(['echo', 'SCRAM-SHA-256', ''])(
    'a method that nobody provides: %j [MQTT-4.12.0-1]',
    async (name) => {
      const client = await brokerWith(new Echo()).attempt(by(name, 'ok'));
      expect(await client.take()).toEqual(['CONNACK 0x8c', 'closed']);
    },
  );

  it('any method where the certificate says who it is', async () => {
    const identity = { commonName: 'bob', subject: 'CN=bob' };
    const broker = brokerWith(new Echo(), { identity, listener: { useIdentityAsUsername: true } });
    expect(await (await broker.attempt(by('ECHO', 'ok'))).take()).toEqual(['CONNACK 0x8c', 'closed']);
  });

  it('without a method no AUTH is sent, nor is one in CONNACK [MQTT-4.12.0-6]', async () => {
    const client = await brokerWith(new Echo()).attempt({ protocolVersion: 5 });
    expect(await client.take()).toEqual([`CONNACK 0x00 ${DEFAULTS}`]);
  });

  it('the method is told who it is', async () => {
    const method = new Echo();
    const fields = { username: 'eve', password: Buffer.from('x'), clientId: 'c' };
    await brokerWith(method).attempt(by('ECHO', 'ok', fields));
    const expected = { ...fields, address: '127.0.0.1', port: 1, isReauthentication: false };
    expect(method.clients).toEqual([expected]);
  });

  it('an assigned Client Identifier is the one the method was told', async () => {
    const method = new Echo();
    const client = await brokerWith(method).attempt(by('ECHO', 'a', { clientId: '' }));
    await client.take();
    const [connack] = await client.send(authPacket(0x18, 'ECHO', 'ok'));
    expect(connack).toContain(`assignedClientIdentifier=${method.clients[0]?.clientId} `);
  });

  it('who the method says it is, it is: in the log, too', async () => {
    const broker = brokerWith(new Echo());
    await broker.attempt(by('ECHO', 'ok', { username: 'root' }));
    expect(broker.logged.at(-1)).toBe(
      "notice New client connected from 127.0.0.1:1 as client (p5, c1, k0, u'ann').",
    );
  });

  it('an older connection of that identifier stays until the exchange is over [MQTT-3.1.4-3]', async () => {
    const broker = brokerWith(new Echo());
    const old = await broker.connect({ protocolVersion: 5 });
    const client = await broker.attempt(by('ECHO', 'a'));
    expect(await old.send(PINGREQ)).toEqual(['PINGRESP']);
    await client.send(authPacket(0x18, 'ECHO', 'ok'));
    expect(await old.take()).toEqual(['DISCONNECT 0x8e', 'closed']);
  });

  it.each([
    ['AUTH', 0x18],
    ['CONNACK', 0x00],
  ])('%s larger than the client takes is not sent [MQTT-3.1.2-24]', async (_packet, code) => {
    const properties: Property[] = [{ name: 'maximumPacketSize', value: 30 }];
    const client = await brokerWith(new Echo()).attempt(
      by('ECHO', code === 0 ? 'ok' : 'a'.repeat(30), { properties }),
    );
    expect(await client.take()).toEqual(['closed']);
  });
});

describe('what may not come during the exchange of a CONNECT', () => {
  const challenged = async (broker = brokerWith(new Echo())): Promise<RawClient> => {
    const client = await broker.attempt(by('ECHO', 'a'));
    await client.take();
    return client;
  };

  it.each([
    ['AUTH with another method [MQTT-4.12.0-5]', authPacket(0x18, 'OTHER', 'ok')],
    ['AUTH without a method', authPacket(0x18, undefined)],
    ['AUTH with 0x19 [MQTT-4.12.0-3]', authPacket(0x19, 'ECHO', 'ok')],
    ['AUTH with 0x00 [MQTT-4.12.0-3]', authPacket(0x00, 'ECHO', 'ok')],
    ['AUTH without anything', 'f0 00'],
    ['AUTH with a code it does not have [MQTT-3.15.2-1]', 'f0 01 87'],
    ['PUBLISH [MQTT-3.1.2-30]', publishPacket('a', '1', { retain: true })],
    ['SUBSCRIBE [MQTT-3.1.2-30]', subscribePacket({ a: 0 })],
    ['PINGREQ [MQTT-3.1.2-30]', PINGREQ],
    ['a packet of the server', 'd0 00'],
  ])('%s: CONNACK 0x82, as no DISCONNECT may come before CONNACK [MQTT-3.14.0-1]', async (_what, packet) => {
    const broker = brokerWith(new Echo());
    const client = await challenged(broker);
    expect(await client.send(packet, PINGREQ)).toEqual(PROTOCOL_ERROR);
    expect(broker.engine.retained.size).toBe(0);
    expect(broker.engine.sessions.size).toBe(0);
  });

  it('AUTH with flags: CONNACK 0x81 [MQTT-3.15.1-1]', async () => {
    expect(await (await challenged()).send('f1 00')).toEqual(['CONNACK 0x81', 'closed']);
  });

  it.each([
    ['another CONNECT [MQTT-3.1.0-2]', '10 0e 0004 4d515454 05 02 0000 00 0001 61'],
    ['AUTH over 100,000 bytes', 'f0 a1 8d 06'],
  ])('%s: a bare close', async (_what, hex) => {
    expect(await (await challenged()).send(hex)).toEqual(['closed']);
  });

  it('DISCONNECT may come: nothing remains, no will', async () => {
    const broker = brokerWith(new Echo());
    const will = { topic: 'w', payload: Buffer.from('gone'), qos: 0, retain: true, properties: [] } as const;
    const client = await broker.attempt(by('ECHO', 'a', { will }));
    await client.take();
    expect(await client.send(disconnectPacket(4))).toEqual(['closed']);
    expect(broker.engine.retained.size).toBe(0);
    expect(broker.engine.sessions.size).toBe(0);
  });

  it('each answer has 30 seconds, however its bytes trickle in', async () => {
    const broker = brokerWith(new Echo());
    const client = await challenged(broker);
    await broker.pass(30);
    expect(await client.send(authPacket(0x18, 'ECHO', 'b'))).toEqual([authLine('0x18', 'b')]);
    await broker.pass(30);
    expect(await client.send('f0')).toEqual([]);
    await broker.pass(1);
    expect(await client.take()).toEqual(['closed']);
    expect(broker.logged.at(-1)).toContain('exceeded timeout');
  });

  it('Keep Alive counts from CONNACK on', async () => {
    const broker = brokerWith(new Echo());
    const client = await broker.attempt(by('ECHO', 'a', { keepAlive: 10 }));
    await broker.pass(29);
    await client.send(authPacket(0x18, 'ECHO', 'ok'));
    await broker.pass(15);
    expect(await client.take()).toEqual([]);
    await broker.pass(2);
    expect(await client.take()).toEqual(['closed']);
  });
});

describe('a method that takes its time', () => {
  it('what follows CONNECT waits, and others are served', async () => {
    const method = new Slow();
    const broker = brokerWith(method);
    const client = await broker.attempt(by('SLOW', 'ok'));
    expect(await client.send(PINGREQ)).toEqual([]);
    await broker.connect({ clientId: 'other' });
    method.go();
    expect(await client.take()).toEqual([accepted('welcome', 'SLOW'), 'PINGRESP']);
  });

  it('what waited must be AUTH where it asks back', async () => {
    const method = new Slow();
    const client = await brokerWith(method).attempt(by('SLOW', 'a'));
    client.write(authPacket(0x18, 'SLOW', 'ok'));
    expect(await client.take()).toEqual([]);
    method.go();
    expect(await client.take()).toEqual([authLine('0x18', 'a', 'SLOW'), accepted('welcome', 'SLOW')]);
  });

  it('and rejects: the log says why', async () => {
    const method = new Slow();
    const broker = brokerWith(method);
    const client = await broker.attempt(by('SLOW', 'throw'));
    method.go();
    expect(await client.take()).toEqual(['CONNACK 0x80', 'closed']);
    expect(broker.logged).toContain(
      "error Error: Authentication method 'SLOW' failed for client [127.0.0.1:1]: out of order.",
    );
  });

  it('no more at a time than it takes: further ones are refused as busy', async () => {
    const method = new Slow();
    const broker = brokerWith(method);
    const clients: RawClient[] = [];
    for (let count = 0; count < 4; count++) {
      clients.push(await broker.attempt(by('SLOW', 'ok', { clientId: `c${count}` })));
    }
    expect(await clients[3]?.take()).toEqual(['CONNACK 0x89', 'closed']);
    expect(method.clients.length).toBe(3);
    method.go();
    await broker.settle();
    const late = await broker.attempt(by('SLOW', 'ok', { clientId: 'late' }));
    expect(await late.take()).toEqual([]);
  });

  it('longer than 30 seconds: a close, and its answer comes too late', async () => {
    const method = new Slow();
    const broker = brokerWith(method);
    const client = await broker.attempt(by('SLOW', 'ok'));
    await broker.pass(30);
    expect(await client.take()).toEqual([]);
    await broker.pass(1);
    expect(await client.take()).toEqual(['closed']);
    method.go();
    await broker.settle();
    expect(broker.engine.sessions.size).toBe(0);
  });

  it('longer than the client waits: nothing remains', async () => {
    const method = new Slow();
    const broker = brokerWith(method);
    const client = await broker.attempt(by('SLOW', 'ok'));
    await client.vanish();
    for (const connection of broker.engine.connections) connection.destroy();
    method.go();
    await broker.settle();
    expect(broker.engine.connections.size).toBe(0);
    expect(broker.engine.sessions.size).toBe(0);
  });
});

describe('answers that are no step', () => {
  it.each([
    ['nothing', undefined],
    ['another result', { result: 'accepted' }],
    ['data that does not fit', { result: 'challenge', data: new Uint8Array(65_536), answer: () => ({}) }],
    ['data that is text', { result: 'accept', username: 'ann', data: 'text' }],
    ['nobody to answer to', { result: 'challenge' }],
    ['a refusal that accepts', { result: 'refuse', reasonCode: 0 }],
  ])('%s: CONNACK 0x80, and the log says so', async (_what, step) => {
    for (const given of [step, Promise.resolve(step)]) {
      const broker = brokerWith({ name: 'BAD', start: () => given as AuthStep });
      expect(await (await broker.attempt(by('BAD'))).take()).toEqual(['CONNACK 0x80', 'closed']);
      expect(
        broker.logged.some((line) => line.startsWith("error Error: Authentication method 'BAD' failed")),
      ).toBe(true);
    }
  });
});

describe('re-authentication (4.12.1)', () => {
  const connected = async (broker: TestBroker, fields: ConnectFields = {}): Promise<RawClient> => {
    const client = await broker.attempt(by('ECHO', 'ok', fields));
    await client.take();
    return client;
  };

  it('ends with AUTH 0x00, and other packets go on meanwhile [MQTT-4.12.1-1] [MQTT-4.12.0-5]', async () => {
    const method = new Echo();
    const client = await connected(brokerWith(method));
    await client.send(subscribePacket({ a: 0 }));
    expect(await client.send(authPacket(0x19, 'ECHO', 'x'))).toEqual([authLine('0x18', 'x')]);
    expect(await client.send(publishPacket('a', '1'), PINGREQ)).toEqual(['PUBLISH a=1', 'PINGRESP']);
    expect(await client.send(authPacket(0x18, 'ECHO', 'ok'))).toEqual([authLine('0x00', 'welcome')]);
    expect(method.clients.at(-1)).toMatchObject({ username: 'ann', isReauthentication: true });
  });

  it('again and again, at once, and without data', async () => {
    const client = await connected(brokerWith(new Echo()));
    for (let count = 0; count < 3; count++) {
      expect(await client.send(authPacket(0x19, 'ECHO', 'plain'))).toEqual([authLine('0x00')]);
    }
  });

  it('other packets go on while the method takes its time', async () => {
    const method = new Slow();
    const client = await brokerWith(method).attempt(by('SLOW', 'ok'));
    method.go();
    await client.take();
    expect(await client.send(authPacket(0x19, 'SLOW', 'ok'), PINGREQ)).toEqual(['PINGRESP']);
    method.go();
    expect(await client.take()).toEqual([authLine('0x00', 'welcome', 'SLOW')]);
  });

  const will = { topic: 'w', payload: Buffer.from('gone'), qos: 0, retain: true, properties: [] } as const;
  it.each([
    ['no', '0x87'],
    ['busy', '0x89'],
    ['throw', '0x80'],
  ])(
    'that fails ends the connection, with its will: %s, DISCONNECT %s [MQTT-4.12.1-2]',
    async (data, code) => {
      const broker = brokerWith(new Echo());
      const client = await connected(broker, { will });
      expect(await client.send(authPacket(0x19, 'ECHO', data), PINGREQ)).toEqual([
        `DISCONNECT ${code}`,
        'closed',
      ]);
      expect(broker.engine.retained.size).toBe(1);
    },
  );

  it('as somebody else fails', async () => {
    const method = new Echo();
    const client = await connected(brokerWith(method));
    method.username = 'bob';
    expect(await client.send(authPacket(0x19, 'ECHO', 'ok'))).toEqual(['DISCONNECT 0x87', 'closed']);
  });

  it.each([
    ['another method [MQTT-4.12.1-1]', [authPacket(0x19, 'OTHER', 'ok')]],
    ['no method', [authPacket(0x19, undefined)]],
    ['0x18 to nothing [MQTT-4.12.0-3]', [authPacket(0x18, 'ECHO', 'ok')]],
    ['0x00', [authPacket(0x00, 'ECHO')]],
  ])('AUTH with %s: DISCONNECT 0x82', async (_what, packets) => {
    const client = await connected(brokerWith(new Echo()));
    expect(await client.send(...packets)).toEqual(['DISCONNECT 0x82', 'closed']);
  });

  it('AUTH with 0x19 within an exchange: DISCONNECT 0x82', async () => {
    const client = await connected(brokerWith(new Echo()));
    await client.send(authPacket(0x19, 'ECHO', 'x'));
    expect(await client.send(authPacket(0x19, 'ECHO', 'x'))).toEqual(['DISCONNECT 0x82', 'closed']);
  });

  it('without a method in CONNECT there is none [MQTT-4.12.0-7]', async () => {
    const client = await brokerWith(new Echo()).connect({ protocolVersion: 5 });
    expect(await client.send(authPacket(0x19, 'ECHO', 'ok'))).toEqual(['DISCONNECT 0x82', 'closed']);
  });

  it('each answer has 30 seconds: DISCONNECT 0x87 [MQTT-4.12.1-2]', async () => {
    const broker = brokerWith(new Echo());
    const client = await connected(broker);
    await client.send(authPacket(0x19, 'ECHO', 'x'));
    await broker.pass(30);
    expect(await client.send(PINGREQ)).toEqual(['PINGRESP']);
    await broker.pass(1);
    expect(await client.take()).toEqual(['DISCONNECT 0x87', 'closed']);
  });
});

describe('any packets in any order', () => {
  /** Park and Miller's generator: the same numbers in every run. */
  function random(seed: number): (below: number) => number {
    let state = seed;
    return (below) => {
      state = (state * 48_271) % 2_147_483_647;
      return state % below;
    };
  }

  it.each(['ECHO', 'SLOW'])(
    '%s: one CONNACK, before it AUTH alone, DISCONNECT only behind it',
    async (name) => {
      const pick = random(20_261_126);
      const one = <T>(...list: readonly T[]): T => list[pick(list.length)] as T;
      const data = () => one('ok', 'plain', 'a', 'a', 'a', 'no', 'busy', 'throw', undefined);
      const packets = () =>
        one(
          () =>
            authPacket(
              one(0x18, 0x18, 0x18, 0x19, 0x00),
              one(name, name, name, name, 'OTHER', undefined),
              data(),
            ),
          () => authPacket(0x18, name, data()),
          () => PINGREQ,
          () => publishPacket('a', '1'),
          () => disconnectPacket(),
        )();
      const method = name === 'SLOW' ? new Slow() : new Echo();
      const broker = brokerWith(method);
      let accepted = 0;
      for (let count = 0; count < 400; count++) {
        const client = await broker.attempt(by(name, data(), { clientId: `c${pick(3)}` }));
        for (let left = pick(6); left > 0; left--) {
          client.write(packets());
          if (pick(2) === 0) await broker.settle();
          if (method instanceof Slow) while (method.waiting.length > 0 && pick(3) > 0) method.go();
        }
        if (method instanceof Slow) while (method.waiting.length > 0) method.go();
        const lines = (await client.take()).map((line) => line.split(' ').slice(0, 2).join(' '));
        const order = lines.map(
          (line) => /^(AUTH 0x18|CONNACK 0x00|CONNACK|DISCONNECT|closed)/.exec(line)?.[0] ?? 'other',
        );
        // AUTH* then nothing yet, a refusal, or an acceptance with whatever follows.
        expect(order.join(' ')).toMatch(
          /^(AUTH 0x18 ?)*((CONNACK )?closed|CONNACK 0x00( AUTH 0x18| other)*( DISCONNECT)?( closed)?)?$/,
        );
        if (order.includes('CONNACK 0x00')) accepted++;
        await client.vanish();
      }
      expect(accepted).toBeGreaterThan(50);
      for (const connection of broker.engine.connections) connection.destroy();
      await broker.settle();
      expect(broker.engine.connections.size).toBe(0);
    },
  );
});
