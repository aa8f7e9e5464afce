import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { localZone } from '../packages/cli-kit/src/format/local-zone.js';
import { clockOf, formatted, publish } from '../packages/cli-kit/test/formatted.js';

/**
 * Every letter of cli §14.5 that prints on one line, but `s`: C makes it of the local time, which may mean two moments
 * where clocks were put back.
 */
const LETTERS = [...'aAbBcCdDeFgGhHIjklmMNpPrRSTuUVwWxXyYzZ'];
const SEPARATOR = '|';

const ZONES = [
  'UTC',
  '',
  ':Europe/Berlin',
  'Europe/Berlin',
  'Europe/Dublin',
  'Europe/Lisbon',
  'Europe/London',
  'Africa/Casablanca',
  'Africa/Monrovia',
  'America/New_York',
  'America/St_Johns',
  'America/Caracas',
  'America/Godthab',
  'America/Sao_Paulo',
  'Antarctica/Troll',
  'Asia/Gaza',
  'Asia/Kathmandu',
  'Asia/Pyongyang',
  'Asia/Tokyo',
  'Australia/Lord_Howe',
  'Australia/Sydney',
  'Pacific/Apia',
  'Pacific/Chatham',
  'Pacific/Kiritimati',
  'Etc/GMT+12',
  'EST5EDT',
  'EST5EDT4,M3.2.0/2,M11.1.0/2',
  'CET-1CEST,M3.5.0,M10.5.0/3',
  '<+0545>-5:45',
  '<-03>3<-02>,M3.5.0/-2,M10.5.0/-1',
  'XYZ4:30:15',
  'ABC-3DEF,J60/0,J300/24',
  'ABC-3DEF,59,299/1:30',
  'No/Such_Zone',
  'X',
  '/usr/share/zoneinfo/Asia/Tokyo',
];

/** Moments from 1970 to 2100: ends of years and months, changes of clocks, and many in between. */
function moments(): number[] {
  const found: number[] = [];
  for (let year = 1970; year < 2100; year++) {
    const newYear = Date.UTC(year, 0, 1) / 1000;
    found.push(newYear - 1, newYear, newYear + (year % 7) * 86_400, newYear + 59 * 86_400 + 3599);
    // Not a divisor of a year: all weekdays, hours and days of the year come up.
    for (let step = 0; step < 6; step++) found.push(newYear + step * 5_243_977 + year * 37);
  }
  for (const change of [1_774_746_000, 1_792_890_000, 1_773_039_600, 1_793_595_600, 4_097_329_200]) {
    found.push(change - 1, change, change + 1);
  }
  return found.filter((moment) => moment >= 0);
}

const hasDate = existsSync('/usr/share/zoneinfo/Europe/Berlin') && isGnuDate();

function isGnuDate(): boolean {
  try {
    return execFileSync('date', ['--version'], { encoding: 'utf8' }).includes('GNU coreutils');
  } catch {
    return false;
  }
}

describe.skipIf(!hasDate)('local time is what the C library makes of it (cli §14.5, P-28)', () => {
  test.each(ZONES)('TZ=%s', (zone) => {
    const seconds = moments();
    const expected = execFileSync(
      'date',
      ['-f', '-', `+${LETTERS.map((letter) => `%${letter}`).join(SEPARATOR)}`],
      {
        env: { ...process.env, TZ: zone, LC_ALL: 'C' },
        input: seconds.map((moment) => `@${moment}\n`).join(''),
        encoding: 'utf8',
        maxBuffer: 64 * 1024 * 1024,
      },
    );
    const { out } = formatted(
      LETTERS.map((letter) => `@${letter}`).join(SEPARATOR),
      seconds.map(() => publish()),
      {
        clock: clockOf(...seconds.map((moment) => BigInt(moment) * 1_000_000_000n)),
        timeZone: () => localZone({ TZ: zone }),
        lineEnd: true,
      },
    );
    // date(1) has its own idea of the sign where an abbreviation begins with one; C's strftime has not.
    const lines = expected.replaceAll('-0000', '+0000').split('\n');
    const wrong = out
      .toString()
      .split('\n')
      .map((ours, index) => ({ ours, date: lines[index] }))
      .filter(({ ours, date }) => ours !== date);
    expect({ wrong: wrong.slice(0, 5), lines: lines.length }).toEqual({
      wrong: [],
      lines: seconds.length + 1,
    });
  });
});
