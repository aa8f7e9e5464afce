import { readFileSync } from 'node:fs';
import path from 'node:path';
import { intlZone } from './intl-zone.js';
import { posixZone } from './posix-zone.js';
import { fixedZone, type TimeZone, UTC } from './time-zone.js';
import { tzifZone } from './tzif-zone.js';

const ZONE_FOLDER = '/usr/share/zoneinfo';
const SYSTEM_ZONE = '/etc/localtime';

/** Reads a file; undefined where it cannot be read. */
export type ReadFile = (file: string) => Buffer | undefined;

/**
 * The zone that the C library takes local time from (tzset(3)): TZ as a file of the zone folder or a POSIX string;
 * without TZ the system's zone; an empty TZ is UTC. What has no zone file comes from the runtime's tables (P-28).
 */
export function localZone(
  env: Readonly<Record<string, string | undefined>>,
  read: ReadFile = readIfThere,
): TimeZone {
  const tz = env.TZ?.replace(/^:/, '');
  if (tz === '') return UTC;
  const folder = env.TZDIR || ZONE_FOLDER;
  const content = read(tz === undefined ? SYSTEM_ZONE : path.resolve(folder, tz));
  const zone = content && tzifZone(content);
  if (zone !== undefined) return zone;
  if (tz === undefined) return intlZone(undefined) ?? UTC;
  const named = posixZone(tz);
  if (named !== undefined) return named;
  // Where there are zone files, a zone without one does not exist, whatever the runtime knows.
  const known = read(path.resolve(folder, 'UTC')) === undefined ? intlZone(tz) : undefined;
  // What is nobody's zone is UTC with the name that the text begins with, where it has the letters of one.
  return known ?? fixedZone(0, /^[A-Za-z]{3,}/.exec(tz)?.[0] ?? '');
}

function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}
