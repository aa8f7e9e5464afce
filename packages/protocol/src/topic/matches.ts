const DOLLAR = 0x24;
const HASH = 0x23;
const PLUS = 0x2b;
const SLASH = 0x2f;

/**
 * Whether a valid Topic Filter, without `$share/group/`, matches a valid Topic Name (4.7). `#` also matches its
 * parent level (4.7.1.2), `+` matches one level, an empty one too (4.7.1.3), and a filter that starts with a wildcard
 * does not match a topic that starts with `$` [MQTT-4.7.2-1] [MQTT311-4.7.2-1]; characters are compared as they are [MQTT-4.7.3-4]
 * [MQTT311-4.7.3-4]. Allocates nothing.
 */
export function matches(filter: string, topic: string): boolean {
  if ((filter.charCodeAt(0) === DOLLAR) !== (topic.charCodeAt(0) === DOLLAR)) return false;
  const filterEnd = filter.length;
  const topicEnd = topic.length;
  let f = 0;
  let t = 0;
  // Each turn takes one level; f and t stand at the first character of theirs.
  for (;;) {
    let unit = filter.charCodeAt(f);
    if (unit === HASH) return true;
    if (unit === PLUS) {
      f++;
      while (t < topicEnd && topic.charCodeAt(t) !== SLASH) t++;
    } else {
      while (f < filterEnd && unit !== SLASH) {
        if (topic.charCodeAt(t) !== unit) return false;
        t++;
        unit = filter.charCodeAt(++f);
      }
    }
    if (t === topicEnd) {
      return f === filterEnd || (f + 2 === filterEnd && filter.charCodeAt(f + 1) === HASH);
    }
    if (f === filterEnd || topic.charCodeAt(t) !== SLASH) return false;
    f++;
    t++;
  }
}
