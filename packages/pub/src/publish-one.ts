import {
  after,
  type Connection,
  connectionFailure,
  type ExitCode,
  type Reporter,
  type Settings,
} from '@tsmqtt/cli-kit';
import { ClientError } from '@tsmqtt/client';
import { endQuietly } from './end-quietly.js';
import { inVain, PublishFailures, undelivered } from './publish-failures.js';
import { retainFlag } from './retain-flag.js';

/** Publishes one message, `--repeat` times one after the other, and waits for each (cli §11.1, §11.2). */
export async function publishOne(
  { client, reachedNobody }: Connection,
  topic: string,
  payload: Buffer,
  settings: Settings,
  reporter: Reporter,
): Promise<ExitCode> {
  const failures = new PublishFailures(reporter);
  const options = {
    qos: settings.qos,
    retain: retainFlag(settings, client),
    properties: settings.properties.PUBLISH,
  };
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
    // Of a single message the line above says it all.
    if (settings.repeat > 1) reporter.report(undelivered(settings.repeat - delivered, settings.repeat));
    return exitCode;
  }
  await endQuietly(client, settings);
  return failures.exitCode || inVain(reachedNobody(), reporter);
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
