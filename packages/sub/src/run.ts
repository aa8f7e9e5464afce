import { crossCheckSub, type Run, runCommandLine } from '@tsmqtt/cli-kit';
import { Subscriber } from './subscriber.js';

/** tsmqtt-sub (cli §12). */
export const run: Run = (argv, io) =>
  runCommandLine('sub', argv, io, (settings, _io, reporter) => {
    crossCheckSub(settings);
    return new Subscriber(settings, io, reporter).run();
  });
