import type { Property, ProtocolVersion } from '@tsmqtt/protocol';
import { describe, expect, it } from 'vitest';
import {
  acknowledgement,
  type ConnectFields,
  publishPacket,
  type RawClient,
  subscribePacket,
} from '../../test/raw-client.js';
import { TestBroker } from '../../test/test-broker.js';

const sei = (value: number): Property[] => [{ name: 'sessionExpiryInterval', value }];

/** What a client says with its CONNECT, in short. */
interface Life {
  readonly version: ProtocolVersion;
  readonly clean: boolean;
  readonly expiry?: number;
}

function fields({ version, clean, expiry }: Life): ConnectFields {
  return {
    protocolVersion: version,
    cleanStart: clean,
    properties: expiry === undefined ? [] : sei(expiry),
  };
}

const title = ({ version, clean, expiry }: Life): string =>
  `version ${version}, clean ${clean ? 1 : 0}${expiry === undefined ? '' : `, expiry ${expiry}`}`;

describe('take-over (broker §9.4)', () => {
  async function pair(
    before: Life,
    after: Life,
  ): Promise<{ broker: TestBroker; old: RawClient; taker: RawClient }> {
    const broker = new TestBroker();
    const old = await broker.connect(fields(before));
    await old.send(subscribePacket({ a: 1 }));
    return { broker, old, taker: await broker.attempt(fields(after)) };
  }

  it.each([
    [3, ['closed']],
    [4, ['closed']],
    [5, ['DISCONNECT 0x8e', 'closed']],
  ] as const)(
    'closes the older connection of version %i: %j [MQTT-3.1.4-3] [MQTT311-3.1.4-2]',
    async (version, lines) => {
      const { broker, old, taker } = await pair({ version, clean: true }, { version: 4, clean: true });
      expect(await old.take()).toEqual(lines);
      expect(await taker.take()).toEqual(['CONNACK 0x00']);
      expect(broker.logged).toContain('notice Client client [127.0.0.1:1] disconnected: session taken over.');
    },
  );

  // biome-ignore format: one row a line
  const ROWS: readonly { before: Life; after: Life; goesOn: boolean }[] = [
    { before: { version: 4, clean: false }, after: { version: 4, clean: false }, goesOn: true },
    { before: { version: 4, clean: false }, after: { version: 4, clean: true }, goesOn: false },
    { before: { version: 4, clean: true }, after: { version: 4, clean: false }, goesOn: false },
    { before: { version: 5, clean: true, expiry: 9 }, after: { version: 5, clean: false }, goesOn: true },
    { before: { version: 5, clean: false }, after: { version: 5, clean: false, expiry: 9 }, goesOn: false },
    { before: { version: 5, clean: false, expiry: 9 }, after: { version: 4, clean: false }, goesOn: true },
  ];
  for (const { before, after, goesOn } of ROWS) {
    it(`${title(before)}, then ${title(after)}: the session ${goesOn ? 'goes on' : 'is new'}`, async () => {
      const { broker, taker } = await pair(before, after);
      const [connack = ''] = await taker.take();
      expect(connack.startsWith('CONNACK present')).toBe(goesOn);
      expect(await taker.send(publishPacket('a', 'x'))).toEqual(goesOn ? ['PUBLISH a=x'] : []);
      expect(broker.engine.sessions.size).toBe(1);
    });
  }

  it('hands over what is in flight', async () => {
    const broker = new TestBroker();
    const old = await broker.connect({ cleanStart: false });
    await old.send(subscribePacket({ a: 1 }));
    await old.send(publishPacket('a', 'x', { qos: 1, packetId: 5 }));
    const taker = await broker.attempt({ cleanStart: false });
    expect(await taker.take()).toEqual(['CONNACK present 0x00', 'PUBLISH a=x q1 #1 dup']);
    expect(await old.send(acknowledgement('PUBACK', 1))).toEqual(['closed']);
    await taker.vanish();
    const again = await broker.attempt({ cleanStart: false });
    expect(await again.take()).toEqual(['CONNACK present 0x00', 'PUBLISH a=x q1 #1 dup']);
  });

  it('goes by the bytes of the identifier', async () => {
    const broker = new TestBroker();
    const one = await broker.connect({ clientId: 'id' });
    for (const clientId of ['ID', 'id ', 'íd']) await broker.connect({ clientId });
    expect(await one.take()).toEqual([]);
  });

  it('over listeners', async () => {
    const broker = new TestBroker();
    const one = await broker.connect({}, { port: 1 });
    await broker.connect({}, { port: 2 });
    expect(await one.take()).toEqual(['closed']);
  });

  it('of two that race, the later CONNECT wins, whoever is let in first', async () => {
    const verdicts = new Map<string, (verdict: 'accepted') => void>();
    const verifier = {
      verify: (username: string) => new Promise<'accepted'>((resolve) => verdicts.set(username, resolve)),
    };
    const broker = new TestBroker({ verifier });
    const earlier = await broker.attempt({ protocolVersion: 5, username: 'earlier' });
    const later = await broker.attempt({ protocolVersion: 5, username: 'later' });
    verdicts.get('later')?.('accepted');
    await broker.settle();
    verdicts.get('earlier')?.('accepted');
    expect(await earlier.take()).toEqual(['closed']);
    expect(await later.send('c0 00')).toEqual([expect.stringMatching(/^CONNACK 0x00/), 'PINGRESP']);
  });
});
