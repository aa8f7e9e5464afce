import { connect, Delivery, tcp } from '@tsmqtt/client';
import { onTestFinished } from 'vitest';

/** Payloads that arrive at a subscriber in the test's own process. */
export interface Collector {
  readonly payloads: readonly string[];
  /** Resolves when `found` holds. */
  until(found: (payloads: readonly string[]) => boolean): Promise<void>;
}

/** Subscribes at QoS 2. */
export async function collect(port: number, filter = '#'): Promise<Collector> {
  const payloads: string[] = [];
  const waiting = new Set<() => void>();
  const client = await connect({
    connector: tcp({ host: '127.0.0.1', port }),
    onMessage: ({ payload }) => {
      payloads.push(Buffer.from(payload).toString());
      return Delivery.CONTINUE;
    },
    onBatchEnd: () => {
      for (const check of waiting) check();
    },
  });
  onTestFinished(() => client.destroy());
  await client.subscribe([{ filter, qos: 2, noLocal: false, retainAsPublished: false, retainHandling: 2 }]);
  return {
    payloads,
    until: (found) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (!found(payloads)) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      }),
  };
}
