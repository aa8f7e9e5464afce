import type { SrvRecord } from 'node:dns';
import type { CancelSignal } from '../cancellation.js';
import { ClientError, type ClientErrorCode } from '../client-error.js';
import { attempt } from './attempt.js';
import type { Connector } from './connector.js';

/** How long the look-up may take, in milliseconds. */
const LOOKUP_TIMEOUT_MS = 15_000;

/** Where a service is (RFC 2782). */
export interface SrvTarget {
  readonly host: string;
  readonly port: number;
}

export interface SrvOptions {
  /** The domain that has the service. */
  readonly host: string;
  /** Looks for `_secure-mqtt._tcp` instead of `_mqtt._tcp`. */
  readonly secure?: boolean;
  /** DNS servers to ask, as `address` or `address:port`; default: the system's. */
  readonly servers?: readonly string[];
  /** Numbers from 0 up to 1, to choose by weight; default `Math.random`. */
  readonly random?: () => number;
}

/** With these another server of the domain may do better. */
const NEXT: ReadonlySet<ClientErrorCode> = new Set(['connect-failed', 'lookup-failed', 'proxy-unreachable']);

/** Looks the server up by SRV records (`-S`) and tries the targets in their order, each with the connector made for it. */
export function srv(options: SrvOptions, to: (target: SrvTarget) => Connector): Connector {
  const { host, secure = false, servers, random = Math.random } = options;
  const name = `${secure ? '_secure-mqtt' : '_mqtt'}._tcp.${host}`;
  return async (signal) => {
    const targets = inOrder(await lookUp(name, servers, signal), random);
    let failure: unknown = new ClientError('lookup-failed', `${host} offers no such service`);
    for (const target of targets) {
      try {
        return await to(target)(signal);
      } catch (error) {
        if (signal.aborted || !(error instanceof ClientError && NEXT.has(error.code))) throw error;
        failure = error;
      }
    }
    throw failure;
  };
}

async function lookUp(
  name: string,
  servers: readonly string[] | undefined,
  signal: CancelSignal,
): Promise<SrvRecord[]> {
  const { Resolver } = await import('node:dns');
  const failed = (why: string, cause?: unknown): ClientError =>
    new ClientError('lookup-failed', `${name} cannot be resolved: ${why}`, { cause });
  const limits = { signal, timeoutMs: LOOKUP_TIMEOUT_MS, timedOut: () => failed('no answer') };
  return await attempt<SrvRecord[]>(limits, (succeed, fail) => {
    const resolver = new Resolver();
    if (servers !== undefined) resolver.setServers(servers);
    resolver.resolveSrv(name, (error, records) => {
      if (error) fail(failed(error.message, error));
      else succeed(records);
    });
    return () => resolver.cancel();
  });
}

/** RFC 2782: lower priorities first; within one, by chance, in proportion to the weights. */
function inOrder(records: readonly SrvRecord[], random: () => number): SrvTarget[] {
  // The target `.` says that there is no such service.
  const left = records.filter(({ name }) => name !== '' && name !== '.').sort(byPriorityAndWeight);
  const ordered: SrvTarget[] = [];
  while (left.length > 0) {
    const equal = left.filter(({ priority }) => priority === left[0]?.priority);
    const sum = equal.reduce((total, { weight }) => total + weight, 0);
    let chance = Math.floor(random() * (sum + 1));
    const chosen = equal.find(({ weight }) => {
      chance -= weight;
      return chance <= 0;
    }) as SrvRecord;
    left.splice(left.indexOf(chosen), 1);
    ordered.push({ host: chosen.name, port: chosen.port });
  }
  return ordered;
}

/** Those without weight come first in a priority, so that they have their small chance. */
function byPriorityAndWeight(a: SrvRecord, b: SrvRecord): number {
  return a.priority - b.priority || a.weight - b.weight;
}
