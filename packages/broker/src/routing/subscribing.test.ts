import { expect, it } from 'vitest';
import { brokerWith, DeferredStore } from '../../test/deferred-store.js';
import { publishPacket, subscribePacket, unsubscribePacket } from '../../test/raw-client.js';

it('is saved under the filter that it has behind a mount point, and comes back under it', async () => {
  const store = new DeferredStore();
  const listener = { mountPoint: 'site/' };
  const fields = { clientId: 'c', cleanStart: false };
  const first = await brokerWith(store, { listener });
  const client = await first.connect(fields);
  await client.send(subscribePacket({ a: 0 }));
  expect(store.saved('subscription').map(({ filter }) => filter)).toEqual(['site/a']);

  const second = await brokerWith(store, { listener });
  const again = await second.connect(fields);
  const publisher = await second.connect({ clientId: 'p' });
  await publisher.send(publishPacket('a', 'x'));
  expect(await again.take()).toEqual(['PUBLISH a=x']);
  expect(await again.send(unsubscribePacket(['a']))).toEqual(['UNSUBACK #1']);
  expect(store.saved('subscription')).toEqual([]);
});
