const FIRST_MS = 1000;
const LONGEST_MS = 30_000;

/**
 * Milliseconds to wait before reconnect attempt `attempt` (1, 2, ...): 1 s, then about twice as long each time up to
 * 30 s, with jitter so that the clients of a restarted broker do not come back all at once (P-8).
 */
export function reconnectDelay(attempt: number, random: () => number = Math.random): number {
  if (attempt <= 1) return FIRST_MS;
  const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt - 1, 10));
  return Math.round(longest * (0.75 + 0.25 * random()));
}
