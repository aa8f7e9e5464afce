import { expect, test } from 'vitest';
import { onlyPi } from './support/accounts.js';
import { type BrokerName, type BrokerSetup, startBroker } from './support/brokers.js';
import {
  type DifferentialCase,
  type Outcome,
  runCase,
  type Side,
  watchBroker,
} from './support/differential.js';
import { ARGUMENT_CASES, OPTIONS_FILE_CASES } from './support/differential-arguments.js';
import {
  ACCOUNT_CASES,
  PUBLISHING_CASES,
  SCRIPTED_CASES,
  SUBSCRIBING_CASES,
} from './support/differential-conversations.js';
import { DIFFERENCES, type Difference } from './support/differential-differences.js';
import { describePeer } from './support/peers.js';

/** Cases under way at the same time. */
const LANES = 6;

interface Sides {
  readonly theirs: Side | undefined;
  readonly ours: Side | undefined;
}

/** Runs all cases with both programs and answers what is not as it should be. */
async function compare(cases: readonly DifferentialCase[], sides: Sides): Promise<unknown[]> {
  const wrong: unknown[] = [];
  const queue = cases.map((given, index) => ({ given, number: index + 1 }));
  const lane = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const { given, number } = next;
      const [theirs, ours] = await Promise.all([
        runCase(given, number, sides.theirs, false),
        runCase(given, number, sides.ours, true),
      ]);
      const verdict = judge(given, theirs, ours);
      if (verdict !== undefined) wrong.push({ tool: given.tool, args: given.args.map(String), ...verdict });
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return wrong;
}

const NOBODY: Sides = { theirs: undefined, ours: undefined };

async function twoBrokers(name: BrokerName, setup: BrokerSetup = {}): Promise<Sides> {
  const [theirs, ours] = await Promise.all([sideOf(name, setup), sideOf(name, setup)]);
  return { theirs, ours };
}

async function sideOf(name: BrokerName, setup: BrokerSetup): Promise<Side> {
  // A folder of its own for each of the two.
  const { port } = await startBroker(name, setup.conf === undefined ? {} : { conf: setup.conf });
  return watchBroker(port, { username: 'pi', password: Buffer.from('123') });
}

/** All of its cases together. */
const SLOW = { timeout: 180_000 };

const FIELDS = ['code', 'stdout', 'stderr', 'sent'] as const;

/** Which of the differences were seen. */
const seen = new Set<Difference>();

function judge(given: DifferentialCase, theirs: Outcome, ours: Outcome): object | undefined {
  let expected = theirs;
  for (const difference of DIFFERENCES) {
    const changed = { ...expected, ...difference.rewrite(expected, given) };
    if (JSON.stringify(changed) !== JSON.stringify(expected)) seen.add(difference);
    expected = changed;
  }
  const meant = given.differs?.[1] ?? {};
  const wrong: Record<string, unknown> = {};
  for (const field of FIELDS) {
    const [reference, actual] = [JSON.stringify(expected[field]), JSON.stringify(ours[field])];
    if (field in meant && reference === actual) wrong[field] = { stale: theirs[field] };
    else if ((JSON.stringify(meant[field]) ?? reference) !== actual) {
      wrong[field] = { theirs: theirs[field], ours: ours[field] };
    }
  }
  return Object.keys(wrong).length === 0 ? undefined : wrong;
}

describePeer('mosquitto_pub', 'the same as mosquitto_pub and mosquitto_sub 2.0.11', () => {
  test('arguments that are refused', SLOW, async () => {
    expect(await compare(ARGUMENT_CASES, { theirs: undefined, ours: undefined })).toEqual([]);
  });

  test('publishing', SLOW, async () => {
    expect(await compare(PUBLISHING_CASES, await twoBrokers('mosquitto'))).toEqual([]);
  });

  test('subscribing', SLOW, async () => {
    expect(await compare(SUBSCRIBING_CASES, await twoBrokers('mosquitto'))).toEqual([]);
  });

  test('accounts', SLOW, async () => {
    expect(await compare(ACCOUNT_CASES, await twoBrokers('mosquitto', await onlyPi()))).toEqual([]);
  });

  test('publishing and subscribing at tsmqtt-broker', SLOW, async () => {
    const some = [...PUBLISHING_CASES, ...SUBSCRIBING_CASES].filter((_, index) => index % 3 === 0);
    expect(await compare(some, await twoBrokers('tsmqtt-broker'))).toEqual([]);
  });

  test('what only a peer with a script does', SLOW, async () => {
    expect(await compare(SCRIPTED_CASES, NOBODY)).toEqual([]);
  });

  test('options files', SLOW, async () => {
    expect(await compare(OPTIONS_FILE_CASES, { theirs: undefined, ours: undefined })).toEqual([]);
  });

  test('there are enough of them', () => {
    const all = [
      ARGUMENT_CASES,
      OPTIONS_FILE_CASES,
      PUBLISHING_CASES,
      SUBSCRIBING_CASES,
      ACCOUNT_CASES,
      SCRIPTED_CASES,
    ];
    expect(all.flat().length).toBeGreaterThanOrEqual(400);
  });

  test('no difference is on the list that is none any more', () => {
    // Every case has been run: the tests of a file run in order.
    expect(DIFFERENCES.filter((difference) => !seen.has(difference))).toEqual([]);
  });
});
