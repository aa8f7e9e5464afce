import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { strftime } from './strftime.js';

// Local time is what the format means, so the zone is fixed for this file.
const zone = process.env.TZ;
beforeAll(() => {
  process.env.TZ = 'Asia/Kolkata';
});
afterAll(() => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

/** 2026-03-05 00:04:09.500 there; a Thursday, day 64. */
const early = new Date(1772649249500);
/** 2024-12-31 23:59:59 there, day 366. */
const late = new Date(1735669799000);

// What GNU date prints with LC_ALL=C.
const cases: readonly (readonly [format: string, early: string, late: string])[] = [
  ['%Y', '2026', '2024'],
  ['%m', '03', '12'],
  ['%d', '05', '31'],
  ['%H', '00', '23'],
  ['%M', '04', '59'],
  ['%S', '09', '59'],
  ['%F', '2026-03-05', '2024-12-31'],
  ['%T', '00:04:09', '23:59:59'],
  ['%z', '+0530', '+0530'],
  ['%a', 'Thu', 'Tue'],
  ['%A', 'Thursday', 'Tuesday'],
  ['%b', 'Mar', 'Dec'],
  ['%B', 'March', 'December'],
  ['%h', 'Mar', 'Dec'],
  ['%e', ' 5', '31'],
  ['%j', '064', '366'],
  ['%p', 'AM', 'PM'],
  ['%I', '12', '11'],
  ['%y', '26', '24'],
  ['%s', '1772649249', '1735669799'],
  ['%n', '\n', '\n'],
  ['%t', '\t', '\t'],
  ['%%', '%', '%'],
  ['%c', 'Thu Mar  5 00:04:09 2026', 'Tue Dec 31 23:59:59 2024'],
  ['%D', '03/05/26', '12/31/24'],
  ['%R', '00:04', '23:59'],
  ['%u', '4', '2'],
  ['%w', '4', '2'],
  ['%k', ' 0', '23'],
  ['%l', '12', '11'],
  ['%x', '03/05/26', '12/31/24'],
  ['%X', '00:04:09', '23:59:59'],
  ['%Y-%m-%dT%H:%M:%S%z', '2026-03-05T00:04:09+0530', '2024-12-31T23:59:59+0530'],
  ['100%% %Q %', '100% %Q %', '100% %Q %'],
];

describe('strftime (contract broker §5)', () => {
  it.each(cases)('%j', (format, first, second) => {
    expect([strftime(format, early), strftime(format, late)]).toEqual([first, second]);
  });

  it('%Z names the zone', () => {
    expect(strftime('%Z', early)).toMatch(/^(IST|GMT\+5:30)$/);
  });

  it.each([
    ['America/St_Johns', '-0330'],
    ['UTC', '+0000'],
  ])('%%z in %s', (name, offset) => {
    process.env.TZ = name;
    expect(strftime('%z', early)).toBe(offset);
    process.env.TZ = 'Asia/Kolkata';
  });
});
