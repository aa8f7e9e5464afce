import { expect, test } from 'vitest';
import { subscribePacket, unsubscribePacket } from '../../test/raw-client.js';
import { TestBroker } from '../../test/test-broker.js';
import { subscriptionText } from './subscription-text.js';

test('a level a line, with its subscribers', async () => {
  const broker = new TestBroker();
  const text = () => subscriptionText(broker.engine.tree);
  expect(text()).toBe('');
  const one = await broker.connect({ clientId: 'one' });
  const two = await broker.connect({ clientId: 'two' });
  await one.send(subscribePacket({ 'a/b/#': 1, a: 0, '/x': 2, '$share/g/a/b': 1 }));
  await two.send(subscribePacket({ 'a/b/#': 2, '$share/g/a/b': 0, '$share/h/a/b': 0 }));
  expect(text()).toBe(
    [
      'a (one, 0)',
      '  b (one, 1, $share/g) (two, 0, $share/g) (two, 0, $share/h)',
      '    # (one, 1) (two, 2)',
      '',
      '  x (one, 2)',
      '',
    ].join('\n'),
  );
  await one.send(unsubscribePacket(['a/b/#', 'a', '/x', '$share/g/a/b']));
  await two.vanish();
  expect(text()).toBe('');
});
