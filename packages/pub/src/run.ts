import {
  type Connection,
  type ConnectionHandlers,
  ConnectionWatch,
  connectionFailure,
  crossCheckPub,
  type ExitCode,
  type Io,
  openConnection,
  type Reporter,
  type Run,
  readPayload,
  reconnectDelay,
  runCommandLine,
  type Settings,
  traceToStdout,
} from '@tsmqtt/cli-kit';
import { ClientError } from '@tsmqtt/client';
import { LinePublisher } from './publish-lines.js';
import { publishOne } from './publish-one.js';
import { Resumption } from './resumption.js';

/** tsmqtt-pub (cli §11). */
export const run: Run = (argv, io) => runCommandLine('pub', argv, io, publish);

async function publish(settings: Settings, io: Io, reporter: Reporter): Promise<ExitCode> {
  const { payloadSource } = settings;
  // The payload is read before a missing topic is noticed (cli §11.1).
  const payload =
    payloadSource === undefined || payloadSource.from === 'lines'
      ? undefined
      : await readPayload(payloadSource, io);
  crossCheckPub(settings);
  const topic = settings.topic!;
  if (payload === undefined) return publishLines(topic, settings, io, reporter);
  const connection = await openConnection(settings, io, traceToStdout(settings, io), {
    tool: 'pub',
    lines: false,
  });
  try {
    return await publishOne(connection, topic, payload, settings, reporter);
  } finally {
    await connection.close();
  }
}

async function publishLines(
  topic: string,
  settings: Settings,
  io: Io,
  reporter: Reporter,
): Promise<ExitCode> {
  let connection: Connection | undefined;
  let publisher: LinePublisher | undefined;
  const watch = new ConnectionWatch(reporter, () => connection!.endpoint);
  const resumption = new Resumption(settings, reporter);
  const handlers: ConnectionHandlers = {
    ...traceToStdout(settings, io),
    ...resumption.handlers,
    // A connection that is back and brings nothing is not a reason to come back sooner.
    reconnect: (attempt) => reconnectDelay(attempt + (publisher?.fruitless ?? 0)),
    onConnectionLost: (error) => {
      watch.onLost(error);
      resumption.onLost(connection!);
      publisher?.onLost();
    },
    onReconnected: (connack) => {
      watch.onBack();
      resumption.onBack(connack);
      publisher?.onBack();
    },
  };
  connection = await openConnection(resumption.settings, io, handlers, { tool: 'pub', lines: true });
  try {
    publisher = new LinePublisher(connection, topic, settings, io, reporter, resumption.farewell);
    return await publisher.run();
  } catch (error) {
    // The broker said in CONNACK that it does not take what was asked for: nothing has been read yet.
    throw error instanceof ClientError ? connectionFailure(error, { tool: 'pub', lines: true }) : error;
  } finally {
    await connection.close();
  }
}
