import { lazily } from '@tsmqtt/protocol';
import type { LocalTime } from './local-time.js';

const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const;
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const;

function zeros(value: number, width: number): string {
  return String(value).padStart(width, '0');
}

function blanks(value: number): string {
  return String(value).padStart(2);
}

const two = (value: number) => zeros(value, 2);

/** 12, 1, ..., 11. */
function hour12({ hour }: LocalTime): number {
  return hour % 12 || 12;
}

function weekday(time: LocalTime): string {
  return WEEKDAYS[time.weekday]!;
}

function month(time: LocalTime): string {
  return MONTHS[time.month]!;
}

/** Week of the year where weeks start on `first` (0 is Sunday); days before the first one are week 0. */
function week(time: LocalTime, first: 0 | 1): number {
  return Math.floor((time.yearDay + 7 - ((time.weekday + 7 - first) % 7)) / 7);
}

/** Year and week by ISO 8601: weeks start on Monday and belong to the year that their Thursday lies in. */
function isoWeek(time: LocalTime): { readonly year: number; readonly week: number } {
  const thursday = time.day + 3 - ((time.weekday + 6) % 7);
  const date = new Date(Date.UTC(time.year, time.month, thursday));
  const year = date.getUTCFullYear();
  return { year, week: 1 + Math.floor((date.getTime() - Date.UTC(year, 0, 1)) / (7 * 86_400_000)) };
}

/** `+hhmm`: the distance of local time from UTC. */
export function zoneOffset({ offset }: LocalTime): string {
  const minutes = Math.trunc(Math.abs(offset) / 60);
  return `${offset < 0 ? '-' : '+'}${two(Math.trunc(minutes / 60))}${two(minutes % 60)}`;
}

export function isoDate(time: LocalTime): string {
  return `${time.year}-${two(time.month + 1)}-${two(time.day)}`;
}

export function clockTime(time: LocalTime): string {
  return `${two(time.hour)}:${two(time.minute)}:${two(time.second)}`;
}

function americanDate(time: LocalTime): string {
  return `${two(time.month + 1)}/${two(time.day)}/${two(time.year % 100)}`;
}

/** Prints a part of a date or time. */
export type PrintTime = (time: LocalTime) => string;

/** What each letter prints in the C locale (strftime(3)), and `N`, which only `-F` has (cli §14.5). */
// biome-ignore format: one letter a line
export const strftimeTable = lazily((): Readonly<Record<string, PrintTime>> => ({
  a: (time) => weekday(time).slice(0, 3),
  A: weekday,
  b: (time) => month(time).slice(0, 3),
  B: month,
  c: (time) => `${weekday(time).slice(0, 3)} ${month(time).slice(0, 3)} ${blanks(time.day)} ${clockTime(time)} ${time.year}`,
  C: ({ year }) => two(Math.floor(year / 100)),
  d: ({ day }) => two(day),
  D: americanDate,
  e: ({ day }) => blanks(day),
  F: isoDate,
  g: (time) => two(isoWeek(time).year % 100),
  G: (time) => String(isoWeek(time).year),
  h: (time) => month(time).slice(0, 3),
  H: ({ hour }) => two(hour),
  I: (time) => two(hour12(time)),
  j: ({ yearDay }) => zeros(yearDay + 1, 3),
  k: ({ hour }) => blanks(hour),
  l: (time) => blanks(hour12(time)),
  m: (time) => two(time.month + 1),
  M: ({ minute }) => two(minute),
  n: () => '\n',
  N: ({ nanoseconds }) => zeros(nanoseconds, 9),
  p: ({ hour }) => (hour < 12 ? 'AM' : 'PM'),
  P: ({ hour }) => (hour < 12 ? 'am' : 'pm'),
  r: (time) => `${two(hour12(time))}:${two(time.minute)}:${two(time.second)} ${time.hour < 12 ? 'AM' : 'PM'}`,
  R: ({ hour, minute }) => `${two(hour)}:${two(minute)}`,
  s: ({ seconds }) => String(seconds),
  S: ({ second }) => two(second),
  t: () => '\t',
  T: clockTime,
  u: (time) => String(time.weekday || 7),
  U: (time) => two(week(time, 0)),
  V: (time) => two(isoWeek(time).week),
  w: (time) => String(time.weekday),
  W: (time) => two(week(time, 1)),
  x: americanDate,
  X: clockTime,
  y: ({ year }) => two(year % 100),
  Y: ({ year }) => String(year),
  z: zoneOffset,
  Z: ({ abbreviation }) => abbreviation,
  '%': () => '%',
}));
