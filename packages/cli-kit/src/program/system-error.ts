import { getSystemErrorMap } from 'node:util';

/** How C's `strerror` words the errors that users meet; libuv words some of them otherwise. */
// biome-ignore format: one row a line
const TEXTS: Readonly<Record<string, string>> = {
  EACCES: 'Permission denied',
  EADDRINUSE: 'Address already in use',
  EADDRNOTAVAIL: 'Cannot assign requested address',
  EBUSY: 'Device or resource busy',
  ECONNABORTED: 'Software caused connection abort',
  ECONNREFUSED: 'Connection refused',
  ECONNRESET: 'Connection reset by peer',
  EDQUOT: 'Disk quota exceeded',
  EEXIST: 'File exists',
  EHOSTDOWN: 'Host is down',
  EHOSTUNREACH: 'No route to host',
  EINVAL: 'Invalid argument',
  EIO: 'Input/output error',
  EISDIR: 'Is a directory',
  ELOOP: 'Too many levels of symbolic links',
  EMFILE: 'Too many open files',
  ENAMETOOLONG: 'File name too long',
  ENETDOWN: 'Network is down',
  ENETUNREACH: 'Network is unreachable',
  ENFILE: 'Too many open files in system',
  ENOENT: 'No such file or directory',
  ENOMEM: 'Cannot allocate memory',
  ENOTDIR: 'Not a directory',
  EPERM: 'Operation not permitted',
  ETIMEDOUT: 'Connection timed out',
  ETXTBSY: 'Text file busy',
  EXDEV: 'Invalid cross-device link',
};

/** The operating system's name for what went wrong, worded as the C tools word it. */
export function systemErrorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, errno } = error as NodeJS.ErrnoException;
  const known = code === undefined ? undefined : TEXTS[code];
  if (known !== undefined) return known;
  const text = (errno === undefined ? undefined : getSystemErrorMap().get(errno)?.[1]) ?? error.message;
  return text.charAt(0).toUpperCase() + text.slice(1);
}
