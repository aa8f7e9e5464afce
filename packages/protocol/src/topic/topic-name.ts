import { fitsString, validUtf8Text } from './utf8.js';

/** Most level separators a Topic Name or Topic Filter may have (cli §10, broker §9.1). */
export const MAXIMUM_SEPARATORS = 200;

const SLASH = 0x2f;
const PLUS = 0x2b;
const HASH = 0x23;

/**
 * Whether `topic` may be published to: valid text of 1 to 65535 bytes in UTF-8 [MQTT-4.7.3-1] [MQTT-4.7.3-2]
 * [MQTT-4.7.3-3] [MQTT311-4.7.3-1] [MQTT311-4.7.3-2] [MQTT311-4.7.3-3], no wildcard [MQTT-3.3.2-2] [MQTT-4.7.0-1]
 * [MQTT311-3.3.2-2] [MQTT311-4.7.1-1], at most 200 level separators (cli §10).
 */
export function validTopicName(topic: string): boolean {
  if (topic.length === 0) return false;
  let separators = 0;
  for (let at = 0; at < topic.length; at++) {
    const unit = topic.charCodeAt(at);
    if (unit < 0x20 || unit > 0x7e) return hasTopicNameShape(topic) && validUtf8Text(topic);
    if (unit === SLASH) separators++;
    else if (unit === PLUS || unit === HASH) return false;
  }
  return separators <= MAXIMUM_SEPARATORS && fitsString(topic);
}

/** The rules on wildcards and separators alone, for topics that are not plain ASCII. */
function hasTopicNameShape(topic: string): boolean {
  let separators = 0;
  for (let at = 0; at < topic.length; at++) {
    const unit = topic.charCodeAt(at);
    if (unit === SLASH) separators++;
    else if (unit === PLUS || unit === HASH) return false;
  }
  return separators <= MAXIMUM_SEPARATORS;
}
