import { createSocket } from 'node:dgram';
import { PassThrough } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { ClientError } from '../client-error.js';
import type { Connector } from './connector.js';
import { type SrvTarget, srv } from './srv.js';

const never = new AbortController().signal;

interface Row {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly name: string;
}

/** RFC 1035 4.1.2: a name as labels. */
function labels(name: string): Buffer {
  const parts = name === '.' ? [] : name.split('.');
  return Buffer.concat([
    ...parts.map((part) => Buffer.from([part.length, ...Buffer.from(part)])),
    Buffer.of(0),
  ]);
}

/** A DNS server that knows the SRV records of one name; NXDOMAIN (3) for any other. `undefined`: it never answers. */
async function nameServer(name: string, rows: readonly Row[] | undefined): Promise<string> {
  const socket = createSocket('udp4');
  socket.on('message', (query, peer) => {
    if (rows === undefined) return;
    // Header of 12 bytes, question to the end of its name, type and class; a client's EDNS record comes behind.
    const end = query.indexOf(0, 12) + 5;
    const question = query.subarray(12, end);
    const known = question.subarray(0, -4).equals(labels(name));
    const answers = rows.map((row) => {
      const data = Buffer.concat([Buffer.alloc(6), labels(row.name)]);
      [row.priority, row.weight, row.port].forEach((value, index) => {
        data.writeUInt16BE(value, 2 * index);
      });
      // Name of the question, type SRV, class IN, one minute, length.
      const head = Buffer.of(0xc0, 12, 0, 33, 0, 1, 0, 0, 0, 60, data.length >> 8, data.length & 0xff);
      return Buffer.concat([head, data]);
    });
    const head = Buffer.alloc(12);
    head.set(query.subarray(0, 2));
    head.writeUInt16BE(known ? 0x8180 : 0x8183, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(known ? answers.length : 0, 6);
    socket.send(Buffer.concat([head, question, ...(known ? answers : [])]), peer.port, peer.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    socket.close();
  });
  return `127.0.0.1:${socket.address().port}`;
}

/** Connectors that note where they go, and fail unless it is the last name. */
function tries(error: (target: SrvTarget) => Error | undefined): {
  readonly seen: string[];
  readonly to: (target: SrvTarget) => Connector;
} {
  const seen: string[] = [];
  const to = (target: SrvTarget) => async () => {
    seen.push(`${target.host}:${target.port}`);
    const failure = error(target);
    if (failure !== undefined) throw failure;
    return new PassThrough();
  };
  return { seen, to };
}

const unreachable = (): Error => new ClientError('connect-failed', 'no');

test('priorities in order, weights by chance, until one is reached', async () => {
  const rows = [
    { priority: 20, weight: 5, port: 4, name: 'last.example' },
    { priority: 10, weight: 30, port: 3, name: 'heavy.example' },
    { priority: 10, weight: 0, port: 1, name: 'never.example' },
    { priority: 10, weight: 10, port: 2, name: 'light.example' },
  ];
  const servers = [await nameServer('_mqtt._tcp.example.org', rows)];
  const order = async (...chances: number[]): Promise<string[]> => {
    const { seen, to } = tries(({ port }) => (port === 4 ? undefined : unreachable()));
    const random = (): number => chances.shift() ?? 0;
    await srv({ host: 'example.org', servers, random }, to)(never);
    return seen;
  };
  // 41 numbers from 0 to 40: 0 is never's, 1 to 10 light's, 11 to 40 heavy's.
  const [never1, light2, heavy3, last4] = [
    'never.example:1',
    'light.example:2',
    'heavy.example:3',
    'last.example:4',
  ];
  expect(await order(0, 0, 0, 0)).toEqual([never1, light2, heavy3, last4]);
  expect(await order(10.9 / 41, 0, 0, 0)).toEqual([light2, never1, heavy3, last4]);
  expect(await order(11 / 41, 10.9 / 11, 0, 0)).toEqual([heavy3, light2, never1, last4]);
});

test('the service of TLS has a name of its own', async () => {
  const row = { priority: 0, weight: 0, port: 8883, name: 'mqtt.example' };
  const servers = [await nameServer('_secure-mqtt._tcp.example.org', [row])];
  const { seen, to } = tries(() => undefined);
  await srv({ host: 'example.org', secure: true, servers }, to)(never);
  expect(seen).toEqual(['mqtt.example:8883']);
  await expect(srv({ host: 'example.org', servers }, to)(never)).rejects.toMatchObject({
    code: 'lookup-failed',
    message: '_mqtt._tcp.example.org cannot be resolved: querySrv ENOTFOUND _mqtt._tcp.example.org',
  });
});

test('no target, and the target that stands for none', async () => {
  const { seen, to } = tries(() => undefined);
  for (const rows of [[], [{ priority: 0, weight: 0, port: 0, name: '.' }]]) {
    const servers = [await nameServer('_mqtt._tcp.example.org', rows)];
    await expect(srv({ host: 'example.org', servers }, to)(never)).rejects.toMatchObject({
      code: 'lookup-failed',
    });
  }
  expect(seen).toEqual([]);
});

test('what another target would meet too is not tried there', async () => {
  const rows = [1, 2].map((port) => ({ priority: port, weight: 0, port, name: 'a.example' }));
  const servers = [await nameServer('_mqtt._tcp.example.org', rows)];
  const wrong = tries(() => new ClientError('tls-failed', 'no'));
  await expect(srv({ host: 'example.org', servers }, wrong.to)(never)).rejects.toMatchObject({
    code: 'tls-failed',
  });
  expect(wrong.seen).toEqual(['a.example:1']);
  const gone = tries(unreachable);
  await expect(srv({ host: 'example.org', servers }, gone.to)(never)).rejects.toMatchObject({
    code: 'connect-failed',
  });
  expect(gone.seen).toEqual(['a.example:1', 'a.example:2']);
});

test('aborted while nobody answers', async () => {
  const servers = [await nameServer('', undefined)];
  const controller = new AbortController();
  const { to } = tries(() => undefined);
  const connecting = srv({ host: 'example.org', servers }, to)(controller.signal);
  setImmediate(() => controller.abort('enough'));
  await expect(connecting).rejects.toBe('enough');
});
