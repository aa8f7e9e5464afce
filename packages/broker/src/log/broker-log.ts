import type { LogSettings, LogType } from '../settings.js';
import type { Log, LogPublisher } from './log.js';
import { LogFile } from './log-file.js';
import { LOG_TYPES } from './log-type-table.js';
import { strftime } from './strftime.js';
import { type OpenSyslog, Syslog } from './syslog.js';

/** Lines are cut to this many bytes, without the time (contract broker §5). */
const LINE_LIMIT = 1000;

/** Collected lines are written at once from here on, in UTF-16 units. */
const BUFFER_LIMIT = 65_536;

/** What a log writes to and reads besides files. */
export interface LogOutputs {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  /** Milliseconds since 1970. */
  now(): number;
  /** Whether log files may be symbolic links. */
  readonly followSymlinks: boolean;
  readonly openSyslog: OpenSyslog;
}

/**
 * The log of a broker program. Lines of one turn of the event loop are written together when it ends; errors and
 * warnings at once, with everything before them. `flush` or `close` before the process ends.
 */
export class BrokerLog implements Log {
  private readonly outputs: LogOutputs;
  private settings: LogSettings;
  private types: ReadonlySet<LogType>;
  private file: LogFile | undefined;
  private syslog: Syslog | undefined;
  /** The log file or syslog failed: errors go to stderr instead (T-40). */
  private destinationFailed = false;
  private publisher: LogPublisher | undefined;
  private publishing = false;
  private collected = '';
  private flushScheduled = false;
  private stampSecond = -1;
  private stamp = '';

  constructor(outputs: LogOutputs, settings: LogSettings) {
    this.outputs = outputs;
    this.settings = settings;
    this.types = new Set(settings.types);
    this.openDestinations();
  }

  enabled(type: LogType): boolean {
    if (!this.types.has(type)) return false;
    const { stdout, stderr, topic } = this.settings;
    return (
      stdout ||
      stderr ||
      this.syslog !== undefined ||
      this.file !== undefined ||
      (topic && topicOf(type) !== undefined)
    );
  }

  error(text: string): void {
    this.line('error', text);
    this.flush();
  }

  warning(text: string): void {
    this.line('warning', text);
    this.flush();
  }

  notice(text: string): void {
    this.line('notice', text);
  }

  info(text: string): void {
    this.line('information', text);
  }

  debug(text: string): void {
    this.line('debug', text);
  }

  subscribe(text: string): void {
    this.line('subscribe', text);
  }

  unsubscribe(text: string): void {
    this.line('unsubscribe', text);
  }

  publishTo(publish: LogPublisher | undefined): void {
    this.publisher = publish;
  }

  /** Goes over to other settings and opens the log file anew, as after its rotation. */
  reopen(settings: LogSettings): void {
    this.close();
    this.settings = settings;
    this.types = new Set(settings.types);
    this.stampSecond = -1;
    this.openDestinations();
  }

  /** Writes what has been collected. */
  flush(): void {
    this.syslog?.flush();
    const text = this.collected;
    if (text === '') return;
    this.collected = '';
    if (this.settings.stdout) this.outputs.stdout.write(text);
    if (this.settings.stderr) this.outputs.stderr.write(text);
    try {
      this.file?.write(text);
    } catch (error) {
      this.failFile(`Error: Unable to write to log file ${this.settings.file}: ${(error as Error).message}.`);
    }
  }

  /** Flushes and closes the log file. */
  close(): void {
    this.flush();
    this.syslog?.close();
    this.syslog = undefined;
    this.file?.close();
    this.file = undefined;
  }

  private line(type: LogType, text: string): void {
    if (!this.types.has(type)) return;
    const cut = cutLine(text);
    const { stdout, stderr, topic } = this.settings;
    const line = this.settings.timestamp ? `${this.time()}: ${cut}\n` : `${cut}\n`;
    if (stdout || stderr || this.file !== undefined) this.collect(line);
    if (this.syslog !== undefined) {
      this.syslog.add(type, cut);
      this.scheduleFlush();
    }
    if (this.destinationFailed && !stderr && type === 'error') this.outputs.stderr.write(line);
    if (topic) this.publish(type, cut);
  }

  private collect(line: string): void {
    this.collected += line;
    if (this.collected.length >= BUFFER_LIMIT) this.flush();
    else this.scheduleFlush();
  }

  private scheduleFlush(): void {
    if (this.flushScheduled) return;
    this.flushScheduled = true;
    queueMicrotask(() => {
      this.flushScheduled = false;
      this.flush();
    });
  }

  private publish(type: LogType, text: string): void {
    const topic = topicOf(type);
    if (topic === undefined || this.publisher === undefined || this.publishing) return;
    this.publishing = true;
    try {
      this.publisher(topic, type === 'subscribe' ? `${this.time()}: ${text}` : text);
    } finally {
      this.publishing = false;
    }
  }

  private time(): string {
    const now = this.outputs.now();
    const second = Math.floor(now / 1000);
    if (second !== this.stampSecond) {
      const format = this.settings.timestampFormat;
      this.stampSecond = second;
      this.stamp = format === undefined ? String(second) : strftime(format, new Date(now));
    }
    return this.stamp;
  }

  private openDestinations(): void {
    this.destinationFailed = false;
    const { syslog, syslogFacility, file: path } = this.settings;
    if (syslog) {
      this.syslog = new Syslog(this.outputs.openSyslog, syslogFacility, (reason) => {
        this.syslog = undefined;
        this.fail(`Error: Unable to write to syslog: ${reason}.`);
      });
    }
    if (path === undefined) return;
    try {
      this.file = new LogFile(path, this.outputs.followSymlinks);
    } catch (error) {
      const reason = (error as Error).message;
      this.failFile(`Error: Unable to open log file ${path} for writing. (${reason})`);
    }
  }

  private failFile(text: string): void {
    this.file?.close();
    this.file = undefined;
    this.fail(text);
  }

  // The broker runs on; whoever watches stderr learns why the log stays as it is (T-40).
  private fail(text: string): void {
    this.destinationFailed = true;
    this.outputs.stderr.write(this.settings.timestamp ? `${this.time()}: ${text}\n` : `${text}\n`);
  }
}

/** Where lines of a type are published; undefined: nowhere. */
function topicOf(type: LogType): string | undefined {
  return LOG_TYPES.find((row) => row.type === type)?.topic;
}

// One call is one line, whatever a file name or an operating system's error holds.
function cutLine(text: string): string {
  const line = /[\r\n]/.test(text) ? text.replace(/[\r\n]+/g, ' ') : text;
  if (line.length * 3 <= LINE_LIMIT) return line;
  const bytes = Buffer.from(line);
  if (bytes.length <= LINE_LIMIT) return line;
  let end = LINE_LIMIT;
  while ((bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}
