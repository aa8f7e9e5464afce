import type { LogType } from '../settings.js';

/** A kind of log line: its word in `log_type`, and where below `$SYS/broker/log/` it is published. */
export interface LogTypeRow {
  readonly type: LogType;
  /** Undefined: never published (contract broker §5). */
  readonly topic: string | undefined;
}

// biome-ignore format: one row a line
export const LOG_TYPES: readonly LogTypeRow[] = [
  { type: 'error', topic: '$SYS/broker/log/E' },
  { type: 'warning', topic: '$SYS/broker/log/W' },
  { type: 'notice', topic: '$SYS/broker/log/N' },
  { type: 'information', topic: '$SYS/broker/log/I' },
  { type: 'debug', topic: undefined },
  { type: 'subscribe', topic: '$SYS/broker/log/M/subscribe' },
  { type: 'unsubscribe', topic: '$SYS/broker/log/M/unsubscribe' },
  { type: 'websockets', topic: undefined },
  { type: 'internal', topic: undefined },
];

/** Every type, as `log_type all` and `-v` turn on. */
export const ALL_LOG_TYPES: readonly LogType[] = LOG_TYPES.map((row) => row.type);
