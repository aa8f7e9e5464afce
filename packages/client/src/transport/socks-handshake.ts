import type { Duplex } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { SocksClient } from 'socks';
import type { CancelSignal } from '../cancellation.js';
import { ClientError, type ClientErrorCode } from '../client-error.js';
import { attempt, discard, HANDSHAKE_TIMEOUT_MS } from './attempt.js';
import type { Connector } from './connector.js';
import type { SocksOptions } from './socks.js';

/** RFC 1928 6: what each reply other than 0 means, and to us. */
// biome-ignore format: one row a line
const REPLIES: Readonly<Record<number, readonly [code: ClientErrorCode, text: string]>> = {
  1: ['proxy-failed', 'the proxy has a general failure'],
  2: ['proxy-denied', 'the proxy does not allow this connection'],
  3: ['proxy-unreachable', "the proxy cannot reach the server's network"],
  4: ['proxy-unreachable', 'the proxy cannot reach the server'],
  5: ['proxy-unreachable', "the proxy's connection was refused"],
  6: ['proxy-failed', 'the TTL ran out between the proxy and the server'],
  7: ['proxy-failed', 'the proxy does not know the command CONNECT'],
  8: ['proxy-failed', 'the proxy does not know this type of address'],
};

const VERSION = 5;
const NO_ACCEPTABLE_METHOD = 0xff;
const NO_AUTHENTICATION = 0;
const USERNAME_PASSWORD = 2;

export async function connectThroughProxy(
  over: Connector,
  options: SocksOptions,
  signal: CancelSignal,
): Promise<Duplex> {
  const { timeoutMs = HANDSHAKE_TIMEOUT_MS } = options;
  checkLengths(options);
  const base = await over(signal);
  const timedOut = (): ClientError => proxyLost(`no answer from the proxy within ${timeoutMs} ms`);
  return await attempt<Duplex>({ signal, timeoutMs, timedOut }, (succeed, fail) => {
    // The library's errors say in words what the proxy said in bytes.
    const heard: Buffer[] = [];
    const listen = (chunk: Buffer): void => {
      heard.push(chunk);
    };
    let failure: Error | undefined;
    const onError = (error: Error): void => {
      failure ??= error;
    };
    base.on('data', listen).on('error', onError);
    establish(base, options, timeoutMs).then(
      () => {
        base.off('data', listen);
        if (base.destroyed || base.readableEnded) {
          fail(proxyLost('the proxy closed the connection', failure));
          return;
        }
        base.off('error', onError);
        succeed(base);
      },
      () => fail(explain(Buffer.concat(heard), failure)),
    );
    return () => discard(base);
  });
}

async function establish(base: Duplex, options: SocksOptions, timeout: number): Promise<void> {
  const { host, port, username, password = '' } = options;
  await SocksClient.createConnection({
    command: 'connect',
    existing_socket: base,
    destination: { host, port },
    // The library wants to know where the proxy is, and does not need it for a connection that stands.
    proxy: {
      host: 'proxy',
      port,
      type: 5,
      ...(username === undefined ? {} : { userId: username, password }),
    },
    timeout: timeout + 1000,
  });
  // It sets the connection flowing one turn later; who comes next must find it so.
  await setImmediate();
}

/** Lengths are one byte (RFC 1928 4, RFC 1929 2). */
function checkLengths({ host, username = '', password = '' }: SocksOptions): void {
  for (const [what, text] of Object.entries({ 'host name': host, 'user name': username, password })) {
    if (Buffer.byteLength(text) > 255) throw proxyFailed(`the ${what} is too long for a SOCKS5 proxy`);
  }
}

/** Answer: method (05 METHOD), with user name and password also (01 STATUS), then the reply (05 REPLY ...). */
function explain(heard: Buffer, failure: Error | undefined): ClientError {
  if (heard.length > 0 && heard[0] !== VERSION) return proxyFailed('it is no SOCKS5 proxy', failure);
  const method = heard[1];
  if (method === NO_ACCEPTABLE_METHOD) {
    return new ClientError('proxy-denied', 'the proxy wants another kind of authentication');
  }
  const authenticated = method === USERNAME_PASSWORD;
  if (method !== undefined && method !== NO_AUTHENTICATION && !authenticated) {
    return proxyFailed('the proxy chose a method that was not offered');
  }
  if (authenticated && (heard[3] ?? 0) !== 0) {
    return proxyFailed('the proxy refused the user name or password');
  }
  const reply = heard[authenticated ? 5 : 3] ?? 0;
  if (reply === 0) return proxyLost('the proxy closed the connection', failure);
  const [code, text] = REPLIES[reply] ?? ['proxy-failed', `the proxy gave the unknown reply ${reply}`];
  return new ClientError(code, text, { reasonCode: reply });
}

function proxyLost(message: string, cause?: unknown): ClientError {
  return new ClientError('connection-lost', message, { cause });
}

function proxyFailed(message: string, cause?: unknown): ClientError {
  return new ClientError('proxy-failed', message, { cause });
}
