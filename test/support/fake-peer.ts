import { type AddressInfo, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A TCP server that does what the test says with each connection, closed at the end of the test. */
export async function fakePeer(serve: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    // A client may reset what it gave up.
    socket.on('error', () => {});
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Answers the first packet, whatever it is, with CONNACK 0 (3.1.1), and everything after it with nothing. */
export function acceptAndFallSilent(socket: Socket): void {
  socket.once('data', () => socket.write(Uint8Array.of(0x20, 0x02, 0x00, 0x00)));
  socket.resume();
}
