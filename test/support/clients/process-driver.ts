import path from 'node:path';
import { createInterface } from 'node:readline';
import { type Child, startChild } from '../child.js';
import { workspaceRoot } from '../workspace.js';
import {
  type ClientDriver,
  type DrivenClient,
  type Endpoint,
  Inbox,
  type PublishOptions,
  type ReceivedMessage,
  type Skill,
  type SubscribeOptions,
} from './client-driver.js';

type ClientEvent =
  | { readonly event: 'connected'; readonly present: boolean; readonly code: number }
  | { readonly event: 'subscribed'; readonly codes: readonly number[] }
  | ({ readonly event: 'message' } & ReceivedMessage)
  | { readonly event: 'closed' | 'over' | 'published' | 'unsubscribed' };

const folder = path.join(workspaceRoot, 'test', 'support', 'clients');
const COMMON: readonly Skill[] = [
  'session present',
  'one connection',
  'take-over',
  'subscribe options',
  'aliases from the client',
  'expiry at the end',
];

export const mqttjsDriver = processDriver(
  'mqtt.js',
  [process.execPath, path.join(folder, 'mqttjs_client.mjs')],
  [...COMMON, 'aliases to the client'],
);

export function pahoDriver(python: string): ClientDriver {
  return processDriver('paho', [python, path.join(folder, 'paho_client.py')], COMMON);
}

/** A client library behind a small program in its language, one process for all clients of a test. */
function processDriver(name: string, command: readonly string[], skills: readonly Skill[]): ClientDriver {
  const processes = new WeakMap<Endpoint, ClientProcess>();
  return {
    name,
    versions: [3, 4, 5],
    transports: ['tcp', 'websocket', 'tls', 'websocket over tls'],
    skills: new Set(skills),
    async connect(endpoint, version, id, options) {
      const running = processes.get(endpoint) ?? new ClientProcess(name, command);
      processes.set(endpoint, running);
      const { transport, port, caFile } = endpoint;
      const client = running.open();
      client.tell({ do: 'connect', transport, port, ca: caFile, version, id, options });
      const connected = await client.next('connected');
      if (connected.event !== 'connected' || connected.code !== 0) throw new Error('refused');
      client.sessionPresent = connected.present;
      return client;
    },
  };
}

class ClientProcess {
  readonly #child: Child;
  readonly #clients: ProcessClient[] = [];

  constructor(name: string, [file, ...args]: readonly string[]) {
    this.#child = startChild(file as string, args, { collect: false });
    createInterface({ input: this.#child.stdoutStream }).on('line', (line) => {
      const event = JSON.parse(line) as ClientEvent & { readonly as: number };
      this.#clients[event.as]?.happened(event);
    });
    void this.#child.ended.then(({ stderr }) => {
      for (const client of this.#clients) client.fail(new Error(`${name} ended: ${stderr}`));
    });
  }

  open(): ProcessClient {
    const number = this.#clients.length;
    const client = new ProcessClient((command) => {
      this.#child.stdin.write(`${JSON.stringify({ as: number, ...command })}\n`);
    });
    this.#clients.push(client);
    return client;
  }
}

class ProcessClient implements DrivenClient {
  sessionPresent: boolean | undefined;
  readonly #inbox = new Inbox();
  readonly #events: ClientEvent[] = [];
  #wake: (() => void) | undefined;
  #failure: Error | undefined;

  constructor(readonly tell: (command: object) => void) {}

  happened(event: ClientEvent): void {
    if (event.event === 'message') this.#inbox.add(event);
    else this.#events.push(event);
    this.#wake?.();
  }

  fail(error: Error): void {
    this.#failure = error;
    this.#inbox.fail(error);
    this.#wake?.();
  }

  /** Takes the next event of a kind. */
  async next(wanted: ClientEvent['event']): Promise<ClientEvent> {
    for (;;) {
      const at = this.#events.findIndex(({ event }) => event === wanted);
      if (at >= 0) return this.#events.splice(at, 1)[0] as ClientEvent;
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async subscribe(filters: readonly string[], options: SubscribeOptions): Promise<readonly number[]> {
    this.tell({ do: 'subscribe', filters, options });
    const event = await this.next('subscribed');
    return event.event === 'subscribed' ? event.codes : [];
  }

  async unsubscribe(filters: readonly string[]): Promise<void> {
    this.tell({ do: 'unsubscribe', filters });
    await this.next('unsubscribed');
  }

  async publish(topic: string, payload: string, options: PublishOptions): Promise<void> {
    this.tell({ do: 'publish', topic, payload, options });
    await this.next('published');
  }

  receive(count: number): Promise<readonly ReceivedMessage[]> {
    return this.#inbox.take(count);
  }

  get left(): readonly ReceivedMessage[] {
    return this.#inbox.left;
  }

  async disconnect(options: { readonly expiry?: number }): Promise<void> {
    this.tell({ do: 'disconnect', ...options });
    await this.next('over');
  }

  async drop(): Promise<void> {
    this.tell({ do: 'drop' });
    await this.next('over');
  }

  async ended(): Promise<void> {
    await this.next('closed');
  }
}
