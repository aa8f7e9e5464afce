import type { LookupAddress } from 'node:dns';
import { isIPv6, Socket } from 'node:net';
import type { CancelSignal } from '../cancellation.js';
import { ClientError } from '../client-error.js';
import type { Connector } from './connector.js';
import { keepLastBytes } from './last-bytes.js';

const DEFAULT_TIMEOUT_MS = 15_000;

export interface TcpOptions {
  /** Name or address. */
  readonly host: string;
  readonly port: number;
  /** Local name or address to connect from. */
  readonly bindAddress?: string;
  /** Nagle's algorithm off; default true, because output is collected already. */
  readonly noDelay?: boolean;
  /** Limit for each address in milliseconds, default 15,000. */
  readonly timeoutMs?: number;
}

/** TCP: tries every address of the host, one after the other, in the resolver's order (cli P-27). */
export function tcp(options: TcpOptions): Connector {
  return async (signal) => {
    const { host, bindAddress } = options;
    const addresses = await resolve(host, signal);
    const own = bindAddress === undefined ? undefined : await resolve(bindAddress, signal);
    let failure: ClientError | undefined;
    for (const { address, family } of addresses) {
      const from = own?.find((candidate) => candidate.family === family);
      if (own !== undefined && from === undefined) continue;
      try {
        return await open(address, family, from?.address, options, signal);
      } catch (error) {
        if (signal.aborted) throw error;
        failure = connectFailed(error, address, options.port);
      }
    }
    throw (
      failure ??
      new ClientError('lookup-failed', `${bindAddress} and ${host} have no address of the same family`)
    );
  };
}

function connectFailed(cause: unknown, address: string, port: number): ClientError {
  return new ClientError('connect-failed', (cause as Error).message, { address, port, cause });
}

async function resolve(host: string, signal: CancelSignal): Promise<readonly LookupAddress[]> {
  signal.throwIfAborted();
  // Node.js resolves it to nothing, with a warning on stderr.
  if (host === '') throw new ClientError('lookup-failed', 'the host has no name');
  const family = addressFamily(host);
  if (family !== 0) return [{ address: host, family }];
  const { promises } = await import('node:dns');
  try {
    // The resolver cannot be called back; whoever aborts stops waiting for it.
    return await Promise.race([promises.lookup(host, { all: true, verbatim: true }), rejectOn(signal)]);
  } catch (cause) {
    if (signal.aborted) throw cause;
    throw new ClientError('lookup-failed', `${host} cannot be resolved: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/**
 * As `isIP` of node:net, but without the expressions of it that a process would compile for this alone: the one for
 * IPv6 takes longer than connecting and publishing. A colon is in every IPv6 address, and in no name.
 */
function addressFamily(host: string): 0 | 4 | 6 {
  if (host.includes(':')) return isIPv6(host) ? 6 : 0;
  const octets = host.split('.');
  return octets.length === 4 && octets.every(isOctet) ? 4 : 0;
}

/** A decimal number up to 255 as it is written: no sign, no leading zero. */
function isOctet(text: string): boolean {
  const value = Number(text);
  return value <= 255 && text === String(value & 0xff);
}

function rejectOn(signal: CancelSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function open(
  address: string,
  family: number,
  localAddress: string | undefined,
  options: TcpOptions,
  signal: CancelSignal,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const { port, noDelay = true, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    const socket = keepLastBytes(new LateClosingSocket())
      .setNoDelay(noDelay)
      .connect({
        host: address,
        port,
        family,
        autoSelectFamily: false,
        ...(localAddress === undefined ? {} : { localAddress }),
      });
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.off('connect', onConnect).off('error', fail);
    };
    const fail = (error: unknown): void => {
      settle();
      // A socket that is given up may still report an error.
      socket.on('error', () => {}).destroy();
      reject(error);
    };
    const onAbort = (): void => fail(signal.reason);
    const onConnect = (): void => {
      settle();
      resolve(socket);
    };
    const timer = setTimeout(() => fail(timedOut(address, port)), timeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    socket.on('connect', onConnect).on('error', fail);
  });
}

/**
 * Closes at the end of the turn: when it closes, a socket looks whether it is `process.stderr`, and so opens that. A
 * program that is done with its connection has ended by then, and saves a hundredth of its whole run.
 */
class LateClosingSocket extends Socket {
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    setImmediate(() => super._destroy(error, callback));
  }
}

/** The operating system's own error for it, so that it is told in the same words. */
function timedOut(address: string, port: number): Error {
  return Object.assign(new Error(`connect ETIMEDOUT ${address}:${port}`), {
    code: 'ETIMEDOUT',
    errno: -110,
    syscall: 'connect',
    address,
    port,
  });
}
