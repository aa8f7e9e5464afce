/**
 * The path that a request asks for, decoded, without its query: it is the topic of the ACL check and the name of a file.
 *
 * @returns undefined for anything that could mean one thing to the check and another to the file system: `.`, `..` and
 * empty segments, NUL and other control characters, backslashes.
 */
export function requestPath(url: string): string | undefined {
  const [raw = ''] = url.split('?');
  let path: string;
  try {
    path = decodeURIComponent(raw);
  } catch {
    return undefined;
  }
  if (!path.startsWith('/') || /[\u0000-\u001f\u007f\\]/.test(path)) return undefined;
  const segments = path.slice(1).split('/');
  const odd = segments.some(
    (segment, index) =>
      segment === '.' || segment === '..' || (segment === '' && index < segments.length - 1),
  );
  return odd ? undefined : path;
}
