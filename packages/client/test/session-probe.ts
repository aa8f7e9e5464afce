import { type Connack, type ProtocolVersion, type Publish, Verdict } from '@tsmqtt/protocol';
import type { ClientError } from '../src/client-error.js';
import type { ConnectOptions } from '../src/connect-options.js';
import { ClientSession } from '../src/session/client-session.js';
import type { SessionHost } from '../src/session/session-settings.js';
import { sessionSettings } from '../src/session-defaults.js';

/** Bytes from hexadecimal digits; white space is for the reader. */
export function bytes(hex: string): Buffer {
  const digits = hex.replace(/\s/g, '');
  const result = Buffer.from(digits, 'hex');
  if (result.length * 2 !== digits.length) throw new Error(`not hexadecimal: ${hex}`);
  return result;
}

/** CONNACK 0 without a session. */
export const CONNACK = { 3: '20 02 0000', 4: '20 02 0000', 5: '20 03 0000 00' } as const;
/** The same with Session Present. */
export const SESSION_PRESENT = { 4: '20 02 0100', 5: '20 03 0100 00' } as const;

/** A session without a socket: what it sends is read as hexadecimal digits, what it is told is hexadecimal digits. */
export class SessionProbe implements SessionHost {
  readonly session: ClientSession;
  readonly connacks: Connack[] = [];
  /** Topic, payload and flags of each message. */
  readonly delivered: string[] = [];
  readonly failures: { code: string; reasonCode: number | undefined; farewell: string | undefined }[] = [];
  error: ClientError | undefined;
  /** What is answered to the next message. */
  verdict: (message: Publish) => Verdict = () => Verdict.CONTINUE;
  now = 0;
  readonly protocolVersion: ProtocolVersion;

  constructor(options: Partial<ConnectOptions> = {}) {
    const settings = sessionSettings({
      connector: () => Promise.reject(new Error('no I/O here')),
      ...options,
    });
    this.protocolVersion = settings.protocolVersion;
    this.session = new ClientSession(settings, this);
  }

  /** A probe whose server has said CONNACK 0. */
  static live(options: Partial<ConnectOptions> = {}, connack?: string): SessionProbe {
    const probe = new SessionProbe(options);
    probe.reconnect(connack);
    return probe;
  }

  /** A new connection up to CONNACK. @returns CONNECT. */
  reconnect(connack: string = CONNACK[5]): string {
    const connect = hex([this.session.open()]);
    this.receive(connack);
    return connect;
  }

  receive(hexadecimal: string): void {
    this.session.receive(bytes(hexadecimal), this.now);
  }

  /** Everything that the session wants to send by now. */
  sent(): string {
    const parts: Uint8Array[] = [];
    for (let unit = this.session.take(); unit !== undefined; unit = this.session.take()) {
      parts.push(...unit.parts);
      this.session.written(this.now);
    }
    return hex(parts);
  }

  outputReady(): void {}

  connected(connack: Connack): void {
    this.connacks.push(connack);
  }

  deliver(message: Publish): Verdict {
    const { topic, payload, qos, retain, dup } = message;
    this.delivered.push(
      `${topic}=${Buffer.from(payload).toString()} q${qos}${retain ? ' retain' : ''}${dup ? ' dup' : ''}`,
    );
    return this.verdict(message);
  }

  failed(error: ClientError, farewell: Uint8Array | undefined): void {
    this.error = error;
    this.failures.push({
      code: error.code,
      reasonCode: error.reasonCode,
      farewell: farewell === undefined ? undefined : hex([farewell]),
    });
  }
}

export function hex(parts: readonly Uint8Array[]): string {
  return Buffer.concat(parts).toString('hex');
}

/** Hexadecimal digits without the white space, for comparing. */
export function compact(hexadecimal: string): string {
  return hexadecimal.replace(/\s/g, '').toLowerCase();
}

/** UTF-8 text as hexadecimal digits, with its length in front. */
export function text(value: string): string {
  const encoded = Buffer.from(value);
  return encoded.length.toString(16).padStart(4, '0') + encoded.toString('hex');
}
