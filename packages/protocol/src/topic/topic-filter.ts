import { MAXIMUM_SEPARATORS } from './topic-name.js';
import { validUtf8Text } from './utf8.js';

/**
 * Whether `filter` may be subscribed to: valid text of 1 to 65535 bytes in UTF-8 [MQTT-4.7.3-1] [MQTT-4.7.3-2]
 * [MQTT-4.7.3-3] [MQTT311-4.7.3-1] [MQTT311-4.7.3-2] [MQTT311-4.7.3-3], `#` alone in the last level [MQTT-4.7.1-1]
 * [MQTT311-4.7.1-2], `+` alone in its level [MQTT-4.7.1-2] [MQTT311-4.7.1-3], at most 200
 * level separators (cli §10). What `$share/` asks for beyond that is `parseFilter`'s to check.
 */
export function validTopicFilter(filter: string): boolean {
  return hasFilterShape(filter, false) && validUtf8Text(filter);
}

/** Whether `filter` is a valid Topic Filter but for `#`, which may stand alone in any level (cli P-18). */
export function validWideFilter(filter: string): boolean {
  return hasFilterShape(filter, true) && validUtf8Text(filter);
}

function hasFilterShape(filter: string, hashAnywhere: boolean): boolean {
  if (filter.length === 0) return false;
  let separators = 0;
  for (let at = 0; at < filter.length; at++) {
    const character = filter[at];
    if (character === '/') separators++;
    else if (character === '+' || character === '#') {
      const next = filter[at + 1];
      if (at > 0 && filter[at - 1] !== '/') return false;
      if (next !== undefined && (next !== '/' || (character === '#' && !hashAnywhere))) return false;
    }
  }
  return separators <= MAXIMUM_SEPARATORS;
}
