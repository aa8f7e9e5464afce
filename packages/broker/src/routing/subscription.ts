import type { QoS } from '@tsmqtt/protocol';
import type { Session } from '../session/session.js';
import type { SharedGroup } from './shared-group.js';

/** One Topic Filter that one session subscribed to, with its Subscription Options (3.8.3.1). */
export class Subscription {
  qos: QoS = 0;
  noLocal = false;
  retainAsPublished = false;
  /** Subscription Identifier (3.8.2.1.2). */
  identifier: number | undefined;
  /** The group it belongs to, for a Shared Subscription (4.8.2). */
  group: SharedGroup | undefined;

  constructor(
    readonly session: Session,
    /** Without `$share/group/`. */
    readonly filter: string,
  ) {}
}
