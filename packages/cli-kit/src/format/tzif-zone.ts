import { posixZone } from './posix-zone.js';
import type { TimeZone, ZonePeriod } from './time-zone.js';

const HEADER_BYTES = 44;
const MAGIC = 'TZif';

/** The six counts of a TZif header (RFC 9636, 3.1). */
interface Counts {
  readonly utIndicators: number;
  readonly standardIndicators: number;
  readonly leapSeconds: number;
  readonly transitions: number;
  readonly types: number;
  readonly characters: number;
}

/**
 * Reads a TZif file (RFC 9636). Undefined where `file` is not one.
 *
 *     header(44) data with 32-bit times  header(44) data with 64-bit times  LF POSIX-zone LF
 *     data = times, type of each, types(offset 4, summer 1, name 1), names, leap seconds, indicators
 */
export function tzifZone(file: Buffer): TimeZone | undefined {
  try {
    const first = counts(file, 0);
    if (first === undefined) return undefined;
    // Version 1 has 32-bit times only; what comes behind them in later versions replaces them.
    if (file[4] === 0) return zone(file, HEADER_BYTES, first, 4, '');
    const secondHeader = HEADER_BYTES + dataBytes(first, 4);
    const second = counts(file, secondHeader);
    if (second === undefined) return undefined;
    const data = secondHeader + HEADER_BYTES;
    const footer = file.toString('latin1', data + dataBytes(second, 8)).split('\n')[1] ?? '';
    return zone(file, data, second, 8, footer);
  } catch (error) {
    // Shorter than its header says.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function counts(file: Buffer, at: number): Counts | undefined {
  if (file.toString('latin1', at, at + MAGIC.length) !== MAGIC) return undefined;
  const count = (index: number) => file.readUInt32BE(at + 20 + index * 4);
  const found = {
    utIndicators: count(0),
    standardIndicators: count(1),
    leapSeconds: count(2),
    transitions: count(3),
    types: count(4),
    characters: count(5),
  };
  return found.types === 0 ? undefined : found;
}

function dataBytes(count: Counts, timeBytes: 4 | 8): number {
  return (
    count.transitions * (timeBytes + 1) +
    count.types * 6 +
    count.characters +
    count.leapSeconds * (timeBytes + 4) +
    count.standardIndicators +
    count.utIndicators
  );
}

function zone(file: Buffer, data: number, count: Counts, timeBytes: 4 | 8, footer: string): TimeZone {
  const typeOfEach = data + count.transitions * timeBytes;
  const types = typeOfEach + count.transitions;
  const names = types + count.types * 6;
  const type = (index: number): Pick<ZonePeriod, 'offset' | 'abbreviation'> => {
    const at = types + index * 6;
    const name = names + file.readUInt8(at + 5);
    return {
      offset: file.readInt32BE(at),
      abbreviation: file.toString('latin1', name, file.indexOf(0, name)),
    };
  };
  const periods: ZonePeriod[] = [];
  let from = Number.NEGATIVE_INFINITY;
  let holds = type(0);
  for (let index = 0; index < count.transitions; index++) {
    const at = data + index * timeBytes;
    const until = timeBytes === 4 ? file.readInt32BE(at) : Number(file.readBigInt64BE(at));
    periods.push({ from, until, ...holds });
    from = until;
    holds = type(file.readUInt8(typeOfEach + index));
  }
  const last = { from, until: Number.POSITIVE_INFINITY, ...holds };
  // What holds behind the last change, for ever.
  const rest = footer === '' ? undefined : posixZone(footer);
  return {
    at: (seconds) => {
      if (seconds < last.from) return find(periods, seconds);
      const period = rest?.at(seconds);
      return period === undefined ? last : { ...period, from: Math.max(period.from, last.from) };
    },
  };
}

/** The period among adjoining ones that `seconds` lies in. */
function find(periods: readonly ZonePeriod[], seconds: number): ZonePeriod {
  let low = 0;
  let high = periods.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (periods[middle]!.until > seconds) high = middle;
    else low = middle + 1;
  }
  return periods[low]!;
}
