import { ArgumentError, argumentError } from './argument-error.js';
import { NEVER_EXPIRES } from './number-value.js';
import type { PayloadSource, Settings } from './settings.js';
import { crossCheckTls } from './tls-checks.js';
import { topicFilter } from './topic-value.js';

/** What no single option can see, in this order, after everything was parsed (cli §5). Throws ArgumentError. */
export function crossCheck(settings: Settings): void {
  if (settings.willTopic === undefined) {
    if (settings.willPayload !== undefined) {
      throw argumentError`Error: Will payload given, but no will topic given.\n`;
    }
    if (settings.willRetain) throw argumentError`Error: Will retain given, but no will topic given.\n`;
  }
  crossCheckTls(settings);
  if (settings.protocolVersion === 5) {
    if (sessionExpiry(settings) === NEVER_EXPIRES && settings.clientId === undefined) {
      throw argumentError`Error: You must provide a client id if you are using an infinite session expiry interval.\n`;
    }
  } else if (!settings.cleanStart && settings.clientId === undefined) {
    throw argumentError`Error: You must provide a client id if you are using the -c option.\n`;
  }
}

/** Session Expiry Interval to ask for in MQTT 5; 0 is the default of the protocol (cli §5). */
export function sessionExpiry(settings: Settings): number {
  return settings.sessionExpiry ?? (settings.cleanStart ? 0 : NEVER_EXPIRES);
}

/** The checks that only sub makes (cli §5, 10 and 11; P-18). Throws ArgumentError. */
export function crossCheckSub(settings: Settings): void {
  if (settings.strictFilters) {
    for (const { argument } of settings.filters) topicFilter(argument, '-t', 'subscription');
  }
  if (settings.filters.length === 0 && settings.unsubscribe.length === 0) {
    throw argumentError`Error: You must specify a topic to subscribe to (-t) or unsubscribe from (-U).\n`;
  }
  if (settings.ignoreRetained && settings.retainedOnly) {
    throw new ArgumentError(
      Buffer.from("\nError: Combining '-R' and '--retained-only' makes no sense.\n"),
      'nothing',
    );
  }
}

/** The check that only pub makes, after the payload was read (cli §5, 12; §11.1). Throws ArgumentError. */
export function crossCheckPub(settings: Settings): void {
  if (settings.topic === undefined || settings.payloadSource === undefined) {
    throw new ArgumentError(Buffer.from('Error: Both topic and message must be supplied.\n'), 'usage');
  }
}

/** What rr cannot do without. */
export interface RequestSettings {
  readonly topic: string;
  readonly responseTopic: string;
  readonly payloadSource: Exclude<PayloadSource, { from: 'lines' }>;
}

/** The check that only rr makes (cli §5, 13). Throws ArgumentError. */
export function crossCheckRr({ topic, responseTopic, payloadSource }: Settings): RequestSettings {
  // `-l` is not an option of rr's.
  const complete = payloadSource !== undefined && payloadSource.from !== 'lines';
  if (topic !== undefined && responseTopic !== undefined && complete) {
    return { topic, responseTopic, payloadSource };
  }
  throw argumentError`Error: All of topic, message, and response topic must be supplied.\n`;
}
