import type { ProtocolVersion } from '@tsmqtt/protocol';
import { type Child, startChild } from '../child.js';
import { findPeer } from '../peers.js';
import type {
  ClientDriver,
  ConnectOptions,
  Endpoint,
  MessageProperties,
  ReceivedMessage,
  SubscribeOptions,
} from './client-driver.js';

/** What mosquitto_sub prints of a message, one a line; the payload in hexadecimal digits. */
const FORMAT = 'M|%t|%q|%r|%x|%C|%R|%D|%F|%P';
const NAMES: Readonly<Record<ProtocolVersion, string>> = { 3: 'mqttv31', 4: 'mqttv311', 5: 'mqttv5' };

/**
 * Debian's mosquitto_sub and mosquitto_pub: a client is a mosquitto_sub from its SUBSCRIBE on, or from the beginning if
 * it comes back to a session; what it publishes is sent by a mosquitto_pub.
 */
export const mosquittoDriver: ClientDriver = {
  name: 'mosquitto_pub and mosquitto_sub',
  versions: [3, 4, 5],
  transports: ['tcp', 'tls'],
  skills: new Set(),
  connect: async (endpoint, version, clientId, options) =>
    new MosquittoClient(endpoint, version, clientId, options),
};

/** Filters of sessions that a client comes back to: mosquitto_sub wants one. */
const sessions = new Map<string, readonly string[]>();

class MosquittoClient {
  readonly sessionPresent = undefined;
  #sub: Child | undefined;
  #taken = 0;

  constructor(
    readonly endpoint: Endpoint,
    readonly version: ProtocolVersion,
    readonly clientId: string,
    readonly options: ConnectOptions,
  ) {
    const known = sessions.get(this.#key);
    if (options.clean === false && known !== undefined) this.#sub = this.#start(known);
    else sessions.delete(this.#key);
  }

  get #key(): string {
    return `${this.endpoint.port} ${this.version} ${this.clientId}`;
  }

  get #common(): string[] {
    const { port, transport, caFile } = this.endpoint;
    const trust = transport === 'tls' ? ['--cafile', caFile] : [];
    return ['-h', 'localhost', '-p', String(port), '-V', NAMES[this.version], ...trust];
  }

  #start(filterArguments: readonly string[]): Child {
    const { clean = true, expiry, will } = this.options;
    // It does not flush what it says of SUBACK.
    return startChild('stdbuf', [
      '-oL',
      findPeer('mosquitto_sub') ?? 'mosquitto_sub',
      ...this.#common,
      ...['-d', '-i', this.clientId, '-F', FORMAT, ...filterArguments],
      ...(clean ? [] : ['-c']),
      ...(this.version === 5 && expiry !== undefined ? ['-x', String(expiry)] : []),
      ...(will
        ? ['--will-topic', will.topic, '--will-payload', will.payload, '--will-qos', String(will.qos)]
        : []),
      ...(will?.retain ? ['--will-retain'] : []),
    ]);
  }

  async subscribe(filters: readonly string[], { qos }: SubscribeOptions): Promise<readonly number[]> {
    const filterArguments = [...filters.flatMap((filter) => ['-t', filter]), '-q', String(qos)];
    sessions.set(this.#key, filterArguments);
    this.#sub = this.#start(filterArguments);
    const line = await this.#sub.line(/^Subscribed \(mid: /);
    return line
      .replace(/^.*\): /, '')
      .split(', ')
      .map(Number);
  }

  async unsubscribe(): Promise<void> {
    throw new Error('mosquitto_sub unsubscribes only at its start');
  }

  async publish(
    topic: string,
    payload: string,
    {
      qos = 0,
      retain = false,
      properties,
    }: Parameters<import('./client-driver.js').DrivenClient['publish']>[2],
  ): Promise<void> {
    const { code, stderr } = await startChild(
      findPeer('mosquitto_pub') ?? 'mosquitto_pub',
      [
        ...this.#common,
        ...['-t', topic, '-q', String(qos), ...(retain ? ['-r'] : [])],
        ...(properties ? propertyArguments(properties) : []),
        ...(payload === '' ? ['-n'] : ['-s']),
      ],
      { input: payload },
    ).ended;
    if (code !== 0) throw new Error(`mosquitto_pub: ${stderr}`);
  }

  get #messages(): string[] {
    const lines = this.#sub?.stdout.toString().split('\n').slice(0, -1) ?? [];
    return lines.filter((line) => line.startsWith('M|'));
  }

  async receive(count: number): Promise<readonly ReceivedMessage[]> {
    const from = this.#taken;
    this.#taken += count;
    while (this.#messages.length < this.#taken) {
      const lines = this.#sub?.stdout.toString().split('\n').length ?? 0;
      await this.#sub?.lines(lines);
    }
    return this.#messages.slice(from, this.#taken).map(received);
  }

  get left(): readonly ReceivedMessage[] {
    return this.#messages.slice(this.#taken).map(received);
  }

  async disconnect(): Promise<void> {
    await this.#sub?.kill('SIGINT');
  }

  async drop(): Promise<void> {
    await this.#sub?.kill('SIGKILL');
  }

  async ended(): Promise<void> {
    await this.#sub?.ended;
  }
}

function propertyArguments(given: MessageProperties): string[] {
  const list: [string, ...string[]][] = [
    ...(given.contentType === undefined ? [] : [['content-type', given.contentType] as [string, string]]),
    ...(given.responseTopic === undefined
      ? []
      : [['response-topic', given.responseTopic] as [string, string]]),
    ...(given.correlationData === undefined
      ? []
      : [['correlation-data', given.correlationData] as [string, string]]),
    ...(given.payloadFormat === undefined
      ? []
      : [['payload-format-indicator', String(given.payloadFormat)] as [string, string]]),
    ...(given.user ?? []).map(([key, value]) => ['user-property', key, value] as [string, string, string]),
  ];
  return list.flatMap((property) => ['-D', 'publish', ...property]);
}

function received(line: string): ReceivedMessage {
  const [, topic, qos, retain, payload, contentType, responseTopic, correlationData, payloadFormat, user] =
    line.split('|') as [string, ...string[]];
  return {
    topic: topic ?? '',
    payload: Buffer.from(payload ?? '', 'hex').toString(),
    qos: Number(qos),
    retain: retain === '1',
    properties: {
      ...(contentType && { contentType }),
      ...(responseTopic && { responseTopic }),
      ...(correlationData && { correlationData }),
      ...(payloadFormat && { payloadFormat: Number(payloadFormat) as 0 | 1 }),
      ...(user && { user: user.split(' ').map((pair) => pair.split(':') as [string, string]) }),
    },
  };
}
