import { describe, expect, it } from 'vitest';
import { LOOKS, TRY_AGAIN, Vigil } from './vigil.js';

/** A vigil in an event loop that the test turns. */
class Scene {
  answered = false;
  readonly #calls: (() => void)[] = [];
  readonly vigil = new Vigil(
    (call) => this.#calls.push(call),
    () => this.answered,
  );

  /** Flushes, and answers how many turns it stays awake; the answer comes in that turn. */
  flush(answerIn = Number.POSITIVE_INFINITY): number {
    this.answered = false;
    this.vigil.begin();
    let turns = 0;
    for (let call = this.#calls.shift(); call !== undefined; call = this.#calls.shift()) {
      turns++;
      this.answered = turns >= answerIn;
      call();
    }
    return turns;
  }

  flushes(count: number, answerIn?: number): number[] {
    return Array.from({ length: count }, () => this.flush(answerIn));
  }
}

describe('how long the event loop stays awake after output has left', () => {
  it('not at all at first, and once in a while where nobody answers soon', () => {
    const scene = new Scene();
    const turns = scene.flushes(3 * TRY_AGAIN);
    expect(turns.filter((count) => count > 0)).toEqual([LOOKS, LOOKS, LOOKS]);
    expect(turns.indexOf(LOOKS)).toBe(TRY_AGAIN - 1);
  });

  it('until the answer, each time, where it comes soon', () => {
    const scene = new Scene();
    scene.flushes(TRY_AGAIN - 1, 3);
    expect(scene.flushes(10, 3)).toEqual(Array(10).fill(3));
  });

  it('a few times in vain, and then no more', () => {
    const scene = new Scene();
    scene.flushes(TRY_AGAIN + 10, 3);
    expect(scene.flushes(6)).toEqual([LOOKS, LOOKS, LOOKS, LOOKS, 0, 0]);
  });

  it('goes on where an answer is late now and then', () => {
    const scene = new Scene();
    scene.flushes(TRY_AGAIN + 10, 3);
    scene.flush();
    expect(scene.flush(2)).toBe(2);
  });

  it('counts the flushes of a vigil as one', () => {
    const scene = new Scene();
    scene.flushes(TRY_AGAIN - 1);
    scene.vigil.begin();
    scene.vigil.begin();
    expect(scene.flush()).toBe(LOOKS);
  });
});
