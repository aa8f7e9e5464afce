import {
  type Io,
  messageOutput,
  type Output,
  type PrintMessage,
  type Reporter,
  type Settings,
} from '@tsmqtt/cli-kit';
import { type FateOf, messageFilter } from './message-filter.js';
import type { MessageRate } from './message-rate.js';
import type { RetainedClearing } from './retained-clearing.js';

/** What is done with messages (cli §12.3). */
export interface MessageHandling {
  readonly fateOf: FateOf;
  readonly print: PrintMessage;
  /** `--message-rate`: to be started, and stopped. */
  readonly rate?: MessageRate;
  /** `--remove-retained`. */
  readonly clearing?: RetainedClearing;
}

/** As the command line wants it; what few runs need is loaded for those. */
export async function messageHandling(
  settings: Settings,
  output: Output,
  io: Io,
  reporter: Reporter,
): Promise<MessageHandling> {
  if (settings.messageRate) {
    const { MessageRate } = await import('./message-rate.js');
    const rate = new MessageRate(output);
    return { fateOf: rate.fateOf, print: () => {}, rate };
  }
  const fateOf = messageFilter(settings);
  let print = await messageOutput(settings, output, io, reporter);
  if (settings.watch) {
    const { watchScreen } = await import('./watch-screen.js');
    print = watchScreen(print, output, settings.host);
  }
  if (!settings.removeRetained) return { fateOf, print };
  const { RetainedClearing } = await import('./retained-clearing.js');
  const clearing = new RetainedClearing(reporter);
  return { fateOf: clearing.noting(fateOf), print, clearing };
}
