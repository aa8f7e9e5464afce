/** What holds in a zone between two changes of its clocks. */
export interface ZonePeriod {
  /** Seconds since 1970: [from, until). */
  readonly from: number;
  readonly until: number;
  /** Seconds to add to UTC, positive in the east. */
  readonly offset: number;
  /** `CET`, `CEST`, `+0330`. */
  readonly abbreviation: string;
}

export interface TimeZone {
  /** The period that holds at `seconds` since 1970. */
  at(seconds: number): ZonePeriod;
}

/** A zone whose clocks never change. */
export function fixedZone(offset: number, abbreviation: string): TimeZone {
  const period = {
    from: Number.NEGATIVE_INFINITY,
    until: Number.POSITIVE_INFINITY,
    offset,
    abbreviation,
  };
  return { at: () => period };
}

export const UTC: TimeZone = fixedZone(0, 'UTC');
