// Numbers and tables.

export const rounds = (usual) => Number(process.env.BENCH_ROUNDS ?? usual);
export const scale = Number(process.env.BENCH_SCALE ?? 1);

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Runs every contender once a round, in turn, so that whatever else the machine does hits all of them alike.
 * Answers the samples by name.
 */
export async function inTurn(names, count, runOnce) {
  const samples = new Map(names.map((name) => [name, []]));
  for (let round = 0; round < count; round += 1) {
    for (const name of names) samples.get(name).push(await runOnce(name));
  }
  return samples;
}

/** Median of the ratios of each round. */
export function ratio(samples, name, base) {
  const bases = samples.get(base);
  return median(samples.get(name).map((value, round) => value / bases[round]));
}

export function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, index) => (index === 0 ? '---' : '---:'));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}
