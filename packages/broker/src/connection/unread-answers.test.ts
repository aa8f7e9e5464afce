import { describe, expect, it } from 'vitest';
import { publishPacket } from '../../test/raw-client.js';
import { TestBroker } from '../../test/test-broker.js';

const MIB = 1_048_576;
const PINGS = Buffer.alloc(65_536, Buffer.from([0xc0, 0]));

async function stalled(keepAlive = 0) {
  const broker = new TestBroker();
  const client = await broker.connect({ keepAlive });
  const [connection] = [...broker.engine.connections];
  client.socket.stall();
  const flood = async (chunks: number): Promise<void> => {
    for (let chunk = 0; chunk < chunks; chunk++) client.write(PINGS);
    await client.settle();
  };
  return { broker, client, connection: connection!, flood };
}

describe('a client that sends and does not read its answers (broker T-30)', () => {
  it('is not read any more when they come to 1 MiB', async () => {
    const { connection, flood } = await stalled();
    await flood(64);
    expect(connection.backlog).toBeGreaterThan(MIB);
    expect(connection.backlog).toBeLessThan(MIB + 2 * PINGS.length);
  });

  it('gets every one when it reads, and everything it sent is handled', async () => {
    const { client, flood } = await stalled();
    let answers = 0;
    client.onPacket = () => {
      answers++;
    };
    await flood(24);
    client.write(publishPacket('a', 'x', { qos: 1, packetId: 7 }));
    client.socket.unstall();
    const lines = await client.take();
    expect(answers).toBe((24 * PINGS.length) / 2 + 1);
    expect(lines.at(-1)).toBe('PUBACK #7');
  });

  it('is closed by its Keep Alive when it takes nothing', async () => {
    const { broker, connection, flood } = await stalled(10);
    await flood(20);
    await broker.pass(17);
    expect(connection.phase).toBeGreaterThan(2);
  });

  it('disturbs nobody else', async () => {
    const { broker, flood } = await stalled();
    await flood(20);
    const other = await broker.connect({ clientId: 'other' });
    expect(await other.send(publishPacket('a', 'x', { qos: 1 }))).toEqual(['PUBACK #1']);
  });
});
