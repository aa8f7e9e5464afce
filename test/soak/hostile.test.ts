import path from 'node:path';
import { expect, test } from 'vitest';
import { type Child, startChild } from '../support/child.js';
import { workspaceRoot } from '../support/workspace.js';
import { WatchedBroker } from './watched-broker.js';

// Each hostile client has a bound on what it may cost the broker, and beside it publishers and subscribers whose messages
// keep flowing: none is lost. How fast they flow and how long each takes is printed and not asserted, three times: alone;
// while the attack goes to another broker on the same machine, which is what the machine takes; and while it goes to
// theirs.

const full = process.env.TSMQTT_FULL === '1';
const MiB = 1024 * 1024;
/** Messages a second of the publishers that have a rate of their own. */
const RATE = 2000;
/** Milliseconds of each measurement. */
const MEASURED = full ? 3000 : 500;
const TOPICS = full ? 1_000_000 : 100_000;
const DEEP_TOPICS = 500;

/** One of the programs beside this file. */
function program(name: string, ...args: readonly (string | number)[]): Child {
  const file = path.join(workspaceRoot, 'test', 'soak', name);
  return startChild(process.execPath, [file, ...args.map(String)]);
}

interface Pace {
  readonly messages: number;
  readonly milliseconds: number;
  readonly p99: number;
  readonly longest: number;
}

/** Publishers and subscribers in a process of their own that have nothing to do with it. */
class Bystanders {
  #reports = 0;
  readonly #child: Child;

  constructor(broker: WatchedBroker) {
    this.#child = program('bystanders.mjs', broker.port);
  }

  /** What went through; fails when something was lost, doubled or out of order, or a connection closed. */
  async pace(way: 'paced' | 'closed', milliseconds = MEASURED): Promise<Pace> {
    this.#child.stdin.write(`${way} ${milliseconds}\n`);
    await this.#child.lines(++this.#reports);
    const lines = this.#child.stdout.toString().split('\n');
    return JSON.parse(lines[this.#reports - 1] as string) as Pace;
  }

  async leave(): Promise<void> {
    await this.#child.kill();
  }
}

/** An attack that goes on, in a process of its own. */
class Attackers {
  readonly #child: Child;

  private constructor(child: Child) {
    this.#child = child;
  }

  static async start(attack: string, broker: WatchedBroker, size: number): Promise<Attackers> {
    const child = program('attackers.mjs', attack, broker.port, size);
    await child.line(/^ready$/);
    return new Attackers(child);
  }

  /** Stops them where they are, still connected. What they have done. */
  async stop(): Promise<string> {
    this.#child.stdin.write('\n');
    return (await this.#child.line(/^\{.*\}$/)).slice(1, -1).replaceAll('"', '');
  }

  async leave(): Promise<void> {
    await this.#child.kill();
  }
}

interface Row {
  readonly attack: string;
  readonly title: string;
  readonly size?: number;
  readonly conf?: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
  /** MiB by which the broker's heap may have grown while they are still connected. */
  readonly grown: number;
  /** MiB that it may have resident at most. */
  readonly peak?: number;
}

const ROWS: readonly Row[] = [
  { attack: 'silent', title: 'a subscriber that never reads', grown: 12, peak: 220 },
  { attack: 'idle', title: '5,000 connections that say nothing', size: 5000, grown: 40 },
  { attack: 'bytes', title: '2,000 clients, one byte a second, half of it CONNECT', size: 1000, grown: 30 },
  // Nothing limits them here.
  {
    attack: 'announced',
    title: '100 packets of 256 MB announced',
    size: 100,
    conf: ['max_packet_size 268435455'],
    grown: 10,
    peak: 200,
  },
  {
    attack: 'passwords',
    title: '1,000 wrong passwords a second',
    conf: ['password_file {dir}/passwords'],
    // `pi` with the password `123`, hashed by PBKDF2 with 101 iterations, as mosquitto_passwd 2.0 does.
    files: {
      passwords:
        'pi:$7$101$x5g5hXn2rDpBrHby$3kdHKZPr9LKZ5HCfjG8NKgRJrAZ7oUKwUz6VF/+1oEwCVw1WM00uH93wtiUM5eE+CYgiV7ZEYEQ5BcA/axd6XQ==\n',
    },
    grown: 6,
  },
  // About 1 KB each, and those of the client before.
  { attack: 'subscriptions', title: '100,000 subscriptions of one client', size: 100_000, grown: 110 },
  { attack: 'levels', title: 'topics of 200 levels', size: DEEP_TOPICS, grown: 12 },
  // Less than 700 bytes a topic.
  { attack: 'retained', title: `a flood of ${TOPICS} retained`, size: TOPICS, grown: (TOPICS * 700) / MiB },
  { attack: 'wildcard', title: `# against ${TOPICS} retained`, size: TOPICS, grown: 12 },
];

interface Measured {
  readonly paced: Pace;
  readonly closed: Pace;
}

async function measure(bystanders: Bystanders): Promise<Measured> {
  return { paced: await bystanders.pace('paced'), closed: await bystanders.pace('closed') };
}

const start = ({ conf = [], files }: Row): Promise<WatchedBroker> =>
  WatchedBroker.start(['allow_anonymous true', 'sys_interval 0', ...conf], files);

/** The bystanders alone, beside an attack on `other`, and beside one on their own broker. */
async function beside(row: Row, broker: WatchedBroker, other: WatchedBroker): Promise<void> {
  const { attack, size = 0 } = row;
  const bystanders = new Bystanders(broker);
  await bystanders.pace('closed', 500);
  const alone = await measure(bystanders);
  const elsewhere = await Attackers.start(attack, other, size);
  const control = await measure(bystanders);
  await elsewhere.stop();
  await elsewhere.leave();
  const before = await broker.heap();
  const attackers = await Attackers.start(attack, broker, size);
  const during = await measure(bystanders);
  const done = await attackers.stop();
  const grown = (await broker.heap()) - before;
  await attackers.leave();
  const after = await measure(bystanders);
  await bystanders.leave();
  print(row.title, { alone, control, during, after }, done);
  console.log(`  heap +${grown.toFixed(1)} MiB, resident at most ${broker.peak.toFixed(0)} MiB`);
  for (const { paced } of [alone, control, during, after])
    expect(paced.messages).toBe((RATE * MEASURED) / 1000);
  expect(during.closed.messages).toBeGreaterThan(0);
  expect(grown).toBeLessThan(row.grown);
  if (row.peak !== undefined) expect(broker.peak).toBeLessThan(row.peak);
}

function print(title: string, times: Readonly<Record<string, Measured>>, done: string): void {
  const lines = Object.entries(times).map(([when, { paced, closed }]) => {
    const text = ({ messages, milliseconds, p99, longest }: Pace): string =>
      `${((1000 * messages) / milliseconds).toFixed(0)}/s, 99 of 100 in ${p99.toFixed(1)} ms, longest ${longest.toFixed(1)}`;
    return `  ${when.padEnd(8)} paced ${text(paced)}; one after the other ${text(closed)}`;
  });
  console.log([`${title} (${done})`, ...lines].join('\n'));
}

for (const row of ROWS.slice(0, -2)) {
  test(row.title, { timeout: 300_000 }, async () => {
    await beside(row, await start(row), await start(row));
  });
}

test('a flood of retained messages, and # against all of them', { timeout: 600_000 }, async () => {
  const [flood, wildcard] = ROWS.slice(-2) as [Row, Row];
  const [broker, other] = [await start(flood), await start(flood)];
  await beside(flood, broker, other);
  await beside(wildcard, broker, other);
});
