import type { Log } from '../log/log.js';
import { type AccessList, Right, type RuleSet } from './access-list.js';
import type { Realm } from './realm.js';

/** What somebody wants with a topic. */
export type Access = typeof Right.READ | typeof Right.WRITE;

/** Topics whose rights are remembered for each client, and their longest, in characters: bounds what a client can take. */
const REMEMBERED_TOPICS = 64;
const LONGEST_REMEMBERED = 128;

/**
 * Who a client is to its listener's rules: the one place that decides what it may do with a topic (broker §4.4). It goes
 * by the rules that are in force when it is asked, so a reload acts on connected and offline clients alike.
 */
export class Identity {
  #acl: AccessList | undefined;
  #list: RuleSet | undefined;
  #patterns: RuleSet | undefined;
  #dangerous = false;
  #reported = false;
  /** Rights by topic; undefined until there are rules, as mostly there are none. */
  #remembered: Map<string, number> | undefined;

  constructor(
    readonly realm: Realm,
    readonly clientId: string,
    readonly username: string | undefined,
    readonly log: Log,
  ) {}

  /** Whether it may get messages of a topic, or publish to it. */
  may(access: Access, topic: string): boolean {
    if (access === Right.WRITE && isReserved(topic)) return false;
    const { acl } = this.realm.secrets;
    return acl === undefined || this.#mayBy(acl, access, topic);
  }

  /** By itself, so that `may` is small enough to be inlined for every message where there are no rules. */
  #mayBy(acl: AccessList, access: Access, topic: string): boolean {
    if (acl !== this.#acl) this.#goBy(acl);
    let rights = this.#remembered?.get(topic);
    if (rights === undefined) {
      rights = this.#rightsTo(topic);
      this.#remember(topic, rights);
    }
    if ((rights & access) !== 0) return true;
    if (this.#dangerous && !this.#reported) this.#report();
    return false;
  }

  #goBy(acl: AccessList): void {
    this.#acl = acl;
    this.#remembered = undefined;
    this.#reported = false;
    this.#list = acl.listOf(this.username);
    this.#patterns = acl.patternsOf(this.clientId, this.username);
    // In a pattern such a name would match the topics of others.
    this.#dangerous = !this.#patterns.empty && (hasWildcard(this.clientId) || hasWildcard(this.username));
  }

  /** Its own list first: what that grants no pattern denies (broker T-12). */
  #rightsTo(topic: string): number {
    const own = (this.#list as RuleSet).bits(topic);
    if ((own & Right.DENY) !== 0) return Right.NONE;
    if (this.#dangerous) return own;
    const pattern = (this.#patterns as RuleSet).bits(topic);
    return (pattern & Right.DENY) !== 0 ? own : own | pattern;
  }

  #remember(topic: string, rights: number): void {
    if (topic.length > LONGEST_REMEMBERED) return;
    this.#remembered ??= new Map();
    if (this.#remembered.size >= REMEMBERED_TOPICS) this.#remembered.clear();
    this.#remembered.set(topic, rights);
  }

  /** Said once, not for every message. */
  #report(): void {
    this.#reported = true;
    const what = hasWildcard(this.clientId) ? `client id "${this.clientId}"` : `username "${this.username}"`;
    this.log.notice(`ACL denying access to client with dangerous ${what}`);
  }
}

function hasWildcard(name: string | undefined): boolean {
  return name !== undefined && /[+#]/.test(name);
}

const DOLLAR = 0x24;
const BRIDGE_STATE = /^\$SYS\/broker\/connection\/[^/]*\/state$/;

/**
 * Topics that no client publishes to: `$SYS` is the broker's own, but for the state of other brokers' bridges; a shared
 * subscription is not a topic (broker §4.4, §9.7).
 */
function isReserved(topic: string): boolean {
  if (topic.charCodeAt(0) !== DOLLAR) return false;
  return topic.startsWith('$share') || (topic.startsWith('$SYS') && !BRIDGE_STATE.test(topic));
}
