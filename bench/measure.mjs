// Samples taken in turn, what they come to, and how that is written down.

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Runs every contender once a round, in turn (A B C, A B C, ...), so that whatever else the machine does hits all of them
 * alike. `runOnce(name)` answers one sample, a number or an object of numbers. A contender that fails is left out from
 * then on, and the reason is kept.
 *
 * @returns `samples`: lists by name; `failed`: reasons by name.
 */
export async function inTurn(names, { runs, warmUp = 1 }, runOnce) {
  const samples = new Map(names.map((name) => [name, []]));
  const failed = new Map();
  for (let round = -warmUp; round < runs; round += 1) {
    for (const name of names) {
      if (failed.has(name)) continue;
      try {
        const sample = await runOnce(name);
        if (round >= 0) samples.get(name).push(sample);
      } catch (error) {
        failed.set(name, error.message);
        samples.delete(name);
      }
    }
  }
  return { samples, failed };
}

/**
 * Makes runs of contenders that differ by a factor of a thousand last about as long: how many messages each needs for that
 * is found out before its first one.
 *
 * @param first Messages of the first try.
 * @param run Answers a sample with `seconds`, which it took.
 */
export function lasting(seconds, first, run) {
  const counts = new Map();
  return async (name) => {
    const known = counts.get(name);
    if (known !== undefined) return run(name, known);
    for (let count = first; ; ) {
      const sample = await run(name, count);
      const factor = seconds / sample.seconds;
      // Short runs say little: a program that is compiled while it runs is slow at first.
      count = Math.ceil(count * Math.min(20, factor));
      if (factor < 1.5) {
        counts.set(name, Math.max(first, count));
        return sample;
      }
    }
  };
}

/**
 * One table. `rows` maps a contender to its label; `key` picks a number out of samples that are objects; `better` says
 * whether more or less is better, so that the ratio always reads "tsmqtt is so many times as good".
 */
export function result({
  title,
  unit,
  rows,
  samples,
  failed,
  key,
  better = 'less',
  base = 'tsmqtt',
  notes = [],
}) {
  const pick = (sample) => (key === undefined ? sample : sample[key]);
  const bases = samples.get(base)?.map(pick);
  const contenders = Object.entries(rows).flatMap(([name, label]) => {
    const values = samples.get(name)?.map(pick);
    if (values === undefined) return [];
    const ratios = name === base || bases === undefined ? undefined : pairs(values, bases, better);
    return [{ name, label, values, median: median(values), ...(ratios && { ratio: median(ratios) }) }];
  });
  const missing = Object.entries(rows)
    .filter(([name]) => !samples.has(name))
    .map(([name, label]) => `${label} could not run: ${failed?.get(name) ?? 'it is not installed'}`);
  return { title, unit, better, base: rows[base] ?? base, contenders, notes: [...notes, ...missing] };
}

function pairs(values, bases, better) {
  return values.map((value, round) => (better === 'less' ? value / bases[round] : bases[round] / value));
}

/** A result as Markdown. */
export function markdown({ title, unit, base, contenders, notes }) {
  const rows = contenders.map(({ label, values, median: middle, ratio }) => [
    label,
    figure(middle),
    figure(Math.min(...values)),
    figure(Math.max(...values)),
    ratio === undefined ? '' : ratio.toFixed(2),
  ]);
  const runs = contenders[0]?.values.length ?? 0;
  const head = [`${unit}, ${runs} runs`, 'median', 'least', 'most', `${base} is better by`];
  const list = notes.map((note) => `- ${note}`).join('\n');
  return [`### ${title}`, table(head, rows), ...(list === '' ? [] : [list])].join('\n\n');
}

export function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, index) => (index === 0 ? '---' : '---:'));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

/** Three digits that count, thousands apart. */
function figure(value) {
  if (value >= 1000) return Math.round(value).toLocaleString('en');
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
