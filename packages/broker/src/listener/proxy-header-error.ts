/** What stands where a PROXY header must is none, or breaks the rules of its version. */
export class ProxyHeaderError extends Error {
  override readonly name = 'ProxyHeaderError';
}
