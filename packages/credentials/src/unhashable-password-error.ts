/** PBKDF2 iterations of a new entry where nothing else is asked for (P-15). */
export const DEFAULT_ITERATIONS = 10_000;

/** A password that the chosen hash cannot take. */
export class UnhashablePasswordError extends Error {
  override readonly name = 'UnhashablePasswordError';
  /** Stable name of the fault. */
  readonly code: 'password-empty' | 'password-too-long' | 'password-not-text' | 'iterations-out-of-range';

  constructor(code: UnhashablePasswordError['code'], message: string) {
    super(message);
    this.code = code;
  }
}
