import {
  type PacketName,
  type PublishFrame,
  REASON_CODES,
  ReasonCode,
  type SubscriptionRequest,
  validTopicName,
} from '@tsmqtt/protocol';
import type { Connection } from '../connection/connection.js';
import type { Engine } from '../engine.js';
import type { Admission } from '../handlers/admission.js';
import { composeFrame, type Message } from '../routing/message.js';
import type {
  BrokerHooks,
  ConnectChanges,
  Decision,
  HookClient,
  HookPublication,
  HookRefusal,
  PublicationChanges,
  SubscriptionChanges,
} from './hooks.js';

/** How long `beforeConnect` may take, in milliseconds, and how many may be under way. */
const CONNECT_LIMIT = 30_000;
const MOST_PENDING = 256;

const BUSY: HookRefusal = { refuse: ReasonCode.SERVER_BUSY };
const FAILED: HookRefusal = { refuse: ReasonCode.UNSPECIFIED_ERROR };

/** A PUBLISH after the hook: content, topic, and the Reason Code that refuses it or 0. */
export interface HookedPublish {
  readonly frame: PublishFrame;
  readonly topic: string;
  readonly refusal: number;
}

interface Pending {
  readonly since: number;
  readonly settle: (decision: Decision<ConnectChanges>) => void;
}

/** The codes that a packet may refuse with (2.4). */
function refusalsOf(packet: PacketName): ReadonlySet<number> {
  return new Set(
    REASON_CODES.filter(
      ({ code, packets }) => code >= 0x80 && (packets as readonly PacketName[]).includes(packet),
    ).map(({ code }) => code),
  );
}

const REFUSALS = {
  CONNACK: refusalsOf('CONNACK'),
  PUBACK: refusalsOf('PUBACK'),
  SUBACK: refusalsOf('SUBACK'),
};

const isWithin = (value: number | undefined, most: number): boolean =>
  value === undefined || (Number.isInteger(value) && value >= 0 && value <= most);

/** Whether a hook vetoed. */
export function isRefusal(decision: object | undefined): decision is HookRefusal {
  return decision !== undefined && 'refuse' in decision;
}

/**
 * Calls the host program's hooks: the one place where what they throw is dealt with. An engine without hooks has none of
 * it.
 */
export class HookCalls {
  readonly #hooks: BrokerHooks;
  readonly #engine: Engine;
  readonly #pending = new Set<Pending>();

  constructor(engine: Engine, hooks: BrokerHooks) {
    this.#engine = engine;
    this.#hooks = hooks;
  }

  #failed(name: keyof BrokerHooks, error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    this.#engine.log.error(`Error: The hook ${name} failed: ${why}`);
  }

  /** Asks synchronously. @param check Throws where the answer cannot be followed. */
  #ask<Changes extends object>(
    name: keyof BrokerHooks,
    answeredBy: keyof typeof REFUSALS,
    call: () => Decision<Changes>,
    check: (changes: Changes) => void,
  ): HookRefusal | Changes | undefined {
    try {
      const decision = call() ?? undefined;
      if (isRefusal(decision)) checkRefusal(decision, answeredBy);
      else if (decision !== undefined) check(decision);
      return decision;
    } catch (error) {
      this.#failed(name, error);
      return FAILED;
    }
  }

  #tell(name: keyof BrokerHooks, call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#failed(name, error);
    }
  }

  /** Never rejects. */
  beforeConnect(
    connection: Connection,
    { packet, clientId, keepAlive, will }: Admission,
  ): Decision<ConnectChanges> | Promise<Decision<ConnectChanges>> {
    const { beforeConnect } = this.#hooks;
    if (beforeConnect === undefined) return undefined;
    const { cleanStart, properties } = packet;
    const request = { ...clientOf(connection), clientId, cleanStart, keepAlive, properties, will };
    const answer = this.#asked(() => beforeConnect.call(this.#hooks, request));
    if (!(answer instanceof Promise)) return this.#checked(answer);
    if (this.#pending.size >= MOST_PENDING) return BUSY;
    return new Promise((resolve) => {
      const pending = { since: this.#engine.clock.now(), settle: resolve };
      this.#pending.add(pending);
      const settle = (decision: Decision<ConnectChanges>): void => {
        this.#pending.delete(pending);
        resolve(this.#checked(decision));
      };
      answer.then(settle, (error: unknown) => {
        this.#failed('beforeConnect', error);
        settle(FAILED);
      });
    });
  }

  #asked<T>(call: () => T): T | HookRefusal {
    try {
      return call();
    } catch (error) {
      this.#failed('beforeConnect', error);
      return FAILED;
    }
  }

  #checked(decision: Decision<ConnectChanges>): HookRefusal | ConnectChanges | undefined {
    return this.#ask('beforeConnect', 'CONNACK', () => decision, checkConnect);
  }

  /** Once a second: what takes too long is given up. */
  sweep(now: number): void {
    for (const pending of this.#pending) {
      if (now - pending.since < CONNECT_LIMIT) return;
      this.#pending.delete(pending);
      pending.settle(BUSY);
    }
  }

  beforePublish(connection: Connection, frame: PublishFrame, topic: string): HookedPublish {
    const { beforePublish } = this.#hooks;
    if (beforePublish === undefined) return { frame, topic, refusal: ReasonCode.SUCCESS };
    let changed = { frame, topic };
    const decision = this.#ask<PublicationChanges>(
      'beforePublish',
      'PUBACK',
      () => beforePublish.call(this.#hooks, clientOf(connection), publicationOf(frame, topic)),
      (changes) => {
        changed = withChanges(frame, topic, changes);
      },
    );
    return { ...changed, refusal: isRefusal(decision) ? decision.refuse : ReasonCode.SUCCESS };
  }

  /** @returns The request as it is now, or the veto. */
  beforeSubscribe(connection: Connection, request: SubscriptionRequest): SubscriptionRequest | HookRefusal {
    const { beforeSubscribe } = this.#hooks;
    if (beforeSubscribe === undefined) return request;
    const decision = this.#ask<SubscriptionChanges>(
      'beforeSubscribe',
      'SUBACK',
      () => beforeSubscribe.call(this.#hooks, clientOf(connection), request),
      checkSubscription,
    );
    if (decision === undefined || isRefusal(decision)) return decision ?? request;
    return { ...request, ...decision, filter: request.filter };
  }

  afterConnect(connection: Connection, sessionPresent: boolean): void {
    this.#tell('afterConnect', () => this.#hooks.afterConnect?.(clientOf(connection), sessionPresent));
  }

  afterDisconnect(connection: Connection, reason: string): void {
    this.#tell('afterDisconnect', () => this.#hooks.afterDisconnect?.(clientOf(connection), reason));
  }

  afterPublish({ frame, topic }: Message, clientId: string | undefined, matched: boolean): void {
    if (this.#hooks.afterPublish === undefined) return;
    // The host program's own client has no name.
    const by = clientId === '' ? undefined : clientId;
    this.#tell('afterPublish', () => this.#hooks.afterPublish?.(by, publicationOf(frame, topic), matched));
  }

  afterSubscribe(connection: Connection, granted: SubscriptionRequest): void {
    this.#tell('afterSubscribe', () => this.#hooks.afterSubscribe?.(clientOf(connection), granted));
  }

  afterUnsubscribe(connection: Connection, filter: string): void {
    this.#tell('afterUnsubscribe', () => this.#hooks.afterUnsubscribe?.(clientOf(connection), filter));
  }
}

function checkRefusal({ refuse }: HookRefusal, packet: keyof typeof REFUSALS): void {
  if (!REFUSALS[packet].has(refuse))
    throw new Error(`${refuse} is not a Reason Code that ${packet} refuses with`);
}

function checkConnect({ keepAlive, sessionExpiryInterval }: ConnectChanges): void {
  if (!isWithin(keepAlive, 0xffff)) throw new Error(`${keepAlive} is not a Keep Alive`);
  if (!isWithin(sessionExpiryInterval, 0xffff_ffff)) {
    throw new Error(`${sessionExpiryInterval} is not a Session Expiry Interval`);
  }
}

function checkSubscription({ qos, retainHandling }: SubscriptionChanges): void {
  if (!isWithin(qos, 2)) throw new Error(`${qos} is not a QoS`);
  if (!isWithin(retainHandling, 2)) throw new Error(`${retainHandling} is not a Retain Handling`);
}

function withChanges(
  frame: PublishFrame,
  topic: string,
  changes: PublicationChanges,
): { frame: PublishFrame; topic: string } {
  const { payload = frame.payload, retain = frame.retain, properties = frame.properties } = changes;
  const named = changes.topic ?? topic;
  if (!validTopicName(named)) throw new Error(`'${named}' is not a valid Topic Name`);
  return { frame: composeFrame(named, payload, frame.qos, retain, properties, 5), topic: named };
}

function clientOf({ clientId, credentials, peer, version }: Connection): HookClient {
  const { address, port } = peer;
  return { clientId, username: credentials.username, address, port, protocolVersion: version };
}

function publicationOf(frame: PublishFrame, topic: string): HookPublication {
  const { payload, qos, retain, properties } = frame;
  return { topic, payload, qos, retain, properties };
}
