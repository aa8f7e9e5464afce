import { encodePacket, type Packet, PacketType } from '@tsmqtt/protocol';
import { describe, expect, test } from 'vitest';
import { connack, message, names, type Peer, suback } from '../../cli-kit/test/scripted-broker.js';
import { sending, sub } from '../test/run-sub.js';

describe('printing (cli §14.1)', () => {
  const messages = [message('a/b', Buffer.from('x\xff\0y', 'latin1')), message('é', ''), message('c', 'z')];
  test.each([
    [[], 'x\xff\0y\nz\n'],
    [['-v'], 'a/b x\xff\0y\n\xc3\xa9 (null)\nc z\n'],
    [['-N'], 'x\xff\0yz'],
    [['-v', '-N'], 'a/b x\xff\0yc z'],
  ])('%j', async (args, out) => {
    const outcome = await sub(sending(...messages), '-t', '#', '-C', '3', ...args);
    expect(outcome).toMatchObject({ code: 0, out, err: '' });
  });
});

describe('subscribing (cli §12.1, §12.2, P-2)', () => {
  test('one SUBSCRIBE with every filter in order, then one UNSUBSCRIBE per -U', async () => {
    const filters = ['-t', 'b', '-t', 'a/#', '-t', 'b', '-U', 'x', '-U', 'y'];
    const { received } = await sub(sending(message('b', '1')), ...filters, '-q', '1', '-C', '1');
    const [, subscribe, ...unsubscribes] = received.filter(({ type }) => type !== PacketType.DISCONNECT);
    expect(subscribe).toMatchObject({
      subscriptions: ['b', 'a/#', 'b'].map((filter) => ({ filter, qos: 1 })),
    });
    expect(unsubscribes).toMatchObject([{ filters: ['x'] }, { filters: ['y'] }]);
  });

  const answering = (...reasonCodes: number[]) => {
    return (packet: Packet, peer: Peer): unknown =>
      packet.type !== PacketType.SUBSCRIBE || void peer.send(suback(packet.packetId, reasonCodes));
  };

  test.each([
    ['311', [128, 128], 128],
    ['5', [0x87, 0x97], 0x87],
  ])('all refused, -V %s', async (version, reasonCodes, code) => {
    const outcome = await sub(answering(...reasonCodes), '-V', version, '-t', 'a', '-t', 'b');
    expect(outcome).toMatchObject({ code, out: '', err: 'All subscription requests were denied.\n' });
    expect(names(outcome.received).at(-1)).toBe('DISCONNECT');
  });

  test('some refused: warnings in the words of the command line', async () => {
    const filters = ['-t', 'a', '-t', 'b/#/c', '-t', 'd'];
    const outcome = await sub(answering(0, 0x87, 0x80), '-V', '5', ...filters, '-E');
    expect(outcome).toMatchObject({
      code: 0,
      err:
        "Warning: Subscription to 'b/#/c' was refused: Not authorized.\n" +
        "Warning: Subscription to 'd' was refused: Unspecified error.\n",
    });
  });

  test('-E ends with the SUBACK', async () => {
    expect(await sub(answering(1), '-t', 'a', '-E')).toMatchObject({ code: 0, out: '', err: '' });
    // Nor is a retained message printed that came together with it.
    const together = (packet: Packet, peer: Peer): unknown => {
      if (packet.type !== PacketType.SUBSCRIBE) return true;
      const retained = encodePacket(message('a', 'kept', { retain: true }), 4);
      peer.socket.write(Buffer.concat([encodePacket(suback(packet.packetId, [0]), 4), retained]));
      return false;
    };
    expect(await sub(together, '-t', 'a', '-E')).toMatchObject({ code: 0, out: '', err: '' });
    expect(await sub(together, '-t', 'a', '-C', '1')).toMatchObject({ code: 0, out: 'kept\n', err: '' });
  });

  test('-d traces, in order with the messages (cli §16)', async () => {
    const { out } = await sub(sending(message('a', 'hi')), '-d', '-i', 's', '-t', 'a', '-q', '2', '-C', '1');
    expect(out).toBe(
      'Client s sending CONNECT\nClient s received CONNACK (0)\n' +
        'Client s sending SUBSCRIBE (Mid: 1, Topic: a, QoS: 2, Options: 0x00)\n' +
        'Client s received SUBACK\nSubscribed (mid: 1): 2\n' +
        "Client s received PUBLISH (d0, q0, r0, m0, 'a', ... (2 bytes))\nhi\nClient s sending DISCONNECT\n",
    );
  });

  test('--quiet hides the Subscribed line, and only that', async () => {
    const { out } = await sub(sending(message('a', 'hi')), '-d', '--quiet', '-t', 'a', '-C', '1');
    expect(out).toContain('received SUBACK\nClient');
  });
});

describe('CONNACK refusals (cli §17.2)', () => {
  test.each([
    ['31', 5, 'Connection error: Connection Refused: not authorised\n'],
    ['311', 4, 'Connection error: Connection Refused: bad user name or password\n'],
    ['5', 134, 'Connection error: Bad User Name or Password\n'],
    [
      '5',
      132,
      'Connection error: Unsupported Protocol Version. Try connecting to an MQTT v5 broker, or use MQTT v3.x mode.\n',
    ],
  ])('-V %s, %i', async (version, code, err) => {
    const refuse = (_packet: Packet, peer: Peer) => void peer.send(connack(code));
    expect(await sub(refuse, '-V', version, '-t', 'a')).toMatchObject({ code, out: '', err });
  });

  test('MQTT 5 against a broker that answers in MQTT 3 (D-17)', async () => {
    const answer = (_packet: Packet, peer: Peer) => void peer.socket.write(Uint8Array.of(0x20, 2, 0, 1));
    expect(await sub(answer, '-V', '5', '-t', 'a')).toMatchObject({
      code: 132,
      err: 'Connection error: Unsupported Protocol Version. Try connecting to an MQTT v5 broker, or use MQTT v3.x mode.\n',
    });
  });
});
