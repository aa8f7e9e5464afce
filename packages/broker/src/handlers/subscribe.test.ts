import { describe, expect, it } from 'vitest';
import {
  acknowledgement,
  PINGREQ,
  publishPacket,
  subscribePacket,
  unsubscribePacket,
} from '../../test/raw-client.js';
import { TestBroker } from '../../test/test-broker.js';

/** SUBSCRIBE or UNSUBSCRIBE from filters and options as hex digits. */
function packet(firstByte: string, version: number, payload: string): string {
  const body = `0001${version === 5 ? '00' : ''}${payload}`.replaceAll(' ', '');
  return `${firstByte} ${(body.length / 2).toString(16).padStart(2, '0')} ${body}`;
}

const ALL = [3, 4, 5] as const;

const filter = (text: string): string => {
  const bytes = Buffer.from(text);
  return bytes.length.toString(16).padStart(4, '0') + bytes.toString('hex');
};

describe('SUBSCRIBE that costs the client its connection (broker §9.8)', () => {
  // biome-ignore format: one row a line
  const ROWS: readonly { what: string; payload: string; versions?: readonly (3 | 4 | 5)[]; code: string }[] = [
    { what: 'no filter [MQTT-3.8.3-2] [MQTT311-3.8.3-3]', payload: '', versions: [4, 5], code: '81' },
    { what: 'empty filter [MQTT-4.7.3-1] [MQTT311-4.7.3-1]', payload: '0000 00', code: '81' },
    { what: '# inside [MQTT-4.7.1-1] [MQTT311-4.7.1-2]', payload: `${filter('a/#/b')} 00`, code: '81' },
    { what: '# behind text [MQTT-4.7.1-1] [MQTT311-4.7.1-2]', payload: `${filter('a#')} 00`, code: '81' },
    { what: '+ beside text [MQTT-4.7.1-2] [MQTT311-4.7.1-3]', payload: `${filter('a/b+')} 00`, code: '81' },
    { what: 'filter with NUL [MQTT-4.7.3-2] [MQTT311-4.7.3-2]', payload: '0001 00 00', code: '81' },
    { what: 'filter that is not UTF-8 [MQTT-3.8.3-1] [MQTT311-3.8.3-1]', payload: '0001 ff 00', code: '81' },
    { what: 'more than 200 level separators', payload: `${filter('/'.repeat(201))} 00`, code: '81' },
    { what: 'QoS 3', payload: `${filter('a')} 03`, code: '81' },
    { what: 'reserved option bit 6 [MQTT-3.8.3-5] [MQTT311-3.8.3-4]', payload: `${filter('a')} 40`, code: '81' },
    { what: 'reserved option bit 7 [MQTT-3.8.3-5] [MQTT311-3.8.3-4]', payload: `${filter('a')} 80`, code: '81' },
    { what: 'Retain Handling 3', payload: `${filter('a')} 30`, code: '81' },
    { what: 'option bit 2 before MQTT 5 [MQTT311-3.8.3-4]', payload: `${filter('a')} 04`, versions: [3, 4], code: '' },
    { what: 'option bit 4 before MQTT 5 [MQTT311-3.8.3-4]', payload: `${filter('a')} 10`, versions: [3, 4], code: '' },
    { what: 'no options', payload: filter('a'), code: '81' },
    { what: '$share/g [MQTT-4.8.2-2]', payload: `${filter('$share/g')} 00`, code: '82' },
    { what: '$share/g/ [MQTT-4.8.2-2]', payload: `${filter('$share/g/')} 00`, code: '82' },
    { what: 'share name with + [MQTT-4.8.2-2]', payload: `${filter('$share/g+/a')} 00`, code: '82' },
    { what: 'share name with # [MQTT-4.8.2-2]', payload: `${filter('$share/#/a')} 00`, code: '82' },
    { what: 'No Local on a shared subscription [MQTT-3.8.3-4]', payload: `${filter('$share/g/a')} 04`, versions: [5], code: '82' },
  ];
  for (const { what, payload, versions = ALL, code } of ROWS) {
    for (const version of versions) {
      it(`version ${version}: ${what}`, async () => {
        const client = await new TestBroker().connect({ protocolVersion: version });
        const body = packet('82', version, payload).replaceAll(' ', '');
        // The longest one needs a Remaining Length of two bytes.
        const hex = body.length / 2 > 130 ? longer(body) : body;
        const answer = await client.exchange(hex, PINGREQ);
        expect(answer).toBe(version === 5 ? `e0 01 ${code} closed` : 'closed');
      });
    }
  }

  function longer(hex: string): string {
    const body = hex.slice(hex.indexOf('0001'));
    const length = body.length / 2;
    return `82 ${((length & 0x7f) | 0x80).toString(16)} ${(length >> 7).toString(16).padStart(2, '0')} ${body}`;
  }
});

describe('UNSUBSCRIBE that costs the client its connection (broker §9.8)', () => {
  // biome-ignore format: one row a line
  const ROWS: readonly { what: string; payload: string; versions?: readonly (3 | 4 | 5)[]; code: string }[] = [
    { what: 'no filter [MQTT-3.10.3-2] [MQTT311-3.10.3-2]', payload: '', versions: [4, 5], code: '81' },
    { what: 'empty filter', payload: '0000', code: '81' },
    { what: 'malformed filter', payload: filter('a/#/b'), code: '81' },
    { what: 'filter that is not UTF-8 [MQTT-3.10.3-1] [MQTT311-3.10.3-1]', payload: '0001 ff', code: '81' },
    { what: '$share/g', payload: filter('$share/g'), code: '82' },
  ];
  for (const { what, payload, versions = ALL, code } of ROWS) {
    for (const version of versions) {
      it(`version ${version}: ${what}`, async () => {
        const client = await new TestBroker().connect({ protocolVersion: version });
        const answer = await client.exchange(packet('a2', version, payload), PINGREQ);
        expect(answer).toBe(version === 5 ? `e0 01 ${code} closed` : 'closed');
      });
    }
  }
});

describe('SUBACK (broker §9.8)', () => {
  it.each([
    [3, '90 06 12 34 00 01 02 01'],
    [4, '90 06 12 34 00 01 02 01'],
    [5, '90 07 12 34 00 00 01 02 01'],
  ] as const)(
    'version %i: one, with a code for each filter, in order [MQTT-3.8.4-1] [MQTT-3.8.4-5] [MQTT-3.8.4-6] [MQTT-3.9.3-1] [MQTT311-3.8.4-1] [MQTT311-3.8.4-4] [MQTT311-3.8.4-5] [MQTT311-3.9.3-1]',
    async (protocolVersion, bytes) => {
      const client = await new TestBroker().connect({ protocolVersion });
      expect(await client.exchange(subscribePacket({ a: 0, b: 1, c: 2, '$share/g/d': 1 }, 0x1234))).toBe(
        bytes,
      );
    },
  );

  it('grants no more than max_qos [MQTT-3.8.4-7] [MQTT-3.2.2-10]', async () => {
    const client = await new TestBroker({ listener: { maxQos: 1 } }).connect();
    expect(await client.send(subscribePacket({ a: 0, b: 1, c: 2 }))).toEqual(['SUBACK #1 0x00 0x01 0x01']);
  });

  it('leaves before the retained messages that it brings about', async () => {
    const client = await new TestBroker().connect();
    await client.send(publishPacket('a', '1', { retain: true }), publishPacket('b', '2', { retain: true }));
    expect(await client.send(subscribePacket({ a: 0, b: 0 }))).toEqual([
      'SUBACK #1 0x00 0x00',
      'PUBLISH a=1 retain',
      'PUBLISH b=2 retain',
    ]);
  });

  it('accepts an empty Share Name', async () => {
    const client = await new TestBroker().connect({ protocolVersion: 5 });
    expect(await client.send(subscribePacket({ '$share//a': 0 }))).toEqual(['SUBACK #1 0x00']);
    expect(await client.send(publishPacket('a', '1'))).toEqual(['PUBLISH a=1']);
  });
});

describe('the same filter again [MQTT-3.8.4-3] [MQTT311-3.8.4-3]', () => {
  it('replaces QoS, options and identifier, and stays one subscription', async () => {
    const client = await new TestBroker().connect({ protocolVersion: 5 });
    const first = [{ name: 'subscriptionIdentifier', value: 5 } as const];
    await client.send(subscribePacket({ a: { qos: 2, noLocal: true } }, 1, first));
    expect(await client.send(publishPacket('a', '1'))).toEqual([]);
    const second = [{ name: 'subscriptionIdentifier', value: 6 } as const];
    await client.send(
      subscribePacket({ a: { qos: 1, retainAsPublished: true, retainHandling: 2 } }, 2, second),
    );
    const lines = await client.send(
      publishPacket('a', '1', { qos: 2, retain: true }),
      acknowledgement('PUBREL', 1),
    );
    expect(lines).toEqual(['PUBREC #1', 'PUBLISH a=1 q1 #1 retain subscriptionIdentifier=6', 'PUBCOMP #1']);
    await client.send(subscribePacket({ a: { retainHandling: 2 } }, 3));
    expect(await client.send(publishPacket('a', '2'))).toEqual(['PUBLISH a=2']);
  });

  it('$share/g/a and a are two', async () => {
    const client = await new TestBroker().connect();
    await client.send(subscribePacket({ a: 0 }), subscribePacket({ '$share/g/a': 0 }));
    expect(await client.send(publishPacket('a', '1'))).toEqual(['PUBLISH a=1', 'PUBLISH a=1']);
  });
});

describe('UNSUBACK (broker §9.8)', () => {
  it.each([3, 4] as const)('version %i: has no codes', async (protocolVersion) => {
    const client = await new TestBroker().connect({ protocolVersion });
    await client.send(subscribePacket({ a: 0 }));
    expect(await client.exchange(unsubscribePacket(['a', 'b'], 7))).toBe('b0 02 00 07');
  });

  it('MQTT 5: says for each filter whether it was there, in order [MQTT-3.11.3-1] [MQTT-3.11.3-2] [MQTT-3.10.4-5] (broker T-34)', async () => {
    const client = await new TestBroker().connect({ protocolVersion: 5 });
    await client.send(subscribePacket({ a: 0, '$foo/x': 0, '$share/g/a': 0 }));
    expect(
      await client.send(
        unsubscribePacket(['b', 'a', '$foo/y', '$foo/x', '$share/h/a', '$share/g/a', 'a'], 7),
      ),
    ).toEqual(['UNSUBACK #7 0x11 0x00 0x11 0x00 0x11 0x00 0x11']);
  });

  it('takes the filter character by character [MQTT-3.10.4-1] [MQTT311-3.10.4-1]', async () => {
    const client = await new TestBroker().connect({ protocolVersion: 5 });
    await client.send(subscribePacket({ 'a/+': 0 }));
    expect(await client.send(unsubscribePacket(['a/b', 'a/#', 'A/+']))).toEqual([
      'UNSUBACK #1 0x11 0x11 0x11',
    ]);
    expect(await client.send(publishPacket('a/b', '1'))).toEqual(['PUBLISH a/b=1']);
  });

  it('ends delivery, and finishes what was under way [MQTT-3.10.4-2] [MQTT311-3.10.4-2] [MQTT-3.10.4-3] [MQTT311-3.10.4-3]', async () => {
    const client = await new TestBroker().connect();
    await client.send(subscribePacket({ a: 2 }));
    expect(await client.send(publishPacket('a', '1', { qos: 2 }), acknowledgement('PUBREL', 1))).toEqual([
      'PUBREC #1',
      'PUBLISH a=1 q2 #1',
      'PUBCOMP #1',
    ]);
    await client.send(unsubscribePacket(['a']));
    expect(await client.send(acknowledgement('PUBREC', 1))).toEqual(['PUBREL #1']);
    expect(await client.send(acknowledgement('PUBCOMP', 1), publishPacket('a', '2'))).toEqual([]);
  });

  it('adds no more retained messages of that filter [MQTT-3.10.4-2]', async () => {
    const broker = new TestBroker({ settings: { maxInflightMessages: 1 } });
    const client = await broker.connect();
    for (const name of ['1', '2', '3', '4', '5'])
      await client.send(publishPacket(`a/${name}`, name, { retain: true, qos: 1 }));
    await client.take();
    const [, first] = await client.send(subscribePacket({ 'a/+': 1 }));
    expect(first).toBe('PUBLISH a/1=1 q1 #1 retain');
    await client.send(unsubscribePacket(['a/+']));
    const later: string[] = [];
    for (let packetId = 1; packetId <= 5; packetId++)
      later.push(...(await client.send(acknowledgement('PUBACK', packetId))));
    // One may have been waiting for the window already.
    expect(later.length).toBeLessThanOrEqual(1);
  });
});

describe('answers larger than the client takes', () => {
  const filters = Array.from({ length: 30 }, (_, index) => `f${index}`);
  const taking = (value: number) =>
    ({ protocolVersion: 5, properties: [{ name: 'maximumPacketSize', value }] }) as const;
  // Fixed Header, Packet Identifier, Property Length, and a code for each filter.
  const size = 2 + 2 + 1 + filters.length;

  it.each([
    ['SUBACK', subscribePacket(Object.fromEntries(filters.map((filter) => [filter, 0 as const])))],
    ['UNSUBACK', unsubscribePacket(filters)],
  ])('%s is not sent; the client is told why it ends [MQTT-3.1.2-24]', async (name, packet) => {
    const broker = new TestBroker();
    const [line = ''] = await (await broker.connect(taking(size))).send(packet);
    expect(line.startsWith(`${name} #1 `)).toBe(true);
    const client = await broker.connect(taking(size - 1));
    expect(await client.send(packet, PINGREQ)).toEqual(['DISCONNECT 0x95', 'closed']);
  });
});
