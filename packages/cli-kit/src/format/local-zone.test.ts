import { describe, expect, test } from 'vitest';
import { intlZone } from './intl-zone.js';
import { localZone } from './local-zone.js';
import { posixZone } from './posix-zone.js';
import { tzifZone } from './tzif-zone.js';

interface Clocks {
  readonly offset: number;
  readonly abbreviation: string;
}

interface ZoneFile {
  readonly version: 1 | 2;
  readonly types: readonly Clocks[];
  readonly transitions: readonly (readonly [at: number, type: number])[];
  readonly footer?: string;
}

/** One header with its data (RFC 9636, 3). */
function block({ version, types, transitions }: ZoneFile, timeBytes: 4 | 8): Buffer {
  const names = Buffer.from(types.map(({ abbreviation }) => `${abbreviation}\0`).join(''));
  const header = Buffer.alloc(44);
  header.write('TZif');
  header[4] = version === 1 ? 0 : 0x32;
  [0, 0, 0, transitions.length, types.length, names.length].forEach((count, index) => {
    header.writeUInt32BE(count, 20 + index * 4);
  });
  const times = transitions.map(([at]) => {
    const bytes = Buffer.alloc(timeBytes);
    if (timeBytes === 4) bytes.writeInt32BE(at);
    else bytes.writeBigInt64BE(BigInt(at));
    return bytes;
  });
  let name = 0;
  const records = types.map(({ offset, abbreviation }) => {
    const bytes = Buffer.alloc(6);
    bytes.writeInt32BE(offset);
    bytes[5] = name;
    name += abbreviation.length + 1;
    return bytes;
  });
  return Buffer.concat([
    header,
    ...times,
    Buffer.from(transitions.map(([, type]) => type)),
    ...records,
    names,
  ]);
}

function zoneFile(zone: ZoneFile): Buffer {
  if (zone.version === 1) return block(zone, 4);
  // What 32 bits hold is not looked at where there is more.
  const first = block({ ...zone, types: [{ offset: 1, abbreviation: 'OLD' }], transitions: [] }, 4);
  return Buffer.concat([first, block(zone, 8), Buffer.from(`\n${zone.footer ?? ''}\n`)]);
}

const TYPES = [
  { offset: 3208, abbreviation: 'LMT' },
  { offset: 3600, abbreviation: 'CET' },
  { offset: 7200, abbreviation: 'CEST' },
];
const SUMMER_2026 = 1_774_746_000;
const WINTER_2026 = 1_792_890_000;
const CENTRAL_EUROPE: ZoneFile = {
  version: 2,
  types: TYPES,
  transitions: [
    [-2_422_054_408, 1],
    [SUMMER_2026, 2],
    [WINTER_2026, 1],
  ],
  footer: 'CET-1CEST,M3.5.0,M10.5.0/3',
};

describe('zone files', () => {
  const zone = tzifZone(zoneFile(CENTRAL_EUROPE))!;

  test.each([
    [-2_422_054_409, 'LMT'],
    [-2_422_054_408, 'CET'],
    [0, 'CET'],
    [SUMMER_2026 - 1, 'CET'],
    [SUMMER_2026, 'CEST'],
    [WINTER_2026 - 1, 'CEST'],
    [WINTER_2026, 'CET'],
    // Beyond the last change: 2027-03-28 and 2027-10-31, 01:00 UTC, by the rules at the end.
    [1_806_195_599, 'CET'],
    [1_806_195_600, 'CEST'],
    [1_824_944_399, 'CEST'],
    [1_824_944_400, 'CET'],
  ])('at %i it is %s', (seconds, abbreviation) => {
    const period = zone.at(seconds);
    expect(period).toMatchObject(TYPES.find((type) => type.abbreviation === abbreviation)!);
    expect(period.from).toBeLessThanOrEqual(seconds);
    expect(period.until).toBeGreaterThan(seconds);
  });

  test('without rules at the end the last period goes on', () => {
    const { footer: _, ...unending } = CENTRAL_EUROPE;
    expect(tzifZone(zoneFile(unending))!.at(9_000_000_000)).toMatchObject({ abbreviation: 'CET' });
  });

  test('version 1 has times of 32 bits', () => {
    const old = tzifZone(
      zoneFile({
        version: 1,
        types: TYPES.slice(1),
        transitions: [
          [1000, 1],
          [2000, 0],
        ],
      }),
    )!;
    expect([999, 1000, 1999, 2000].map((seconds) => old.at(seconds).abbreviation)).toEqual([
      'CET',
      'CEST',
      'CEST',
      'CET',
    ]);
  });

  test('a file that is cut anywhere is no zone, or one without its end', () => {
    const file = zoneFile(CENTRAL_EUROPE);
    const withoutFooter = file.length - '\nCET-1CEST,M3.5.0,M10.5.0/3\n'.length;
    // The last abbreviation is not looked at before it is needed.
    for (let length = 0; length < withoutFooter - 'CEST\0'.length; length++) {
      expect(tzifZone(file.subarray(0, length)) === undefined || length >= file.length - 60).toBe(true);
    }
    expect(tzifZone(Buffer.from('#!/bin/sh'))).toBeUndefined();
  });
});

describe('POSIX zones', () => {
  test.each<[string, number, number, string]>([
    ['UTC0', 0, 0, 'UTC'],
    ['EST5', 0, -18_000, 'EST'],
    ['<+0330>-3:30', 0, 12_600, '+0330'],
    ['<-03>3', 0, -10_800, '-03'],
    // 2026-07-01 and 2026-01-01
    ['NZST-12NZDT,M9.5.0,M4.1.0/3', 1_782_864_000, 43_200, 'NZST'],
    ['NZST-12NZDT,M9.5.0,M4.1.0/3', 1_767_225_600, 46_800, 'NZDT'],
    ['EST5EDT', 1_782_864_000, -14_400, 'EDT'],
    ['IST-1GMT0,M10.5.0,M3.5.0/1', 1_767_225_600, 0, 'GMT'],
    ['ABC5DEF,J60,J300', 1_782_864_000, -14_400, 'DEF'],
    ['ABC5DEF,0/0,J365/25', 1_782_864_000, -14_400, 'DEF'],
    ['<-02>2<-01>,M3.5.0/-1,M10.5.0/0', 1_782_864_000, -3600, '-01'],
  ])('%s at %i', (text, seconds, offset, abbreviation) => {
    expect(posixZone(text)!.at(seconds)).toMatchObject({ offset, abbreviation });
  });

  test.each(['', 'A5', 'CET', 'Europe/Berlin', '5', '<+1', ':UTC'])('%j is none', (text) => {
    expect(posixZone(text)).toBeUndefined();
  });
});

describe('the zone of TZ', () => {
  const file = zoneFile(CENTRAL_EUROPE);
  const files: Record<string, Buffer> = {
    '/usr/share/zoneinfo/Europe/Berlin': file,
    '/usr/share/zoneinfo/UTC': file,
    '/etc/localtime': file,
    '/other/Zone': file,
    '/usr/share/zoneinfo/broken': Buffer.from('TZif'),
  };
  const read = (name: string) => files[name];

  test.each<[Record<string, string>, string]>([
    [{ TZ: 'Europe/Berlin' }, 'CET'],
    [{ TZ: ':Europe/Berlin' }, 'CET'],
    [{}, 'CET'],
    [{ TZ: '/other/Zone' }, 'CET'],
    [{ TZ: 'Zone', TZDIR: '/other' }, 'CET'],
    [{ TZ: '' }, 'UTC'],
    [{ TZ: ':' }, 'UTC'],
    [{ TZ: 'EST5' }, 'EST'],
    // What the C library prints for zones it does not find.
    [{ TZ: 'Asia/Tokyo' }, 'Asia'],
    [{ TZ: 'Fo' }, ''],
    [{ TZ: 'broken' }, 'broken'],
  ])('%j', (env, abbreviation) => {
    expect(localZone(env, read).at(0).abbreviation).toBe(abbreviation);
  });

  test('without zone files the runtime is asked', () => {
    const none = () => undefined;
    expect(localZone({ TZ: 'Asia/Tokyo' }, none).at(0)).toMatchObject({ offset: 32_400 });
    expect(localZone({ TZ: 'No/Such' }, none).at(0)).toMatchObject({ offset: 0, abbreviation: '' });
    expect(localZone({}, none).at(0)).toMatchObject(intlZone(undefined)!.at(0));
  });
});

test.each([
  ['America/New_York', SUMMER_2026, -14_400, 'EDT'],
  ['Asia/Kathmandu', 0, 19_800, 'GMT+5:30'],
  ['Europe/Berlin', SUMMER_2026 - 1, 3600, 'GMT+1'],
  ['Europe/Berlin', SUMMER_2026, 7200, 'GMT+2'],
  ['UTC', -1, 0, 'UTC'],
])('the runtime knows %s at %i', (name, seconds, offset, abbreviation) => {
  const period = intlZone(name)!.at(seconds);
  expect(period).toMatchObject({ offset, abbreviation });
  expect(seconds >= period.from && seconds < period.until).toBe(true);
});
