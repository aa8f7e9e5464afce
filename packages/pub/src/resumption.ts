import type { Connection, ConnectionHandlers, Reporter, Settings } from '@tsmqtt/cli-kit';
import type { Connack, Property } from '@tsmqtt/protocol';

/** Seconds that a broker of MQTT 5 is asked to keep the session of `-l` for after the connection is lost. */
const RESUMPTION_SECONDS = 300;

/**
 * Keeps a stream of lines from being doubled where its connection is lost (P-25). MQTT 5 can ask for a session that is
 * clean at first and can be resumed; before, it takes `-c`.
 */
export class Resumption {
  /** What the connection is made with. */
  readonly settings: Settings;
  readonly handlers: ConnectionHandlers;
  /** For DISCONNECT: a session that nobody comes back to ends with the connection. */
  readonly farewell: readonly Property[];
  readonly #reporter: Reporter;
  #unsettled = 0;

  constructor(settings: Settings, reporter: Reporter) {
    this.#reporter = reporter;
    const ours = settings.qos > 0 && settings.protocolVersion === 5 && !decided(settings);
    this.settings = ours ? { ...settings, sessionExpiry: RESUMPTION_SECONDS } : settings;
    this.handlers = ours ? { resumeSession: true } : {};
    this.farewell =
      ours && !has(settings.properties.DISCONNECT) ? [{ name: 'sessionExpiryInterval', value: 0 }] : [];
  }

  onLost({ client }: Connection): void {
    this.#unsettled = client.inFlight;
  }

  /** Says how many messages may have arrived twice: at QoS 2 nobody expects that any does. */
  onBack({ sessionPresent }: Connack): void {
    const { qos, protocolVersion, cleanStart } = this.settings;
    // 3.1 does not say; what was asked for is all there is to go by.
    const resumed = protocolVersion === 3 ? !cleanStart : sessionPresent;
    if (qos < 2 || resumed || this.#unsettled === 0) return;
    this.#reporter.report(
      `Warning: The broker has not kept the session: up to ${this.#unsettled} messages may be delivered twice.\n`,
    );
  }
}

/** The user has a say in how long the session lives. */
function decided({ cleanStart, sessionExpiry, properties }: Settings): boolean {
  return !cleanStart || sessionExpiry !== undefined || has(properties.CONNECT);
}

function has(properties: readonly Property[]): boolean {
  return properties.some(({ name }) => name === 'sessionExpiryInterval');
}
