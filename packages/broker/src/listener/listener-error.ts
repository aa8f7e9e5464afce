/** A listener that cannot work as it is set up. The start ends with exit code 1 (broker §1.2). */
export class ListenerError extends Error {
  override readonly name = 'ListenerError';
  readonly code = 'bad-listener';
}
