import {
  after,
  type Connection,
  connectionFailure,
  type ExitCode,
  type Reporter,
  type Settings,
} from '@tsmqtt/cli-kit';
import { ClientError } from '@tsmqtt/client';
import { PublishFailures, reachedNobody, undelivered } from './publish-failures.js';
import { retainFlag } from './retain-flag.js';

/** Publishes one message, `--repeat` times one after the other, and waits for each (cli §11.1, §11.2). */
export async function publishOne(
  { client, hosting }: Connection,
  topic: string,
  payload: Buffer,
  settings: Settings,
  reporter: Reporter,
): Promise<ExitCode> {
  const failures = new PublishFailures(reporter);
  const options = { qos: settings.qos, retain: retainFlag(settings, client) };
  let delivered = 0;
  try {
    for (; delivered < settings.repeat; delivered++) {
      if (delivered > 0 && settings.repeatDelay > 0) await pause(settings.repeatDelay, client.closed);
      const { packetId, reasonCode, properties } = await client.publish(topic, payload, options);
      failures.note(packetId, reasonCode, properties);
    }
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    const { text, exitCode } = connectionFailure(error, { tool: 'pub', lines: false });
    reporter.report(text);
    reporter.report(undelivered(settings.repeat - delivered, settings.repeat));
    return exitCode;
  }
  await client.end();
  if (hosting) {
    reporter.report(reachedNobody(settings.repeat));
    return 1;
  }
  return failures.exitCode;
}

/** Waits so many seconds; not beyond the end of the connection, which the next publish then reports. */
async function pause(seconds: number, closed: Promise<unknown>): Promise<void> {
  let cancel = () => {};
  const elapsed = new Promise<void>((resolve) => {
    cancel = after(seconds * 1000, resolve);
  });
  await Promise.race([elapsed, closed]);
  cancel();
}
