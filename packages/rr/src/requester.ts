import {
  after,
  ByteBuffer,
  type Connection,
  connectionFailure,
  type ExitCode,
  type FailureContext,
  type Io,
  messageOutput,
  openConnection,
  type PrintMessage,
  ProgramError,
  type Reporter,
  type Settings,
  traceToStdout,
} from '@tsmqtt/cli-kit';
import { Cancellation, type Client, ClientError, Delivery, type DeliveryVerdict } from '@tsmqtt/client';
import { type PublishFrame, ReasonCode, reasonText } from '@tsmqtt/protocol';
import { latencyText } from './latency-text.js';
import { type Question, Request } from './request.js';

/** Exit code of `-W` (cli §13). */
const TIMED_OUT = 27;
const TIMED_OUT_TEXT = 'Timed out\n';
/** Codes in SUBACK from here on are refusals. */
const FIRST_REFUSAL = 0x80;

const FAILURE_CONTEXT: FailureContext = { tool: 'rr', lines: false };

/** How a run ends. */
interface Ending {
  readonly exitCode: ExitCode;
  /** For stderr, `--quiet` hides it. */
  readonly text?: string | Uint8Array;
  /** Of the DISCONNECT. */
  readonly reasonCode?: number;
}

/** One run of tsmqtt-rr: subscribes, publishes the request, prints the first response (cli §13). */
export class Requester {
  readonly #request: Request;
  readonly #settings: Settings;
  readonly #io: Io;
  readonly #reporter: Reporter;
  readonly #aborted = new Cancellation();
  /** The response as it goes to stdout. */
  readonly #printed = new ByteBuffer();
  #client: Client | undefined;
  /** When the request went out, in milliseconds of the monotonic clock; undefined before that. */
  #sentAt: number | undefined;
  #ending: Ending | undefined;
  #finished: (ending: Ending) => void = () => {};
  #failed: (error: unknown) => void = () => {};
  readonly #over: Promise<Ending>;

  constructor(question: Question, settings: Settings, io: Io, reporter: Reporter) {
    this.#request = new Request(question, settings);
    this.#settings = settings;
    this.#io = io;
    this.#reporter = reporter;
    this.#over = new Promise((resolve, reject) => {
      this.#finished = resolve;
      this.#failed = reject;
    });
  }

  async run(): Promise<ExitCode> {
    let connection: Connection | undefined;
    let cancelTimeout = (): void => {};
    const print = await messageOutput(this.#settings, this.#printed, this.#io, this.#reporter);
    try {
      connection = await this.#connect(print, () => {
        const { timeout } = this.#settings;
        if (timeout !== undefined) cancelTimeout = after(timeout * 1000, () => this.#timeOut());
      });
      this.#start(connection.client);
      const { exitCode, text, reasonCode } = await this.#over;
      await connection.client.end({ reasonCode, properties: this.#settings.properties.DISCONNECT });
      if (text !== undefined) this.#reporter.report(text);
      return exitCode;
    } finally {
      cancelTimeout();
      connection?.client.destroy();
      await connection?.close();
    }
  }

  async #connect(print: PrintMessage, onTransport: () => void): Promise<Connection> {
    const handlers = {
      signal: this.#aborted,
      onMessage: (message: PublishFrame) => this.#receive(message, print),
      ...traceToStdout(this.#settings, this.#io),
    };
    try {
      return await openConnection(this.#settings, this.#io, handlers, FAILURE_CONTEXT, onTransport);
    } catch (error) {
      if (!this.#aborted.aborted) throw error;
      throw new ProgramError(TIMED_OUT, TIMED_OUT_TEXT);
    }
  }

  #start(client: Client): void {
    this.#client = client;
    void client.closed.then((error) => {
      if (error !== undefined) this.#fail(error);
    });
    this.#ask(client).catch((error: unknown) => this.#fail(error));
  }

  async #ask(client: Client): Promise<void> {
    const { qos, retainAsPublished, retainHandling, protocolVersion, properties } = this.#settings;
    const { topic, responseTopic, payload } = this.#request.question;
    const v5 = protocolVersion === 5;
    const { reasonCodes } = await client.subscribe(
      [
        {
          filter: responseTopic,
          qos,
          noLocal: false,
          retainAsPublished: v5 && retainAsPublished,
          retainHandling: v5 ? (retainHandling ?? 0) : 0,
        },
      ],
      { properties: properties.SUBSCRIBE },
    );
    const [reasonCode = 0] = reasonCodes;
    if (reasonCode >= FIRST_REFUSAL) {
      this.#end({ exitCode: reasonCode, text: `${reasonText(reasonCode)}\n` });
      return;
    }
    this.#sentAt = monotonicMs();
    // Whether the broker took the request is not looked at: the response tells (cli §13).
    await client.publish(topic, payload, { qos, properties: this.#request.properties });
  }

  #receive(message: PublishFrame, print: PrintMessage): DeliveryVerdict {
    const now = monotonicMs();
    // What came before the question was asked does not answer it.
    if (this.#sentAt === undefined || this.#ending !== undefined) return Delivery.CONTINUE;
    if (!this.#request.isAnsweredBy(message)) return Delivery.CONTINUE;
    print(message);
    if (this.#settings.latency) this.#printed.text(latencyText(now - this.#sentAt));
    this.#io.stdout.write(this.#printed.view());
    this.#end({ exitCode: 0 });
    // Nothing behind the response is taken, so nothing behind it is acknowledged.
    return Delivery.PAUSE;
  }

  #timeOut(): void {
    if (this.#client === undefined) {
      this.#aborted.abort();
      return;
    }
    // As the reference does, the broker is asked to publish the will (cli §12.8).
    this.#end({
      exitCode: TIMED_OUT,
      text: TIMED_OUT_TEXT,
      reasonCode: ReasonCode.DISCONNECT_WITH_WILL_MESSAGE,
    });
  }

  #fail(error: unknown): void {
    if (!(error instanceof ClientError)) {
      this.#failed(error);
      return;
    }
    const { exitCode, text } = connectionFailure(error, FAILURE_CONTEXT);
    this.#end({ exitCode, text });
  }

  /** The first to come decides. */
  #end(ending: Ending): void {
    if (this.#ending !== undefined) return;
    this.#ending = ending;
    this.#finished(ending);
  }
}

/** As performance.now(), without node:perf_hooks, which takes long to load. */
function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1_000_000;
}
