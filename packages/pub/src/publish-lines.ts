import {
  after,
  type Connection,
  connectionFailure,
  type ExitCode,
  type HandledSignal,
  type Io,
  ProgramError,
  type Reporter,
  type Settings,
  systemErrorText,
} from '@tsmqtt/cli-kit';
import { ClientError, type PublishBatch } from '@tsmqtt/client';
import type { Property } from '@tsmqtt/protocol';
import { endQuietly } from './end-quietly.js';
import { LineSplitter } from './line-splitter.js';
import { Perseverance } from './perseverance.js';
import { inVain, PublishFailures, undelivered } from './publish-failures.js';
import { HANDLED_SIGNALS, type ReadEnd, readLines } from './read-lines.js';
import { retainFlag } from './retain-flag.js';

/** How long a signal leaves what was read already to be delivered (P-24). */
const DRAIN_MS = 5000;
/** After so many new connections in a row on which nothing was acknowledged, the user is told where it stands. */
const FRUITLESS = 3;

const SIGNAL_CODES: Readonly<Record<HandledSignal, ExitCode>> = { SIGINT: 130, SIGTERM: 143 };

/** Publishes the lines of standard input (`-l`, cli §11.3, P-8, P-24). */
export class LinePublisher {
  readonly #connection: Connection;
  readonly #settings: Settings;
  readonly #io: Io;
  readonly #reporter: Reporter;
  readonly #failures: PublishFailures;
  readonly #batch: PublishBatch;
  readonly #farewell: readonly Property[];
  readonly #splitter = new LineSplitter();
  readonly #perseverance: Perseverance;
  #stoppedBy: HandledSignal | undefined;
  #cancelDeadline = () => {};

  /** Throws ClientError where the broker does not take what was asked for. */
  constructor(
    connection: Connection,
    topic: string,
    settings: Settings,
    io: Io,
    reporter: Reporter,
    farewell: readonly Property[],
  ) {
    this.#farewell = farewell;
    this.#connection = connection;
    this.#settings = settings;
    this.#io = io;
    this.#reporter = reporter;
    this.#failures = new PublishFailures(reporter);
    this.#batch = connection.client.batch(topic, {
      qos: settings.qos,
      retain: retainFlag(settings, connection.client),
      properties: settings.properties.PUBLISH,
      onFailure: this.#failures.note,
    });
    this.#perseverance = new Perseverance(settings, () => connection.client.destroy());
  }

  /** New connections in a row that brought nothing. */
  get fruitless(): number {
    return this.#perseverance.fruitless;
  }

  /** The connection was lost and is being made anew. */
  onLost(): void {
    const { settled } = this.#batch;
    this.#perseverance.lost(settled, this.#connection.client.inFlight);
    if (this.#perseverance.fruitless !== FRUITLESS) return;
    this.#reporter.report(
      `Warning: Nothing was acknowledged on the last ${FRUITLESS} connections. ` +
        `Line ${settled + 1} is the first that waits; it may be longer than the broker takes.\n`,
    );
  }

  onBack(): void {
    this.#perseverance.back();
  }

  /** Reads to the end, delivers, says what was not delivered, and answers the exit code. */
  async run(): Promise<ExitCode> {
    const { client, reachedNobody } = this.#connection;
    const end = await readLines(this.#io, this.#splitter, this.#batch, client.closed, () =>
      this.#perseverance.inputEnded(),
    );
    // What was read and will not be published counts as not delivered.
    this.#splitter.abandon();
    this.#perseverance.inputEnded();
    if (end.why === 'signal') this.#stop(end.signal);
    const failed = await this.#deliver();
    await endQuietly(client, this.#settings, ...this.#farewell);
    const failure = failureOf(end, this.#stoppedBy, failed);
    if (failure !== undefined) this.#reporter.report(failure.text);
    const missing = this.#splitter.lines - this.#batch.settled;
    if (missing > 0) this.#reporter.report(undelivered(missing, this.#splitter.lines));
    if (failure !== undefined) return failure.exitCode;
    return this.#failures.exitCode || inVain(reachedNobody(), this.#reporter);
  }

  /** Waits until everything is delivered, or cannot be: then the reason. */
  async #deliver(): Promise<ClientError | undefined> {
    // A second signal is the system's.
    const leaveSignals = this.#stoppedBy === undefined ? this.#listenToSignals() : () => {};
    try {
      await this.#batch.finish();
      return undefined;
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      return error;
    } finally {
      leaveSignals();
      this.#cancelDeadline();
      this.#perseverance.over();
    }
  }

  #listenToSignals(): () => void {
    const leave = (): void => {
      for (const ignore of ignoreSignals) ignore();
    };
    const ignoreSignals = HANDLED_SIGNALS.map((signal) =>
      this.#io.onSignal(signal, () => {
        leave();
        this.#stop(signal);
      }),
    );
    return leave;
  }

  #stop(signal: HandledSignal): void {
    this.#stoppedBy = signal;
    this.#cancelDeadline = after(DRAIN_MS, () => this.#connection.client.destroy());
  }
}

/** Why it did not work out: what ended the reading comes before what came of it. */
function failureOf(
  end: ReadEnd,
  stoppedBy: HandledSignal | undefined,
  failed: ClientError | undefined,
): ProgramError | undefined {
  if (stoppedBy !== undefined) return new ProgramError(SIGNAL_CODES[stoppedBy], '');
  if (end.why === 'input error') {
    return new ProgramError(1, `Error: Unable to read standard input: ${systemErrorText(end.error)}.\n`);
  }
  const error = end.why === 'client error' ? (end.error ?? failed) : failed;
  return error && connectionFailure(error, { tool: 'pub', lines: true });
}
