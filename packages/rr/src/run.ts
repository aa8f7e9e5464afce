import {
  crossCheckRr,
  type ExitCode,
  type Io,
  type Reporter,
  type Run,
  readPayload,
  runCommandLine,
  type Settings,
} from '@tsmqtt/cli-kit';
import { checkRequestProperties } from './request.js';
import { Requester } from './requester.js';

/** tsmqtt-rr (cli §13). */
export const run: Run = (argv, io) => runCommandLine('rr', argv, io, request);

async function request(settings: Settings, io: Io, reporter: Reporter): Promise<ExitCode> {
  const { topic, responseTopic, payloadSource } = crossCheckRr(settings);
  checkRequestProperties(settings);
  const payload = await readPayload(payloadSource, io);
  return new Requester({ topic, responseTopic, payload }, settings, io, reporter).run();
}
