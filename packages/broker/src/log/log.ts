import type { LogType } from '../settings.js';

/** Receives lines for `log_dest topic`: a topic below `$SYS/broker/log/` and the payload. */
export type LogPublisher = (topic: string, payload: string) => void;

/**
 * What the engine writes its log to. One line a call, without time and line end. A type that is off costs one call that
 * returns; where building the text costs something, ask `enabled` first.
 */
export interface Log {
  /** Whether a line of this type goes anywhere. */
  enabled(type: LogType): boolean;
  error(text: string): void;
  warning(text: string): void;
  notice(text: string): void;
  info(text: string): void;
  debug(text: string): void;
  /** `ID QOS FILTER` of a subscription. */
  subscribe(text: string): void;
  /** `ID FILTER` of an UNSUBSCRIBE. */
  unsubscribe(text: string): void;
  /**
   * Where lines for `log_dest topic` go from now on; undefined: nowhere. Lines that the publisher itself causes are not
   * published.
   */
  publishTo(publish: LogPublisher | undefined): void;
}

/** A log that writes nothing: the default of library users. */
export const silentLog: Log = {
  enabled: () => false,
  error() {},
  warning() {},
  notice() {},
  info() {},
  debug() {},
  subscribe() {},
  unsubscribe() {},
  publishTo() {},
};
