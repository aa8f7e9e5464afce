import { NO_PROPERTIES } from '@tsmqtt/protocol';
import type { Engine } from '../engine.js';
import { composeFrame, Message } from '../routing/message.js';
import { Loads } from './load-average.js';
import type { SysRow } from './sys-row.js';
import { SYS_ROWS } from './sys-table.js';
import { SysValues } from './sys-values.js';

const PREFIX = '$SYS/broker/';
/** A load is published again when it has changed by this much (broker §7). */
const LEAST_CHANGE = 0.01;

/** Publishes what the table says below `$SYS/broker/`, retained, every `sys_interval` seconds (broker §7). */
export class SysTree {
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** The heap when it was looked at last, in bytes, and its peak. */
  heap = 0;
  heapMaximum = 0;
  readonly #engine: Engine;
  readonly #loads = new Map<SysRow, Loads>();
  /** What stands in each topic. */
  readonly #published = new Map<string, string | number>();
  /** When was looked last, and when was published last, in milliseconds since 1970; undefined: never. */
  #lookedAt: number | undefined;
  #publishedAt: number | undefined;
  #readings = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.startedAt = engine.clock.now();
  }

  /** Once a second, and at the start: publishes where the time of day reaches a multiple of the interval. */
  sweep(now: number): void {
    const interval = this.#engine.settings.sysInterval * 1000;
    if (interval === 0) {
      this.#clear();
      return;
    }
    const before = this.#lookedAt;
    this.#lookedAt = now;
    // A second that was slept through is made up for.
    if (before === undefined || Math.floor(now / interval) > Math.floor(before / interval))
      this.#publish(now);
  }

  /** The state at this moment, for the rows of the table. */
  values(now: number): SysValues {
    const values = new SysValues(this.#engine, now, ++this.#readings);
    this.heap = values.heap;
    this.heapMaximum = Math.max(this.heapMaximum, this.heap);
    return values;
  }

  #publish(now: number): void {
    const values = this.values(now);
    const elapsed = this.#publishedAt === undefined ? 0 : (now - this.#publishedAt) / 1000;
    this.#publishedAt = now;
    for (const row of SYS_ROWS) {
      if (row.kind === 'load') this.#publishLoad(row, row.read(values) as number, elapsed);
      else this.#publishValue(row, row.read(values));
    }
  }

  #publishValue(row: SysRow, value: number | string | undefined): void {
    if (value === undefined) return;
    const text = row.unit === undefined ? String(value) : `${value} ${row.unit}`;
    for (const topic of row.topics) {
      if (this.#published.get(topic) !== text) this.#send(topic, text, text);
    }
  }

  #publishLoad(row: SysRow, total: number, elapsed: number): void {
    let loads = this.#loads.get(row);
    if (loads === undefined) {
      loads = new Loads();
      this.#loads.set(row, loads);
    }
    if (elapsed > 0) loads.update(total, elapsed);
    for (const { topic, average } of loads.averages) {
      const name = `${row.topics[0]}/${topic}`;
      const { value } = average;
      const before = this.#published.get(name) as number | undefined;
      if (before === undefined || Math.abs(before - value) >= LEAST_CHANGE)
        this.#send(name, value, value.toFixed(2));
    }
  }

  #send(topic: string, value: string | number, text: string): void {
    this.#published.set(topic, value);
    const name = PREFIX + topic;
    const frame = composeFrame(name, Buffer.from(text), 2, true, NO_PROPERTIES, 5);
    this.#engine.router.publish(new Message(name, frame, Number.POSITIVE_INFINITY), undefined);
  }

  /** `sys_interval 0`: no value is left standing that nobody keeps up to date. */
  #clear(): void {
    this.#lookedAt = undefined;
    for (const topic of this.#published.keys()) this.#engine.retained.clear(PREFIX + topic);
    this.#published.clear();
  }
}
