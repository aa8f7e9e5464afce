import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { describeBrokers, startBroker } from './support/brokers.js';
import { acceptAndFallSilent, fakePeer } from './support/fake-peer.js';
import { runProgram, startSubscriber } from './support/programs.js';

describeBrokers('keep-alive', (name) => {
  test('a client that falls silent is dead after one and a half keep-alives: its will appears', async () => {
    const broker = await startBroker(name);
    const watcher = await startSubscriber([...broker.at, '-v', '-t', 'will']);
    const socket = connect(broker.port, '127.0.0.1');
    // CONNECT 3.1.1, clean session, keep alive 1 s, client id "s", will "will" = "gone".
    socket.write(Buffer.from('101900044d51545404060001000173000477696c6c0004676f6e65', 'hex'));
    socket.resume();
    await once(socket, 'close');
    await watcher.message('will gone');
  });
});

describe('a broker that falls silent', () => {
  test('is given up by a publisher that waits for an acknowledgement', async () => {
    const port = await fakePeer(acceptAndFallSilent);
    const at = ['-h', '127.0.0.1', '-p', String(port)];
    const { code, stderr } = await runProgram('tsmqtt-pub', [
      ...at,
      '-k',
      '5',
      '-q',
      '1',
      '-t',
      'a',
      '-m',
      'b',
    ]);
    expect({ code, stderr }).toEqual({ code: 19, stderr: 'Error: Keepalive exceeded\n' });
  });
});
