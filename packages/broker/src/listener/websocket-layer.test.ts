import { once } from 'node:events';
import { PacketType } from '@tsmqtt/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { EngineHost, LISTENER } from '../../test/engine-host.js';
import { bytesOf, connectPacket, publishPacket, subscribePacket } from '../../test/raw-client.js';
import { frame, request, UPGRADE, WebClient } from '../../test/web-client.js';
import type { ListenerSettings } from '../settings.js';

const WEB: ListenerSettings = { ...LISTENER, protocol: 'websockets' };
const ORIGINS = { ...WEB, websocketsOrigins: ['https://a.example'] };
const CONNECT = bytesOf(connectPacket({}), 4);
const CONNACK = '2 20020000';
const PINGREQ = Buffer.from('c000', 'hex');
const PINGRESP = '2 d000';

let host: EngineHost;
afterEach(() => host.stop());

async function start(listener = WEB, settings: Parameters<typeof EngineHost.start>[0] = {}): Promise<void> {
  host = await EngineHost.start({ listeners: [listener], ...settings });
}

async function connected(): Promise<WebClient> {
  const client = await WebClient.upgrade(host.port);
  client.send(CONNECT);
  await client.until(({ frames }) => frames.length === 1);
  expect(client.frames).toEqual([CONNACK]);
  return client;
}

describe('the request', () => {
  it('is accepted on any path, with the subprotocol that was picked [MQTT-6.0.0-3] [MQTT-6.0.0-4] [MQTT311-6.0.0-3] [MQTT311-6.0.0-4]', async () => {
    await start();
    const client = await WebClient.open(host.port);
    client.write(
      request({ ...UPGRADE, 'Sec-WebSocket-Protocol': 'chat, mqtt' }, 'GET /any/path?x=1 HTTP/1.1'),
    );
    await client.until(({ head }) => head !== undefined);
    expect(client.head?.split('\r\n')).toEqual([
      'HTTP/1.1 101 Switching Protocols',
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
      'Sec-WebSocket-Protocol: mqtt',
    ]);
  });

  it('may have data right behind it (broker T-45)', async () => {
    await start();
    const client = await WebClient.open(host.port);
    client.write(Buffer.concat([Buffer.from(request()), frame(CONNECT), frame(PINGREQ)]));
    await client.until(({ frames }) => frames.length === 2);
    expect(client.frames).toEqual([CONNACK, PINGRESP]);
  });

  it('may come byte by byte', async () => {
    await start();
    const client = await WebClient.open(host.port);
    for (const byte of Buffer.concat([Buffer.from(request()), frame(CONNECT)])) client.write(Buffer.of(byte));
    await client.until(({ frames }) => frames.length === 1);
    expect(client.frames).toEqual([CONNACK]);
  });

  const origin = (value: string): string => request({ ...UPGRADE, Origin: value });

  // biome-ignore format: one row a line
  it.each([
    ['no upgrade', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', '426 Upgrade Required', 'this port speaks MQTT over WebSocket'],
    ['another upgrade', request({ ...UPGRADE, Upgrade: 'h2c' }), '426 Upgrade Required', 'this port speaks MQTT over WebSocket'],
    ['another version', request({ ...UPGRADE, 'Sec-WebSocket-Version': '12' }), '426 Upgrade Required', 'Sec-WebSocket-Version is not 13'],
    ['HEAD', request(UPGRADE, 'HEAD / HTTP/1.1'), '405 Method Not Allowed', 'a WebSocket begins with GET'],
    ['no key', request({ ...UPGRADE, 'Sec-WebSocket-Key': undefined }), '400 Bad Request', 'there is no right Sec-WebSocket-Key'],
    ['no subprotocol', request({ ...UPGRADE, 'Sec-WebSocket-Protocol': undefined }), '400 Bad Request', 'no subprotocol mqtt is offered'],
    ['a foreign origin', origin('https://a.example.evil'), '403 Forbidden', 'non-matching http origin'],
    ['a head of 5000 bytes', request({ ...UPGRADE, X: 'x'.repeat(5000) }), '431 Request Header Fields Too Large', 'the request has too large a head'],
    ['a path of 5000 bytes', request(UPGRADE, `GET /${'x'.repeat(5000)} HTTP/1.1`), '431 Request Header Fields Too Large', 'the request has too large a head'],
    ['MQTT', '\x10\x0c\0\x04MQTT\x04\x02\0\0\0\0', '400 Bad Request', /^the request is no HTTP: /],
    ['a blank in a header', `GET / HTTP/1.1\r\nHo st: x\r\n\r\n`, '400 Bad Request', /^the request is no HTTP: /],
  ])('is answered with a status and closed: %s (broker B-7)', async (_what, sent, status, reason) => {
    await start(ORIGINS);
    const client = await WebClient.open(host.port);
    client.write(sent);
    await client.closed();
    expect(client.head?.split('\r\n')[0]).toBe(`HTTP/1.1 ${status}`);
    const [last = ''] = host.notices.slice(-1);
    const match = /^Client 127\.0\.0\.1:\d+ disconnected: (.*)\.$/.exec(last);
    expect(match?.[1]).toEqual(typeof reason === 'string' ? reason : expect.stringMatching(reason));
    expect(host.engine.connections.size).toBe(0);
  });

  it.each([['https://a.example'], [undefined]])('may have the origin %s', async (value) => {
    await start(ORIGINS);
    const client = await WebClient.open(host.port);
    client.write(request({ ...UPGRADE, Origin: value }));
    await client.until(({ head }) => head !== undefined);
    expect(client.head).toMatch(/^HTTP\/1\.1 101 /);
  });

  it('may have a head as large as packet_buffer_size says', async () => {
    await start(WEB, { packetBufferSize: 20_000 });
    const client = await WebClient.open(host.port);
    client.write(request({ ...UPGRADE, X: 'x'.repeat(19_000) }));
    await client.until(({ head }) => head !== undefined);
    expect(client.head).toMatch(/^HTTP\/1\.1 101 /);
  });

  it('that is TLS gets its line in the log (broker §5)', async () => {
    await start();
    const client = await WebClient.open(host.port);
    client.write(Buffer.from('16030100050100000100', 'hex'));
    await client.closed();
    expect(host.notices.at(-1)).toMatch(
      /^Client from 127\.0\.0\.1:\d+ appears to be using TLS to connect to a non-TLS listener\.$/,
    );
  });

  it.each([
    ['that never ends', request().slice(0, -2)],
    ['of nothing', ''],
  ])('%s has 30 s, like CONNECT without a request', async (_what, sent) => {
    await start();
    const client = await WebClient.open(host.port);
    client.write(sent);
    await expect.poll(() => host.notices.length).toBe(1);
    host.pass(30);
    expect(client.tcp.socket.destroyed).toBe(false);
    host.pass(1);
    await client.closed();
    expect(client.head).toBeUndefined();
  });

  it('counts against the 30 s of CONNECT', async () => {
    await start();
    const client = await WebClient.open(host.port);
    await expect.poll(() => host.notices.length).toBe(1);
    host.pass(20);
    client.write(request());
    await client.until(({ head }) => head !== undefined);
    host.pass(11);
    await client.until(({ frames }) => frames.length === 1);
    expect(client.frames).toEqual(['8 03e8']);
    expect(host.notices.at(-1)).toMatch(/ disconnected: exceeded timeout\.$/);
  });
});

describe('frames from a client', () => {
  beforeEach(() => start());

  it('may share and span MQTT packets [MQTT-6.0.0-2] [MQTT311-6.0.0-2]', async () => {
    const client = await WebClient.upgrade(host.port);
    const bytes = Buffer.concat([CONNECT, PINGREQ, bytesOf(subscribePacket({ t: 0 }), 4), PINGREQ]);
    for (let at = 0; at < bytes.length; at += 7) client.write(frame(bytes.subarray(at, at + 7)));
    client.send(PINGREQ, PINGREQ);
    await client.until(({ frames }) => frames.length === 6);
    expect(client.frames).toEqual([CONNACK, PINGRESP, '2 9003000100', PINGRESP, PINGRESP, PINGRESP]);
  });

  it('may be fragments, with a Ping between them', async () => {
    const client = await connected();
    const bytes = bytesOf(subscribePacket({ t: 0 }), 4);
    client.write(
      Buffer.concat([
        frame(bytes.subarray(0, 3), 0x02),
        frame(Buffer.from('hi'), 0x89),
        frame(Buffer.alloc(0), 0x00),
        frame(bytes.subarray(3), 0x80),
      ]),
    );
    await client.until(({ frames }) => frames.length === 3);
    expect(client.frames).toEqual([CONNACK, 'a 6869', '2 9003000100']);
  });

  it('may be empty, and may be Pong', async () => {
    const client = await connected();
    client.write(Buffer.concat([frame(Buffer.alloc(0)), frame(Buffer.from('x'), 0x8a), frame(PINGREQ)]));
    await client.until(({ frames }) => frames.length === 2);
    expect(client.frames).toEqual([CONNACK, PINGRESP]);
  });

  // biome-ignore format: one row a line
  it.each([
    ['text [MQTT-6.0.0-1] [MQTT311-6.0.0-1]', frame(Buffer.from('c000'), 0x81), '03eb4d5154542069732062696e617279', 'it sent a text frame'],
    ['text that is no UTF-8', frame(Buffer.from('ff', 'hex'), 0x81), '03eb4d5154542069732062696e617279', 'it sent a text frame'],
    ['a reserved bit', frame(PINGREQ, 0xc2), '03ea', 'Invalid WebSocket frame: RSV1 must be clear'],
    ['another reserved bit', frame(PINGREQ, 0x92), '03ea', 'Invalid WebSocket frame: RSV2 and RSV3 must be clear'],
    ['an unknown opcode', frame(PINGREQ, 0x83), '03ea', 'Invalid WebSocket frame: invalid opcode 3'],
    ['a fragment of nothing', frame(PINGREQ, 0x80), '03ea', 'Invalid WebSocket frame: invalid opcode 0'],
    ['no mask', Buffer.from('8202c000', 'hex'), '03ea', 'Invalid WebSocket frame: MASK must be set'],
    ['a Ping in fragments', frame(Buffer.from('x'), 0x09), '03ea', 'Invalid WebSocket frame: FIN must be set'],
    ['a Ping of 126 bytes', frame(Buffer.alloc(126), 0x89), '03ea', 'Invalid WebSocket frame: invalid payload length 126'],
    ['a Close of one byte', frame(Buffer.alloc(1), 0x88), '03ea', 'Invalid WebSocket frame: invalid payload length 1'],
    ['a Close with a code that is none', frame(Buffer.from('03ec', 'hex'), 0x88), '03ea', 'Invalid WebSocket frame: invalid status code 1004'],
    ['a frame of 2 GB', Buffer.from('82ff0000000080000000', 'hex'), '03f1', 'Max payload size exceeded'],
    ['a frame of 2^63 bytes', Buffer.from('82ff7fffffffffffffff', 'hex'), '03f1', 'Unsupported WebSocket frame: payload length > 2^53 - 1'],
  ])('end the connection with a Close of their own: %s', async (_what, bytes, code, reason) => {
    const client = await connected();
    client.write(bytes);
    await client.until(({ frames }) => frames.length === 2);
    expect(client.frames[1]).toBe(`8 ${code}`);
    expect(host.notices.at(-1)).toMatch(/^Client client \[127\.0\.0\.1:\d+\] disconnected: /);
    expect(host.notices.at(-1)).toContain(`disconnected: ${reason}.`);
    client.write(frame(Buffer.from('03e8', 'hex'), 0x88));
    await client.closed();
    expect(client.frames).toHaveLength(2);
  });

  it('that end with Close are answered with Close, and the will is sent', async () => {
    const watcher = await connected();
    watcher.send(subscribePacket({ will: 0 }));
    const client = await WebClient.upgrade(host.port);
    const will = { topic: 'will', payload: Buffer.from('x'), qos: 0 as const, retain: false, properties: [] };
    client.send(connectPacket({ clientId: 'other', will }));
    await client.until(({ frames }) => frames.length === 1);
    client.write(frame(Buffer.from('03e9', 'hex'), 0x88));
    await client.closed();
    expect(client.frames).toEqual([CONNACK, '8 03e9']);
    await watcher.until(({ frames }) => frames.length === 3);
    expect(watcher.frames[2]).toBe('2 3007000477696c6c78');
  });

  it('that follow a Close do nothing', async () => {
    const client = await connected();
    client.write(Buffer.concat([frame(Buffer.alloc(0), 0x88), frame(PINGREQ)]));
    await client.closed();
    expect(client.frames).toEqual([CONNACK, '8 ']);
  });
});

describe('frames of the broker', () => {
  it('hold one packet each, whatever is sent together (broker §10.1)', async () => {
    await start();
    const client = await connected();
    client.send(subscribePacket({ t: 0 }));
    const sizes = [1, 100, 200, 70_000, 3];
    client.send(...sizes.map((size) => publishPacket('t', Buffer.alloc(size))), PINGREQ);
    await client.until(({ frames }) => frames.at(-1) === PINGRESP);
    const header = (size: number): number => (size < 124 ? 2 : size < 16_380 ? 3 : 4) + 3;
    expect(client.frames.map((one) => one.length / 2 - 1)).toEqual([
      4,
      5,
      ...sizes.map((size) => size + header(size)),
      2,
    ]);
  });

  it.each([
    ['DISCONNECT from the client', 'e000', []],
    ['an error', 'f000', []],
  ])('end with Close 1000 after %s', async (_what, sent, more) => {
    await start();
    const client = await connected();
    client.send(sent);
    await client.until(({ frames }) => frames.some((one) => one.startsWith('8')));
    expect(client.frames).toEqual([CONNACK, ...more, '8 03e8']);
    client.write(frame(Buffer.from('03e8', 'hex'), 0x88));
    await client.closed();
  });

  it('end with Close behind the DISCONNECT of MQTT 5', async () => {
    await start();
    const client = await WebClient.upgrade(host.port);
    client.send(bytesOf(connectPacket({ protocolVersion: 5 }), 5));
    await client.until(({ frames }) => frames.length === 1);
    client.send('3003 0000 00');
    await client.until(({ frames }) => frames.length === 3);
    expect(client.frames.slice(1)).toEqual([expect.stringMatching(/^2 e0/), '8 03e8']);
  });

  it('do not wait for ever for the Close of a peer that sends none', async () => {
    await start();
    const client = await connected();
    client.send('e000');
    await client.until(({ frames }) => frames.length === 2);
    host.pass(2);
    await client.closed();
  });
});

describe('the library ws as a client', () => {
  it('speaks MQTT 5 and closes', async () => {
    await start();
    const socket = new WebSocket(`ws://127.0.0.1:${host.port}/mqtt`, ['mqttv3.1', 'mqtt']);
    await once(socket, 'open');
    expect(socket.protocol).toBe('mqttv3.1');
    socket.send(bytesOf(connectPacket({ protocolVersion: 5 }), 5));
    const [connack, isBinary] = await once(socket, 'message');
    expect([connack[0] >> 4, isBinary]).toEqual([PacketType.CONNACK, true]);
    socket.send(Buffer.from('e000', 'hex'));
    const [code] = await once(socket, 'close');
    expect(code).toBe(1000);
  });
});
