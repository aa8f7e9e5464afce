import { randomInt } from 'node:crypto';

const SLASH = 0x2f;
const NAME_CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const RANDOM_LENGTH = 6;

/** The folder that a path names its file in, as bytes. */
export function folderOf(path: Buffer): Buffer {
  const slash = path.lastIndexOf(SLASH);
  if (slash === -1) return Buffer.from('.');
  return slash === 0 ? Buffer.from('/') : path.subarray(0, slash);
}

/** The last part of a path, as bytes. */
export function baseNameOf(path: Buffer): Buffer {
  return path.subarray(path.lastIndexOf(SLASH) + 1);
}

/** A path in a folder. */
export function pathIn(folder: Buffer, name: string | Buffer): Buffer {
  return Buffer.concat([folder, Buffer.from('/'), Buffer.from(name)]);
}

/** Six random characters, for names that must not exist yet. */
export function randomSuffix(): string {
  return Array.from({ length: RANDOM_LENGTH }, () => NAME_CHARACTERS[randomInt(NAME_CHARACTERS.length)]).join(
    '',
  );
}
