import { fixedZone, type TimeZone, type ZonePeriod } from './time-zone.js';

const DAY = 86_400;
/** Used where a zone has summer time and does not say when, as the C library does (America's since 2007). */
const DEFAULT_RULES = ',M3.2.0,M11.1.0';
const DEFAULT_CHANGE_TIME = 7200;

const NAME = '[A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>';
const OFFSET = '[+-]?\\d{1,3}(?::\\d{1,2}(?::\\d{1,2})?)?';
const ZONE = new RegExp(`^(${NAME})(${OFFSET})(?:(${NAME})(${OFFSET})?)?`);
const RULE = new RegExp(`^,(?:M(\\d+)\\.(\\d)\\.(\\d)|J(\\d+)|(\\d+))(?:/(${OFFSET}))?`);

/** When clocks change in a year: seconds since 1970 as local time before the change. */
type ChangeRule = (year: number) => number;

/**
 * A zone as POSIX spells it in TZ and RFC 9636 at the end of a TZif file: `CET-1CEST,M3.5.0,M10.5.0/3`.
 * Undefined where `text` is not one.
 */
export function posixZone(text: string): TimeZone | undefined {
  const found = ZONE.exec(text);
  if (found === null) return undefined;
  const [all, standardName, standardOffset, summerName, summerOffset] = found;
  // POSIX counts hours to the west.
  const standard = { offset: 0 - seconds(standardOffset!), abbreviation: plain(standardName!) };
  if (summerName === undefined) return fixedZone(standard.offset, standard.abbreviation);
  const summer = {
    offset: summerOffset === undefined ? standard.offset + 3600 : 0 - seconds(summerOffset),
    abbreviation: plain(summerName),
  };
  const rules = text.slice(all.length) || DEFAULT_RULES;
  const start = changeRule(rules);
  const end = start && changeRule(rules.slice(start.length));
  if (start === undefined || end === undefined) return fixedZone(standard.offset, standard.abbreviation);
  return { at: (time) => period(time, standard, summer, start.rule, end.rule) };
}

type Clocks = Pick<ZonePeriod, 'offset' | 'abbreviation'>;

function period(
  time: number,
  standard: Clocks,
  summer: Clocks,
  start: ChangeRule,
  end: ChangeRule,
): ZonePeriod {
  const year = new Date((time + standard.offset) * 1000).getUTCFullYear();
  // The changes around `time`: a year either side, because the one before may lie in the year before.
  const changes = [year - 1, year, year + 1]
    .flatMap((each) => [
      { at: start(each) - standard.offset, to: summer },
      { at: end(each) - summer.offset, to: standard },
    ])
    .sort((a, b) => a.at - b.at);
  const next = changes.findIndex((change) => change.at > time);
  const { at, to } = changes[next - 1]!;
  return { from: at, until: changes[next]!.at, ...to };
}

function changeRule(text: string): { readonly rule: ChangeRule; readonly length: number } | undefined {
  const found = RULE.exec(text);
  if (found === null) return undefined;
  const [all, month, week, weekday, julian, day, time] = found;
  const ofDay = time === undefined ? DEFAULT_CHANGE_TIME : seconds(time);
  const { length } = all;
  if (julian !== undefined) {
    // Jn counts 1 to 365 and leaves 29 February out.
    return {
      rule: (year) => yearDay(year, Number(julian) - 1 + leapDay(year, Number(julian))) + ofDay,
      length,
    };
  }
  if (day !== undefined) return { rule: (year) => yearDay(year, Number(day)) + ofDay, length };
  const inRange = Number(month) >= 1 && Number(month) <= 12 && Number(week) >= 1 && Number(week) <= 5;
  if (!inRange || Number(weekday) > 6) return undefined;
  return { rule: (year) => monthDay(year, Number(month), Number(week), Number(weekday)) + ofDay, length };
}

/** Start of a day of the year, counted from 0. */
function yearDay(year: number, day: number): number {
  return Date.UTC(year, 0, 1) / 1000 + day * DAY;
}

/** 1 where 29 February stands before the day `julian` (1 to 365, 60 is 1 March). */
function leapDay(year: number, julian: number): number {
  return julian >= 60 && new Date(Date.UTC(year, 1, 29)).getUTCMonth() === 1 ? 1 : 0;
}

/** Start of the `week`th `weekday` (0 is Sunday) of a month; week 5 is the last. */
function monthDay(year: number, month: number, week: number, weekday: number): number {
  const first = new Date(Date.UTC(year, month - 1, 1)).getUTCDay();
  const days = new Date(Date.UTC(year, month, 0)).getUTCDate();
  let day = 1 + ((weekday - first + 7) % 7) + (week - 1) * 7;
  while (day > days) day -= 7;
  return Date.UTC(year, month - 1, day) / 1000;
}

/** `[+-]hh[:mm[:ss]]` in seconds. */
function seconds(text: string): number {
  const [hours = 0, minutes = 0, rest = 0] = text.replace(/^[+-]/, '').split(':').map(Number);
  const sum = hours * 3600 + minutes * 60 + rest;
  return text.startsWith('-') ? -sum : sum;
}

function plain(name: string): string {
  return name.replace(/[<>]/g, '');
}
