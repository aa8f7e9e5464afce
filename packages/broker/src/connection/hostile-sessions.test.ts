import { once } from 'node:events';
import { connect } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { encodePacket, type Packet, PacketType, type ProtocolVersion } from '@tsmqtt/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { EngineHost } from '../../test/engine-host.js';

let host: EngineHost;
afterEach(() => host.stop());

const full = process.env.TSMQTT_FULL === '1';
/** `TSMQTT_FULL=1` makes it 100,000; any other number may be given by itself. */
const SESSIONS = Number(process.env.TSMQTT_FUZZ_SESSIONS ?? (full ? 100_000 : 1500));
/** After so many, everything that grows once has grown: code is compiled, buffers have their size. */
const WARM_UP = Math.min(500, SESSIONS);
/** Bytes that the heap may have grown between then and the end: the steady clients' messages, and noise. */
const NOISE = 4 * 1024 * 1024;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes that are in use and not garbage. */
async function liveHeap(): Promise<number> {
  // What a turn of the event loop still holds is let go in the next one.
  for (let times = 0; times < 3; times++) {
    collectGarbage();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return process.memoryUsage().heapUsed;
}

/** Park and Miller's generator: the same numbers in every run, so that a failure comes again. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}

/** A session as clients have it, with Client Identifiers that collide on purpose. */
function session(pick: (below: number) => number): Buffer[] {
  const version = [3, 4, 5][pick(3)] as ProtocolVersion;
  const will = {
    topic: 'w',
    payload: Buffer.from('gone'),
    qos: 1 as const,
    retain: pick(2) === 0,
    properties: [],
  };
  const packets: Packet[] = [
    {
      type: PacketType.CONNECT,
      protocolVersion: version,
      bridge: false,
      cleanStart: pick(2) === 0,
      keepAlive: 10,
      clientId: `fuzz${pick(5)}`,
      will: pick(2) === 0 ? will : undefined,
      username: pick(3) === 0 ? 'u' : undefined,
      password: undefined,
      properties: version === 5 ? [{ name: 'sessionExpiryInterval', value: pick(100) }] : [],
    },
  ];
  for (let count = pick(12); count > 0; count--) packets.push(anyPacket(pick, version));
  return packets.map((packet) => encodePacket(packet, version));
}

function anyPacket(pick: (below: number) => number, version: ProtocolVersion): Packet {
  const packetId = 1 + pick(4);
  const topic = ['a', 'a/b', 'x/y/z', 'w'][pick(4)] as string;
  const filter = ['a', 'a/+', '#', '$share/g/a', 'x/#'][pick(5)] as string;
  const acknowledgement = [PacketType.PUBACK, PacketType.PUBREC, PacketType.PUBREL, PacketType.PUBCOMP][
    pick(4)
  ];
  const qos = pick(3) as 0 | 1 | 2;
  const options = { noLocal: false, retainAsPublished: pick(2) === 0, retainHandling: 0 as const };
  const makers: (() => Packet)[] = [
    () => ({
      type: PacketType.PUBLISH,
      topic,
      payload: Buffer.alloc(pick(300), 97),
      qos,
      retain: pick(4) === 0,
      dup: false,
      packetId: qos === 0 ? 0 : packetId,
      properties: version === 5 && pick(2) === 0 ? [{ name: 'topicAlias', value: 1 + pick(12) }] : [],
    }),
    () => ({
      type: PacketType.SUBSCRIBE,
      packetId,
      subscriptions: [{ filter, qos, ...options }],
      properties: [],
    }),
    () => ({ type: PacketType.UNSUBSCRIBE, packetId, filters: [filter], properties: [] }),
    () => ({ type: acknowledgement as typeof PacketType.PUBACK, packetId, reasonCode: 0, properties: [] }),
    () => ({ type: PacketType.PINGREQ }),
    () => ({ type: PacketType.DISCONNECT, reasonCode: 0, properties: [] }),
  ];
  return (makers[pick(makers.length)] as () => Packet)();
}

/** Changes, drops, doubles or cuts bytes in half of the packets' places. */
function mutated(bytes: Buffer, pick: (below: number) => number): Buffer {
  const copy = Buffer.from(bytes);
  for (let times = pick(4); times > 0; times--) {
    const at = pick(copy.length);
    if (pick(4) === 0) return Buffer.concat([copy.subarray(0, at), copy.subarray(at + 1 + pick(3))]);
    copy[at] = pick(256);
  }
  return copy;
}

describe('hostile clients', () => {
  it('cost themselves their connection and nobody else anything, whatever bytes they send', {
    timeout: 30_000 + SESSIONS * 20,
  }, async () => {
    host = await EngineHost.start({ persistentClientExpiration: 3600, retainExpiryInterval: 60 });
    const pick = random(20_261_123);
    const subscriber = await host.client('steady-subscriber');
    await subscriber.subscribe('steady/#', 1);
    subscriber.acknowledges = true;
    const publisher = await host.client('steady-publisher');
    const unexpected: string[] = [];
    let sent = 0;
    let heap = 0;
    for (let count = 0; count < SESSIONS; count += 25) {
      const batch = Array.from({ length: 25 }, async () => {
        const socket = connect(host.port, '127.0.0.1');
        // A reset is one of the ways in which the broker may end it.
        socket.on('error', ({ code }: NodeJS.ErrnoException) => {
          if (code !== 'ECONNRESET' && code !== 'EPIPE') unexpected.push(code ?? 'unknown');
        });
        socket.resume();
        const closed = new Promise((resolve) => socket.once('close', resolve));
        const bytes = mutated(Buffer.concat(session(pick)), pick);
        const cut = pick(bytes.length);
        socket.write(bytes.subarray(0, cut));
        await new Promise((resolve) => setImmediate(resolve));
        if (pick(5) === 0) socket.destroy();
        else socket.end(bytes.subarray(cut));
        await closed;
      });
      publisher.socket.write(publisher.publish('steady/t', String(sent++), 1, sent));
      await Promise.all(batch);
      if (count + 25 === WARM_UP) heap = await liveHeap();
    }
    expect(unexpected).toEqual([]);
    await subscriber.until(() => subscriber.payloads.length === sent);
    expect(subscriber.payloads).toEqual(Array.from({ length: sent }, (_, index) => String(index)));
    await publisher.ping();
    expect(host.engine.connections.size).toBe(2);
    // What sessions the fuzz left expires, and nothing of it stays behind. The steady clients have no keep-alive.
    host.pass(3700);
    expect(host.engine.sessions.size).toBe(2);
    expect(host.engine.tree.size).toBe(1);
    expect(host.engine.retained.size).toBe(0);
    expect(host.engine.blockedSessions.size).toBe(0);
    host.notices.length = 0;
    const grown = (await liveHeap()) - heap;
    if (full) console.log(`${SESSIONS} sessions: the heap has grown by ${(grown / 1024).toFixed(0)} KiB`);
    expect(grown).toBeLessThan(NOISE);
  });

  it('that never finish CONNECT are closed after 30 s', async () => {
    host = await EngineHost.start();
    const silent = connect(host.port, '127.0.0.1');
    const slow = connect(host.port, '127.0.0.1');
    const ended = [once(silent.resume(), 'close'), once(slow.resume(), 'close')];
    await Promise.all([once(silent, 'connect'), once(slow, 'connect')]);
    slow.write(Buffer.from([0x10, 20, 0, 4]));
    const other = await host.client('other');
    await other.ping();
    host.pass(33);
    await Promise.all(ended);
    await other.ping();
  });

  it('that announce 256 MB are refused from the header, and cost nothing', async () => {
    host = await EngineHost.start();
    const client = await host.client('greedy', { version: 5 });
    client.socket.write(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]));
    const disconnect = await client.next(PacketType.DISCONNECT);
    expect(disconnect).toMatchObject({ reasonCode: 0x95 });
    const unknown = connect(host.port, '127.0.0.1');
    unknown.resume();
    unknown.write(Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]));
    await once(unknown, 'close');
  });
});
