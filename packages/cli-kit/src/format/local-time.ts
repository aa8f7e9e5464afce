import type { TimeZone, ZonePeriod } from './time-zone.js';

const NO_PERIOD: ZonePeriod = { from: 0, until: 0, offset: 0, abbreviation: '' };

/** A moment as local time, broken down like C's `struct tm`. Calculates only when the second changes. */
export class LocalTime {
  readonly #zone: TimeZone;
  #period = NO_PERIOD;
  seconds = Number.NaN;
  nanoseconds = 0;
  year = 0;
  /** 0 to 11. */
  month = 0;
  day = 0;
  hour = 0;
  minute = 0;
  second = 0;
  /** 0 is Sunday. */
  weekday = 0;
  /** 0 to 365. */
  yearDay = 0;

  constructor(zone: TimeZone) {
    this.#zone = zone;
  }

  /** Seconds to add to UTC. */
  get offset(): number {
    return this.#period.offset;
  }

  get abbreviation(): string {
    return this.#period.abbreviation;
  }

  /** Goes to a moment. True where it lies in another second than the one before. */
  set(seconds: number, nanoseconds: number): boolean {
    this.nanoseconds = nanoseconds;
    if (seconds === this.seconds) return false;
    this.seconds = seconds;
    if (seconds < this.#period.from || seconds >= this.#period.until) this.#period = this.#zone.at(seconds);
    const local = new Date((seconds + this.#period.offset) * 1000);
    this.year = local.getUTCFullYear();
    this.month = local.getUTCMonth();
    this.day = local.getUTCDate();
    this.hour = local.getUTCHours();
    this.minute = local.getUTCMinutes();
    this.second = local.getUTCSeconds();
    this.weekday = local.getUTCDay();
    this.yearDay = Math.round(
      (Date.UTC(this.year, this.month, this.day) - Date.UTC(this.year, 0, 1)) / 86_400_000,
    );
    return true;
  }
}
