import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createWebSocketStream, WebSocketServer } from 'ws';
import { certificateFolder } from './support/certificates.js';
import { describePeer } from './support/peers.js';
import { startProgram } from './support/programs.js';
import { makeCertificates } from './support/tls-trials.js';

/** Of one read, also over TLS, and far more on stdout than a pipe and the program's own buffer hold. */
const COUNT = 1500;
const FORMAT = '%p %j%j%j%j%j%j%j%j';

const hex = (digits: string): Buffer => Buffer.from(digits, 'hex');

/** Speaks MQTT 3.1.1: answers CONNECT; SUBSCRIBE with SUBACK, all the messages, and the end of the connection. */
function sendAndClose(socket: Duplex): void {
  socket.on('error', () => {});
  socket.once('data', () => {
    socket.write(hex('20020000'));
    socket.once('data', (subscribe: Buffer) => {
      const messages = Array.from({ length: COUNT }, (_, index) => {
        const payload = Buffer.from(String(index + 1));
        return Buffer.concat([hex('30'), Buffer.of(3 + payload.length), hex('000161'), payload]);
      });
      socket.end(Buffer.concat([hex('9003'), subscribe.subarray(2, 4), hex('00'), ...messages]));
    });
  });
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** Serves the first connection; reads what the program prints once `event` has come on it. */
async function everythingIsPrinted(
  serve: (visit: (socket: Duplex) => void) => Promise<number>,
  event: 'end' | 'finish',
  ...options: string[]
): Promise<void> {
  let visits = 0;
  const port = await serve((socket) => {
    if (++visits > 1) {
      socket.destroy();
      return;
    }
    socket.on(event, () => child.readStdout());
    sendAndClose(socket);
  });
  const at = ['-h', '127.0.0.1', '-p', String(port), ...options];
  const child = startProgram('tsmqtt-sub', [...at, '-t', 'a', '-F', FORMAT], { input: '', collect: false });
  await child.line(/was lost/, 'stderr');
  await child.lines(COUNT);
  const numbers = child.stdout
    .toString()
    .split('\n', COUNT)
    .map((line) => Number.parseInt(line, 10));
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
}

describe('a reader that is slow gets what came before the end of the connection', () => {
  // The program closes its side when it has seen the end.
  test('TCP', () => everythingIsPrinted((visit) => listening(createTcpServer(visit)), 'end'));

  test('WebSocket', () =>
    everythingIsPrinted(
      async (visit) => {
        const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'mqtt' });
        server.on('connection', (socket) => visit(createWebSocketStream(socket)));
        onTestFinished(() => server.close());
        await new Promise<void>((resolve) => server.once('listening', resolve));
        return (server.address() as AddressInfo).port;
      },
      // It does not see the end while it does not read.
      'finish',
      '--ws',
    ));

  describePeer('openssl', 'TLS', () => {
    const folder = certificateFolder();
    test('TLS', async () => {
      const made = makeCertificates(folder);
      const files = { key: readFileSync(made.good.key), cert: readFileSync(made.good.cert) };
      await everythingIsPrinted(
        (visit) => listening(createTlsServer({ ...files, allowHalfOpen: false }, visit)),
        'end',
        '--cafile',
        made.ca.file,
        '--insecure',
      );
    });
  });
});
