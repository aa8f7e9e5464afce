import type { Engine } from '../engine.js';
import type { Answer } from './answer.js';
import { ROUTES } from './api-routes.js';

/** An answer is given again for this many milliseconds. */
const FRESH = 1000;

/**
 * The broker's own answers. Counting what is stored walks all sessions, so no matter how often somebody asks, it is done
 * once a second.
 */
export class RecentAnswers {
  readonly #engine: Engine;
  readonly #answers = new Map<string, { readonly answer: Answer; readonly until: number }>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Undefined: the path is none of the broker's own. */
  get(path: string): Answer | undefined {
    if (!Object.hasOwn(ROUTES, path)) return undefined;
    const now = this.#engine.clock.now();
    const recent = this.#answers.get(path);
    if (recent !== undefined && now < recent.until) return recent.answer;
    const answer = ROUTES[path]?.(this.#engine);
    if (answer !== undefined) this.#answers.set(path, { answer, until: now + FRESH });
    return answer;
  }
}
