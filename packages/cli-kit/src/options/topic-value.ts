import {
  isMqttUtf8,
  parseWideFilter,
  validTopicFilter,
  validTopicName,
  type WideFilter,
} from '@tsmqtt/protocol';
import { type ArgumentError, argumentError } from './argument-error.js';

/** The name an option has in the "Malformed UTF-8" error. */
type Spelling = '-t' | '-e' | '-T' | '-U' | '--will-topic' | '-L topic';

/** Reads a topic to publish to (cli §10); `kind` is the word in the error: publish, response or will topic. */
export function topicName(value: Buffer, spelling: Spelling, kind: string): string {
  const topic = text(value, spelling);
  if (validTopicName(topic)) return topic;
  throw argumentError`Error: Invalid ${kind} topic '${value}', does it contain '+' or '#'?\n`;
}

/** Reads a filter as MQTT has it (cli §10); `kind` as in {@link topicName}. */
export function topicFilter(value: Buffer, spelling: Spelling, kind: string): string {
  const filter = text(value, spelling);
  if (validTopicFilter(filter)) return filter;
  throw invalidFilter(value, kind);
}

/** Reads a filter that may have `#` inside (P-18). */
export function wideFilter(value: Buffer, spelling: Spelling, kind: string): WideFilter {
  const filter = parseWideFilter(text(value, spelling));
  if (filter !== undefined) return filter;
  throw invalidFilter(value, kind);
}

export function invalidFilter(value: Uint8Array, kind: string): ArgumentError {
  return argumentError`Error: Invalid ${kind} topic '${value}', are all '+' and '#' wildcards correct?\n`;
}

/** UTF-8 is looked at first, syntax second (cli §4). */
function text(value: Buffer, spelling: Spelling): string {
  if (isMqttUtf8(value, 0, value.length)) return value.toString();
  throw argumentError`Error: Malformed UTF-8 in ${spelling} argument.\n\n`;
}
