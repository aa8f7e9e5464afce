import { matches } from '@tsmqtt/protocol';

/** Rights to a topic, or bits that rules give and take. */
export const Right = {
  NONE: 0,
  /** Get messages of the topic. */
  READ: 1,
  /** Publish to it. */
  WRITE: 2,
  /** Neither, whatever else a list grants. */
  DENY: 4,
} as const;

/** One line of an ACL file. */
export interface AccessRule {
  /** Bits of `Right`. */
  readonly rights: number;
  /** A Topic Filter; in a pattern with `%c` and `%u` as levels. */
  readonly filter: string;
}

/** Rules for one client, ready to be asked: the order of its lines does not matter (broker §4.4). */
export class RuleSet {
  readonly #exact = new Map<string, number>();
  readonly #wild: { readonly filter: string; rights: number }[] = [];

  constructor(rules: Iterable<AccessRule>) {
    const wild = new Map<string, { readonly filter: string; rights: number }>();
    for (const { filter, rights } of rules) {
      if (!WILDCARD.test(filter)) {
        this.#exact.set(filter, (this.#exact.get(filter) ?? Right.NONE) | rights);
        continue;
      }
      const known = wild.get(filter);
      if (known === undefined) wild.set(filter, { filter, rights });
      else known.rights |= rights;
    }
    this.#wild = [...wild.values()];
  }

  /** Whether there is any rule. */
  get empty(): boolean {
    return this.#exact.size === 0 && this.#wild.length === 0;
  }

  /** All bits of the rules that match a topic. */
  bits(topic: string): number {
    let bits = this.#exact.get(topic) ?? Right.NONE;
    for (const { filter, rights } of this.#wild) {
      // What is granted already, or denied, needs no look.
      if ((bits & rights) !== rights && matches(filter, topic)) bits |= rights;
    }
    return bits;
  }
}

const WILDCARD = /[+#]/;
const NO_RULES = new RuleSet([]);

/** What an ACL file says (broker §4.4). */
export class AccessList {
  readonly #anonymous: RuleSet;
  readonly #users = new Map<string, RuleSet>();
  readonly #patterns: readonly AccessRule[];

  /**
   * @param anonymous for clients without a username.
   * @param users by username; they inherit nothing from `anonymous`.
   * @param patterns for everybody.
   */
  constructor(
    anonymous: readonly AccessRule[],
    users: ReadonlyMap<string, readonly AccessRule[]>,
    patterns: readonly AccessRule[],
  ) {
    this.#anonymous = new RuleSet(anonymous);
    for (const [user, rules] of users) this.#users.set(user, new RuleSet(rules));
    this.#patterns = patterns;
  }

  /** The list of a user, or of clients without a username. */
  listOf(username: string | undefined): RuleSet {
    if (username === undefined) return this.#anonymous;
    return this.#users.get(username) ?? NO_RULES;
  }

  /** The patterns for a client: `%c` and `%u` stand for complete levels only. Without a username those with `%u` fall away. */
  patternsOf(clientId: string, username: string | undefined): RuleSet {
    if (this.#patterns.length === 0) return NO_RULES;
    const rules: AccessRule[] = [];
    for (const { rights, filter } of this.#patterns) {
      const levels = filter.split('/');
      if (username === undefined && levels.includes('%u')) continue;
      rules.push({ rights, filter: levels.map((level) => substitute(level, clientId, username)).join('/') });
    }
    return new RuleSet(rules);
  }
}

function substitute(level: string, clientId: string, username: string | undefined): string {
  if (level === '%c') return clientId;
  return level === '%u' && username !== undefined ? username : level;
}
