import type { Journal } from './journal.js';

/**
 * Resolves when everything that was changed so far is saved, at once where there is no store. Rejects where the store
 * could not save it: nobody may take it for done.
 */
export function whenSaved(journal: Journal | undefined): Promise<void> {
  if (journal === undefined) return Promise.resolve();
  return new Promise((resolve, reject) => {
    let ticket = 0;
    const waiter = {
      saved: () => {
        if (journal.committed < ticket) return;
        journal.forget(waiter);
        resolve();
      },
      failed: () => {
        journal.forget(waiter);
        reject(new Error('the store could not save it'));
      },
    };
    ticket = journal.wait(waiter);
    if (ticket === 0) resolve();
  });
}
