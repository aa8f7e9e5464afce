import type { TimeZone } from './time-zone.js';

/** Clocks change at whole quarters of an hour everywhere. */
const QUARTER = 900;

/**
 * A zone as the runtime's own tables know it, for systems without zone files: names are like `GMT+1` there.
 * `name` undefined: the runtime's default zone. Undefined where the runtime does not know it.
 */
export function intlZone(name: string | undefined): TimeZone | undefined {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', {
      ...(name === undefined ? {} : { timeZone: name }),
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
      timeZoneName: 'short',
    });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
  return {
    at: (seconds) => {
      const from = Math.floor(seconds / QUARTER) * QUARTER;
      const parts = new Map(format.formatToParts(from * 1000).map(({ type, value }) => [type, value]));
      const field = (type: Intl.DateTimeFormatPartTypes) => Number(parts.get(type));
      const local = Date.UTC(
        field('year'),
        field('month') - 1,
        field('day'),
        field('hour'),
        field('minute'),
        field('second'),
      );
      return {
        from,
        until: from + QUARTER,
        offset: local / 1000 - from,
        abbreviation: parts.get('timeZoneName') ?? '',
      };
    },
  };
}
