import { startBroker } from '@tsmqtt/broker';
import { connect } from '@tsmqtt/client';
import { expect, onTestFinished, test } from 'vitest';

test('a client and a broker of one process speak without a port', async () => {
  const broker = await startBroker({ listeners: [] });
  onTestFinished(() => broker.close());
  const connector = async () => broker.openConnection();
  const subscriber = await connect({ connector, protocolVersion: 5 });
  await subscriber.subscribe([{ filter: 'a/#', qos: 2 }]);
  const publisher = await connect({ connector, protocolVersion: 4 });
  const messages = subscriber.messages();
  for (const qos of [0, 1, 2] as const) await publisher.publish(`a/${qos}`, 'x', { qos });
  const seen: string[] = [];
  for await (const { topic } of messages) {
    if (seen.push(topic) === 3) break;
  }
  expect(seen).toEqual(['a/0', 'a/1', 'a/2']);
  await publisher.end();
  await subscriber.end();
});
