import { PacketType, type Property, ReasonCode } from '@tsmqtt/protocol';
import type { Connection } from '../connection/connection.js';
import { Phase } from '../connection/phase.js';
import { AUTH_REFUSAL_CODES, type AuthClient, type AuthMethod, type AuthStep } from './auth-method.js';
import type { AuthVerdict } from './authenticate.js';

/** Milliseconds for each step of an exchange, on either side. */
const STEP_LIMIT = 30_000;
/** Most bytes of a binary property (1.5.6). */
const MAX_DATA = 65_535;

type Challenge = Extract<AuthStep, { result: 'challenge' }>;
/** How an exchange ends. */
export type AuthResult = Exclude<AuthStep, Challenge>;

/** The method of that name for this connection; undefined: there is none [MQTT-4.12.0-1]. */
export function authMethodOf({ engine, realm }: Connection, name: string): AuthMethod | undefined {
  const given = engine.authMethods.find((method) => method.name === name);
  if (given !== undefined) return given;
  return realm.secrets.scram?.name === name ? realm.secrets.scram : undefined;
}

/**
 * Enhanced authentication of one connection, by the method that its CONNECT named (4.12): exchanges of AUTH packets, one
 * at a time.
 */
export class Authentication {
  readonly #connection: Connection;
  readonly methodName: string;
  /** What the method gave when it accepted the client. */
  #evidence: unknown;
  /** Undefined: no exchange is under way. */
  #done: ((result: AuthResult) => void) | undefined;
  /** Takes what the client says next; undefined: nothing is expected of it. */
  #answer: ((data: Uint8Array | undefined) => void) | undefined;
  #deadline = Number.POSITIVE_INFINITY;

  constructor(connection: Connection, methodName: string) {
    this.#connection = connection;
    this.methodName = methodName;
  }

  get isUnderWay(): boolean {
    return this.#done !== undefined;
  }

  get waitsForClient(): boolean {
    return this.#answer !== undefined;
  }

  /**
   * Begins an exchange, where none is under way.
   *
   * @param done called once, with how it ended; not at all where the connection ends before.
   */
  begin(client: AuthClient, data: Uint8Array | undefined, done: (result: AuthResult) => void): void {
    this.#done = done;
    const method = authMethodOf(this.#connection, this.methodName);
    // A reload may have taken it away since CONNECT.
    if (method === undefined)
      this.#end({ result: 'refuse', reasonCode: ReasonCode.BAD_AUTHENTICATION_METHOD });
    else this.#step(method, () => method.start(client, data));
  }

  /** What the client says to a challenge, where `waitsForClient`. */
  answer(data: Uint8Array | undefined): void {
    const answer = this.#answer as (data: Uint8Array | undefined) => void;
    this.#answer = undefined;
    answer(data);
  }

  /** A step takes too long, on whichever side. */
  isOverdue(now: number): boolean {
    return now > this.#deadline;
  }

  /** After a reload: whether the client may stay. `busy`: the method failed, which is logged. */
  async verify(): Promise<AuthVerdict> {
    const method = authMethodOf(this.#connection, this.methodName);
    if (method === undefined) return 'refused';
    const { username } = this.#connection.credentials;
    try {
      return (await (method.stillAccepts?.(username, this.#evidence) ?? true)) ? 'accepted' : 'refused';
    } catch (error) {
      this.#failed(method, error);
      return 'busy';
    }
  }

  /** Properties of AUTH and CONNACK: the method goes with every one of them [MQTT-4.12.0-5]. */
  properties(data: Uint8Array | undefined): Property[] {
    const properties: Property[] = [{ name: 'authenticationMethod', value: this.methodName }];
    if (data !== undefined) properties.push({ name: 'authenticationData', value: data });
    return properties;
  }

  /** Sends AUTH; never with a Reason String or User Property [MQTT-3.15.2-2] [MQTT-3.15.2-3]. */
  send(reasonCode: number, data: Uint8Array | undefined): void {
    this.#connection.send({ type: PacketType.AUTH, reasonCode, properties: this.properties(data) });
  }

  #step(method: AuthMethod, run: () => AuthStep | Promise<AuthStep>): void {
    const { engine } = this.#connection;
    if (!engine.pendingAuthSteps.hasRoomFor(method)) {
      this.#end({ result: 'refuse', reasonCode: ReasonCode.SERVER_BUSY });
      return;
    }
    this.#deadline = engine.clock.now() + STEP_LIMIT;
    let step: AuthStep | Promise<AuthStep>;
    try {
      step = run();
    } catch (error) {
      step = this.#failed(method, error);
    }
    if (step instanceof Promise) this.#takeLater(method, step);
    else this.#take(method, step);
  }

  #takeLater(method: AuthMethod, step: Promise<AuthStep>): void {
    const connection = this.#connection;
    const { pendingAuthSteps } = connection.engine;
    pendingAuthSteps.add(method);
    // Until CONNACK, what the client sends meanwhile waits.
    if (connection.phase !== Phase.CONNECTED) connection.phase = Phase.AUTHENTICATING;
    step
      .catch((error: unknown) => this.#failed(method, error))
      .then((late) => {
        pendingAuthSteps.remove(method);
        if (connection.phase >= Phase.CLOSING) return;
        const waited = connection.phase === Phase.AUTHENTICATING;
        this.#take(method, late);
        if (waited) connection.resume();
      });
  }

  #take(method: AuthMethod, given: AuthStep): void {
    const connection = this.#connection;
    const step = isStep(given)
      ? given
      : this.#failed(method, new Error('it gave what is no step of an exchange'));
    if (step.result === 'challenge') {
      this.#deadline = connection.engine.clock.now() + STEP_LIMIT;
      this.#answer = (data) => this.#step(method, () => step.answer(data));
      if (connection.phase !== Phase.CONNECTED) connection.phase = Phase.CHALLENGED;
      // [MQTT-4.12.0-2]
      this.send(ReasonCode.CONTINUE_AUTHENTICATION, step.data);
      return;
    }
    const now = authMethodOf(connection, this.methodName);
    if (step.result === 'accept' && now !== method) this.#checkAgain(now, step);
    else this.#end(step);
  }

  /** Other credentials came into force during the exchange. */
  #checkAgain(method: AuthMethod | undefined, accepted: Extract<AuthStep, { result: 'accept' }>): void {
    if (method === undefined) {
      this.#end({ result: 'refuse' });
      return;
    }
    this.#step(method, async () => {
      const holds = await (method.stillAccepts?.(accepted.username, accepted.evidence) ?? true);
      return holds ? accepted : { result: 'refuse' };
    });
  }

  #end(result: AuthResult): void {
    const done = this.#done as (result: AuthResult) => void;
    this.#done = undefined;
    this.#deadline = Number.POSITIVE_INFINITY;
    if (result.result === 'accept') this.#evidence = result.evidence;
    done(result);
  }

  #failed(method: AuthMethod, error: unknown): AuthResult {
    const { engine, name } = this.#connection;
    const why = error instanceof Error ? error.message : String(error);
    engine.log.error(`Error: Authentication method '${method.name}' failed for ${name}: ${why}.`);
    return { result: 'refuse', reasonCode: ReasonCode.UNSPECIFIED_ERROR };
  }
}

/** Methods of a host program need not be written in TypeScript. */
function isStep(step: AuthStep | undefined): boolean {
  switch (step?.result) {
    case 'challenge':
      return fits(step.data) && typeof step.answer === 'function';
    case 'accept':
      return fits(step.data) && (step.username === undefined || typeof step.username === 'string');
    case 'refuse':
      return step.reasonCode === undefined || AUTH_REFUSAL_CODES.includes(step.reasonCode);
    default:
      return false;
  }
}

function fits(data: unknown): boolean {
  return data === undefined || (data instanceof Uint8Array && data.length <= MAX_DATA);
}
