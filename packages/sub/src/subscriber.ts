import {
  type Connection,
  type ConnectionHandlers,
  ConnectionWatch,
  connectionFailure,
  type Endpoint,
  type ExitCode,
  type Io,
  Output,
  openConnection,
  ProgramError,
  type Reporter,
  reconnectDelay,
  type Settings,
} from '@tsmqtt/cli-kit';
import { Cancellation, type Client, ClientError, Delivery, type DeliveryVerdict } from '@tsmqtt/client';
import { PacketType, type PublishFrame, ReasonCode } from '@tsmqtt/protocol';
import { Drain } from './drain.js';
import type { Ending } from './ending.js';
import { Interruptions } from './interruptions.js';
import { Fate } from './message-filter.js';
import { type MessageHandling, messageHandling } from './message-handling.js';
import type { RetainedClearing } from './retained-clearing.js';
import { subscribe } from './subscribing.js';
import { traceTo } from './trace-output.js';

/** Exit code of `-W` (cli §12.8). */
const TIMED_OUT = 27;
/** Exit code of a signal or `-W` before the broker answered (cli §12.8). */
const NEVER_CONNECTED = 255;
const FAILURE_CONTEXT = { tool: 'sub', lines: false } as const;

/** One run of tsmqtt-sub: subscribes, prints, acknowledges what was printed (cli §12, P-22). */
export class Subscriber {
  readonly #settings: Settings;
  readonly #io: Io;
  readonly #reporter: Reporter;
  readonly #output: Output;
  readonly #drain: Drain;
  /** There from before the first connection on. */
  #handling!: MessageHandling;
  readonly #aborted = new Cancellation();
  #connection: Connection | undefined;
  #client: Client | undefined;
  #left: number;
  #ending: Ending | undefined;
  #stdoutClosed = false;
  /** Whether SUBSCRIBE waits for its answer on a new connection. */
  #unanswered = false;
  /** New connections in a row, up to the last, that were lost in answer to SUBSCRIBE. */
  #fruitless = 0;
  /** Everything wanted is printed and acknowledged; only the answers to `--remove-retained` are awaited. */
  #clearing = false;
  #finished = () => {};
  readonly #over: Promise<void>;

  constructor(settings: Settings, io: Io, reporter: Reporter) {
    this.#settings = settings;
    this.#io = io;
    this.#reporter = reporter;
    this.#left = settings.count ?? Number.POSITIVE_INFINITY;
    this.#over = new Promise((resolve) => {
      this.#finished = resolve;
    });
    this.#output = new Output(io.stdout, {
      blocked: () => this.#client?.pause(),
      ready: () => {
        if (this.#ending === undefined || this.#clearing) this.#client?.resume();
      },
      accepted: () => this.#accepted(),
      closed: () => {
        this.#stdoutClosed = true;
        this.#end({ exitCode: 0 });
        // Nothing more will be accepted: what was not printed stays unacknowledged (P-22).
        this.#finished();
      },
    });
    this.#drain = new Drain(this.#output, () => this.#abandonOutput());
  }

  async run(): Promise<ExitCode> {
    const interruptions = new Interruptions(
      this.#io,
      () => this.#interrupt({ exitCode: 0, interrupted: true }),
      () => this.#interrupt({ exitCode: TIMED_OUT, text: 'Timed out\n', interrupted: true }),
    );
    try {
      this.#handling = await messageHandling(this.#settings, this.#output, this.#io, this.#reporter);
      await this.#connect(() => interruptions.startTimeout(this.#settings.timeout));
      this.#handling.rate?.start();
      await this.#over;
      this.#handling.rate?.stop();
      const ending = this.#ending ?? { exitCode: 0 };
      await this.#disconnect(ending);
      if (ending.text !== undefined) this.#reporter.report(ending.text);
      return ending.exitCode;
    } finally {
      interruptions.stop();
      this.#drain.cancel();
      this.#output.detach();
      await this.#connection?.close();
    }
  }

  async #connect(onTransport: () => void): Promise<void> {
    let endpoint: Endpoint | undefined;
    const watch = new ConnectionWatch(this.#reporter, () => endpoint!);
    const handlers: ConnectionHandlers = {
      holdAcknowledgements: true,
      // What is too much waits in front of stdout, and was asked for all the same.
      enforceReceiveMaximum: false,
      signal: this.#aborted,
      onMessage: (message) => this.#receive(message),
      onBatchEnd: () => this.#batchEnd(),
      // A broker that ends every connection at SUBSCRIBE is not asked every second.
      reconnect: (attempt) => reconnectDelay(attempt + this.#fruitless),
      onConnectionLost: (error) => {
        watch.onLost(error);
        this.#fruitless = this.#unanswered ? this.#fruitless + 1 : 0;
      },
      onReconnected: () => {
        watch.onBack();
        this.#unanswered = this.#settings.filters.length > 0;
        if (this.#client !== undefined) this.#subscribe(this.#client);
      },
      ...this.#watchingPackets(),
    };
    try {
      this.#connection = await openConnection(
        this.#settings,
        this.#io,
        handlers,
        FAILURE_CONTEXT,
        onTransport,
        (named) => {
          endpoint = named;
        },
      );
    } catch (error) {
      if (!this.#aborted.aborted) throw error;
      // Interrupted before the broker answered: silent (cli §12.8).
      throw new ProgramError(NEVER_CONNECTED, '');
    }
    this.#client = this.#connection.client;
    void this.#client.closed.then((error) => {
      if (error === undefined || (this.#ending !== undefined && !this.#clearing)) return;
      const { exitCode, text } = connectionFailure(error, FAILURE_CONTEXT);
      this.#leave({ exitCode, text });
    });
    this.#subscribe(this.#client);
    // Messages of a kept session may have come together with CONNACK, when there was no client to talk to.
    if (this.#output.blocked) this.#client.pause();
    this.#batchEnd();
  }

  /** `-d` sees every packet; `-E` takes nothing behind the SUBACK, not even from the same chunk (cli §12.2). */
  #watchingPackets(): ConnectionHandlers {
    const trace = traceTo(this.#output, this.#settings);
    if (!this.#settings.exitAfterSuback) return trace;
    return {
      onPacket: (direction, packet) => {
        trace.onPacket?.(direction, packet);
        if (direction === 'received' && packet.type === PacketType.SUBACK) this.#client?.pause();
      },
    };
  }

  #subscribe(client: Client): void {
    // Once it is over there is nothing more to ask for.
    if (this.#ending !== undefined) return;
    subscribe(client, this.#settings, this.#reporter, (ending) => {
      this.#unanswered = false;
      if (ending !== undefined) this.#finish(ending);
    });
  }

  #receive(message: PublishFrame): DeliveryVerdict {
    if (this.#clearing) return Delivery.CONTINUE;
    const fate = this.#handling.fateOf(message);
    if (fate === Fate.SKIP) return Delivery.CONTINUE;
    if (fate === Fate.FINISH) return this.#last();
    if (fate === Fate.PRINT) this.#handling.print(message);
    return --this.#left > 0 ? Delivery.CONTINUE : this.#last();
  }

  /** The message in hand is the last one: nothing behind it is taken, so nothing behind it is acknowledged. */
  #last(): DeliveryVerdict {
    this.#end({ exitCode: 0 });
    return Delivery.PAUSE;
  }

  #batchEnd(): void {
    this.#output.flush();
    if (this.#output.idle) this.#accepted();
  }

  /** Everything that was delivered has been printed: now it can be acknowledged (P-22). */
  #accepted(): void {
    const client = this.#client;
    if (client === undefined || this.#stdoutClosed || this.#clearing) return;
    client.acknowledge();
    const { clearing } = this.#handling;
    clearing?.send(client);
    if (this.#ending === undefined) return;
    if (clearing === undefined || this.#ending.interrupted) this.#finished();
    else this.#awaitClearing(client, clearing);
  }

  /**
   * Reads on for what the broker says of the last retained messages that were cleared (D-6). Messages that come
   * meanwhile are not wanted any more, and not acknowledged.
   */
  #awaitClearing(client: Client, clearing: RetainedClearing): void {
    this.#clearing = true;
    clearing.whenIdle(() => {
      // Exit 0 means it happened (P-1).
      if (this.#ending?.exitCode === 0) this.#ending = { exitCode: clearing.exitCode };
      this.#finished();
    });
    if (!clearing.idle) client.resume();
  }

  /** A signal or the time limit (cli §12.8). */
  #interrupt(ending: Ending): void {
    if (this.#client === undefined) this.#aborted.abort();
    else if (this.#clearing) this.#leave(ending);
    else {
      this.#finish(ending);
      this.#drain.begin();
    }
  }

  /** Nobody reads stdout. */
  #abandonOutput(): void {
    this.#reporter.report('Warning: Standard output is not read: the last messages were not printed.\n');
    this.#io.abandonOutput();
    // What was not printed stays unacknowledged (P-22).
    this.#stdoutClosed = true;
    this.#finished();
  }

  /** Ends now, whatever was to come of it. */
  #leave(ending: Ending): void {
    this.#ending = ending;
    this.#finished();
  }

  /** Ends once what was received is printed. */
  #finish(ending: Ending): void {
    this.#end(ending);
    this.#client?.pause();
    this.#output.flush();
    if (this.#output.idle) this.#accepted();
  }

  #end(ending: Ending): void {
    this.#ending ??= ending;
  }

  async #disconnect({ interrupted }: Ending): Promise<void> {
    const client = this.#client!;
    const reasonCode =
      interrupted && client.protocolVersion === 5
        ? ReasonCode.DISCONNECT_WITH_WILL_MESSAGE
        : ReasonCode.SUCCESS;
    try {
      await client.end({ reasonCode, properties: this.#settings.properties.DISCONNECT });
    } catch (error) {
      // The connection was gone already; there is nothing left to say on it.
      if (!(error instanceof ClientError)) throw error;
    }
    this.#output.flush();
  }
}
