import {
  after,
  type Connection,
  connectionFailure,
  type ExitCode,
  type HandledSignal,
  type Io,
  type Reporter,
  type Settings,
} from '@tsmqtt/cli-kit';
import { ClientError, type PublishBatch } from '@tsmqtt/client';
import { endQuietly } from './end-quietly.js';
import { LineSplitter } from './line-splitter.js';
import { inVain, PublishFailures, undelivered } from './publish-failures.js';
import { retainFlag } from './retain-flag.js';

/** How long a signal leaves what was read already to be delivered (P-24). */
const DRAIN_MS = 5000;
/** How long QoS 0 lines wait for the connection after the end of input (P-24). */
const GIVE_UP_MS = 30_000;

const SIGNAL_CODES: Readonly<Record<HandledSignal, ExitCode>> = { SIGINT: 130, SIGTERM: 143 };

/** What ended the reading of standard input. */
type End = HandledSignal | 'end of input' | 'connection closed';

/** Publishes the lines of standard input (`-l`, cli §11.3, P-8, P-24). */
export class LinePublisher {
  readonly #connection: Connection;
  readonly #settings: Settings;
  readonly #io: Io;
  readonly #reporter: Reporter;
  readonly #failures: PublishFailures;
  readonly #batch: PublishBatch;
  readonly #splitter = new LineSplitter();
  #lost = false;
  #inputEnded = false;
  #cancelGivingUp = () => {};
  /** What is left of the chunk in work while the batch has no room. */
  #chunk: Buffer | undefined;
  #from = 0;

  constructor(connection: Connection, topic: string, settings: Settings, io: Io, reporter: Reporter) {
    this.#connection = connection;
    this.#settings = settings;
    this.#io = io;
    this.#reporter = reporter;
    this.#failures = new PublishFailures(reporter);
    this.#batch = connection.client.batch(topic, {
      qos: settings.qos,
      retain: retainFlag(settings, connection.client),
      onFailure: this.#failures.note,
    });
  }

  /** The connection was lost and is being made anew. */
  onLost(): void {
    this.#lost = true;
    this.#considerGivingUp();
  }

  onBack(): void {
    this.#lost = false;
    this.#cancelGivingUp();
  }

  /** Reads to the end, delivers, says what was not delivered, and answers the exit code. */
  async run(): Promise<ExitCode> {
    const { client, reachedNobody } = this.#connection;
    const end = await this.#read();
    const unread = this.#splitter.countRest(this.#chunk, this.#from);
    this.#inputEnded = true;
    this.#considerGivingUp();
    const signalled = end === 'SIGINT' || end === 'SIGTERM';
    const cancelDeadline = signalled ? after(DRAIN_MS, () => client.destroy()) : () => {};
    let failed: ClientError | undefined;
    try {
      await this.#batch.finish();
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      failed = error;
    } finally {
      cancelDeadline();
      this.#cancelGivingUp();
    }
    // The client may have given up with nothing on its way; there may be input that it will never take.
    if (end === 'connection closed') failed ??= await client.closed;
    if (failed === undefined) await endQuietly(client);
    const { accepted, settled } = this.#batch;
    if (failed !== undefined && !signalled) {
      this.#reporter.report(connectionFailure(failed, { tool: 'pub', lines: true }).text);
    }
    const missing = accepted - settled + unread;
    if (missing > 0) this.#reporter.report(undelivered(missing, accepted + unread));
    if (signalled) return SIGNAL_CODES[end];
    if (failed !== undefined) return connectionFailure(failed, { tool: 'pub', lines: true }).exitCode;
    return this.#failures.exitCode || inVain(reachedNobody(), this.#reporter);
  }

  /** Reads standard input into the batch, no faster than the batch takes it. */
  #read(): Promise<End> {
    const { stdin } = this.#io;
    return new Promise<End>((resolve) => {
      let over = false;
      const stop = (end: End): void => {
        if (over) return;
        over = true;
        stdin.pause();
        stdin.off('data', onData).off('end', onEnd).off('error', onEnd);
        for (const ignore of ignoreSignals) ignore();
        resolve(end);
      };
      const proceed = (): void => {
        while (this.#chunk !== undefined && !over) {
          const next = this.#splitter.split(this.#chunk, this.#from, this.#batch);
          if (next === -1) {
            this.#chunk = undefined;
            break;
          }
          this.#from = next;
          stdin.pause();
          this.#batch.drained().then(proceed, () => stop('connection closed'));
          return;
        }
        if (!over && stdin.isPaused()) stdin.resume();
      };
      const onData = (chunk: Buffer): void => {
        this.#chunk = chunk;
        this.#from = 0;
        proceed();
      };
      const onEnd = (): void => {
        this.#splitter.end(this.#batch);
        stop('end of input');
      };
      const ignoreSignals = (['SIGINT', 'SIGTERM'] as const).map((signal) =>
        this.#io.onSignal(signal, () => stop(signal)),
      );
      stdin.on('data', onData).on('end', onEnd).on('error', onEnd);
      void this.#connection.client.closed.then(() => stop('connection closed'));
    });
  }

  /** After the end of input, what waits for the connection does not wait for ever. */
  #considerGivingUp(): void {
    if (!this.#lost || !this.#inputEnded) return;
    const { giveUp, qos } = this.#settings;
    const patience = giveUp === undefined ? (qos === 0 ? GIVE_UP_MS : undefined) : giveUp * 1000;
    if (patience === undefined) return;
    this.#cancelGivingUp();
    this.#cancelGivingUp = after(patience, () => this.#connection.client.destroy());
  }
}
