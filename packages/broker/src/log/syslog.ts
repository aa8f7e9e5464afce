import type { LogType } from '../settings.js';

/** Lines held for a `logger` that does not read; what comes beyond is lost, and said to be. In bytes. */
const MOST_WAITING = 1_048_576;

/** The input of a process that writes each line to syslog. */
export interface SyslogPipe {
  write(text: string): unknown;
  /** No more lines come. */
  end(): void;
  /** Bytes that it has not read. */
  readonly waiting: number;
}

/**
 * Starts a process for lines of one facility and priority, such as `daemon.notice`.
 * @param failed Called when it ends before `end()`, with the reason.
 */
export type OpenSyslog = (priority: string, failed: (reason: string) => void) => SyslogPipe;

/** What syslog calls a type of line; those without a word of their own are notices, as what clients do is. */
const PRIORITIES: Readonly<Record<LogType, string>> = {
  error: 'err',
  warning: 'warning',
  notice: 'notice',
  information: 'info',
  debug: 'debug',
  subscribe: 'notice',
  unsubscribe: 'notice',
  websockets: 'debug',
  internal: 'debug',
};

interface Channel {
  readonly pipe: SyslogPipe;
  text: string;
  lost: number;
}

/** `log_dest syslog`: a `logger` process for each priority, started with its first line (broker §5). */
export class Syslog {
  readonly #open: OpenSyslog;
  readonly #facility: string;
  readonly #failed: (reason: string) => void;
  readonly #channels = new Map<string, Channel>();
  #closed = false;

  /**
   * @param facility `log_facility`; undefined: `daemon`.
   * @param failed Called once when lines cannot be written any more.
   */
  constructor(open: OpenSyslog, facility: number | undefined, failed: (reason: string) => void) {
    this.#open = open;
    this.#facility = facility === undefined ? 'daemon' : `local${facility}`;
    this.#failed = failed;
  }

  /** @param line Without time: syslog has its own. */
  add(type: LogType, line: string): void {
    if (this.#closed) return;
    const priority = `${this.#facility}.${PRIORITIES[type]}`;
    let channel = this.#channels.get(priority);
    if (channel === undefined) {
      channel = { pipe: this.#open(priority, (reason) => this.#fail(reason)), text: '', lost: 0 };
      this.#channels.set(priority, channel);
    }
    channel.text += `${line}\n`;
  }

  /** Hands over what was added. */
  flush(): void {
    for (const channel of this.#channels.values()) {
      if (channel.text === '') continue;
      const { text } = channel;
      channel.text = '';
      if (channel.pipe.waiting + text.length > MOST_WAITING) {
        channel.lost += text.split('\n').length - 1;
        continue;
      }
      const said = channel.lost === 0 ? '' : `${channel.lost} log lines were lost: syslog is too slow.\n`;
      channel.lost = 0;
      channel.pipe.write(said + text);
    }
  }

  close(): void {
    this.flush();
    this.#closed = true;
    for (const { pipe } of this.#channels.values()) pipe.end();
    this.#channels.clear();
  }

  #fail(reason: string): void {
    if (this.#closed) return;
    this.close();
    this.#failed(reason);
  }
}
