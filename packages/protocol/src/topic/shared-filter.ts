import { ReasonCode } from '../wire/reason-code-table.js';
import { validTopicFilter } from './topic-filter.js';

const SHARE_PREFIX = '$share/';

/** A Topic Filter as it stands in SUBSCRIBE, taken apart. */
export interface ParsedFilter {
  /** Share Name of a Shared Subscription (4.8.2), possibly empty (broker §9.8); undefined for any other. */
  readonly share: string | undefined;
  /** What topics are matched against. */
  readonly filter: string;
  readonly valid: boolean;
  /** Why it is not valid: 0x81 for a malformed filter, 0x82 for a wrong `$share/`; 0 where it is valid. */
  readonly reasonCode: number;
}

/**
 * Splits `$share/group/filter` (4.8.2) and checks the parts: the Share Name has no wildcard [MQTT-4.8.2-2] and a
 * Topic Filter follows it. `$share//filter` is accepted with an empty group, as the reference does (broker §9.8).
 * A bare `$share` is an ordinary filter.
 */
export function parseFilter(text: string): ParsedFilter {
  if (!text.startsWith(SHARE_PREFIX)) return parsed(undefined, text, checkFilter(text));
  const end = text.indexOf('/', SHARE_PREFIX.length);
  const share = text.slice(SHARE_PREFIX.length, end === -1 ? undefined : end);
  const filter = end === -1 ? '' : text.slice(end + 1);
  if (filter === '' || share.includes('+') || share.includes('#')) {
    return parsed(share, filter, ReasonCode.PROTOCOL_ERROR);
  }
  // The whole text, because the limits on bytes and separators are for what was sent.
  return parsed(share, filter, checkFilter(text));
}

function checkFilter(text: string): number {
  return validTopicFilter(text) ? ReasonCode.SUCCESS : ReasonCode.MALFORMED_PACKET;
}

function parsed(share: string | undefined, filter: string, reasonCode: number): ParsedFilter {
  return { share, filter, valid: reasonCode === ReasonCode.SUCCESS, reasonCode };
}
