import { describeStore } from '../../test/store-contract.js';
import { MemoryStore } from './memory-store.js';

describeStore('MemoryStore', {
  create: async () => new MemoryStore(),
  // Nothing of it is anywhere else: the next broker is given the same one.
  reopen: async (store) => store,
});
