import path from 'node:path';
import { expect, test } from 'vitest';
import { type BrokerName, describeBrokers, type RunningBroker, startBroker } from './support/brokers.js';
import { type Child, startChild } from './support/child.js';
import { temporaryFolder, writeFiles } from './support/folder.js';
import { describePeer, findPeer } from './support/peers.js';
import { runProgram } from './support/programs.js';

const ACL = `
topic read public/#
topic write in/+
topic deny public/secret
topic end
user ann
topic readwrite ann/#
topic deny ann/locked
pattern read dev/%c/#
topic read  public/#
topic end
user bob
topic write public/bob
topic end
user zed
topic read end
user z#
topic read end
user ann
topic write twice
# everything for the one who watches
user boss
topic #
topic $other/#

pattern write dev/%c/up
pattern readwrite user/%u
pattern deny dev/+/private
pattern read mid%c
`;

interface Client {
  readonly id: string;
  readonly user?: string;
}
const ANN = { id: 'c2', user: 'ann' };
const BOB = { id: 'c3', user: 'bob' };
const BOSS = { id: 'boss', user: 'boss' };
const CLIENTS: readonly Client[] = [
  { id: 'c1' },
  ANN,
  BOB,
  { id: 'c4', user: 'zed' },
  // Names that would match the topics of others.
  { id: 'c+', user: 'ann' },
  { id: 'c6', user: 'z#' },
];
const nameOf = ({ id, user }: Client) => `${id}/${user ?? ''}`;

// biome-ignore format: one list
const TOPICS = [
  'public/a', 'public/secret', 'public/bob', 'in/x', 'in/x/y', 'ann/a', 'ann/locked', 'twice', 'dev/c1/up', 'dev/c2/up',
  'dev/c2/private', 'dev/c2/x', 'user/ann', 'user/bob', 'midc2', 'mid%c', 'other', '$other/a',
];

/** Lines that only one of them has, and why. */
const DIFFERENCES: readonly { readonly only: BrokerName; readonly line: RegExp; readonly why: string }[] = [
  {
    only: 'mosquitto',
    line: /^got midc2 /,
    why: '2.0.11 replaces %c within a level, 2.1 as a level only (broker §4.4)',
  },
  { only: 'tsmqtt-broker', line: /^got mid%c /, why: 'so that there the pattern means itself' },
];

/** A broker and its clients: mosquitto_pub and mosquitto_sub. */
class Scene {
  #subscriptions = 0;

  constructor(
    readonly broker: RunningBroker,
    readonly version: string,
  ) {}

  args({ id, user }: Client): string[] {
    return [...this.broker.at, '-V', this.version, '-i', id, ...(user === undefined ? [] : ['-u', user])];
  }

  /** What mosquitto_pub made of it: exit code and complaint. */
  async publish(client: Client, topic: string, ...more: string[]): Promise<string> {
    const args = [...this.args(client), '-t', topic, ...more];
    const { code, stderr } = await startChild(findPeer('mosquitto_pub') ?? '', args).ended;
    return `${code} ${stderr.trim()}`;
  }

  /** Every topic, by somebody who may do so. */
  async publishAll(...more: string[]): Promise<void> {
    for (const topic of TOPICS) await this.publish({ ...BOSS, id: 'p' }, topic, '-q', '1', ...more);
  }

  /** What subscribers wait for before they are looked at. */
  async end(): Promise<void> {
    await this.publish({ ...BOSS, id: 'p' }, 'end', '-m', 'end');
  }

  /** Resolves when the broker has the subscription: it logs every filter, and the last one is like no other. */
  async subscribe(client: Client, ...more: string[]): Promise<Child> {
    const last = `last-${++this.#subscriptions}`;
    const args = [...this.args(client), '-F', 'got %t %p %r', '-q', '1', ...more, '-t', last];
    const child = startChild(findPeer('mosquitto_sub') ?? '', args);
    await this.broker.child.line(new RegExp(`\t${last} \\(QoS`), 'stderr');
    return child;
  }
}

const EVERYTHING = ['-t', '#', '-t', '$other/#'];

/** What a subscriber got until the message to `end`. */
async function messages(child: Child): Promise<string[]> {
  await child.line(/^got end /);
  await child.kill();
  return child.stdout.toString().split('\n').slice(0, -1).sort();
}

type Phases = Record<string, readonly string[]>;

/** The whole session: what came of each phase, line by line. */
async function play(name: BrokerName, version: string): Promise<Phases> {
  const acl = path.join(temporaryFolder({ acl: ACL }), 'acl');
  const broker = await startBroker(name, {
    conf: ['allow_anonymous true', 'log_type all', `acl_file ${acl}`],
  });
  const scene = new Scene(broker, version);
  const phases: Record<string, readonly string[]> = {};
  const forEach = <T>(act: (client: Client) => Promise<T>) => Promise.all(CLIENTS.map(act));
  /** All of them subscribe, something is published, and this is what they get. */
  const collect = async (phase: string, between: () => Promise<void>, ...more: string[]): Promise<void> => {
    const children = await forEach((client) => scene.subscribe(client, ...more, ...EVERYTHING));
    await between();
    await scene.end();
    const got = await Promise.all(children.map(messages));
    for (const [index, client] of CLIENTS.entries()) phases[`${phase}, ${nameOf(client)}`] = got[index] ?? [];
  };

  const watcher = await scene.subscribe(BOSS, ...EVERYTHING);
  await forEach(async (client) => {
    const results: string[] = [];
    for (const topic of TOPICS) {
      results.push(`${topic}: ${await scene.publish(client, topic, '-m', nameOf(client), '-q', '1')}`);
    }
    phases[`published, ${nameOf(client)}`] = results;
  });
  await forEach(async (client) => {
    for (const topic of ['in/x', 'ann/a', 'user/ann', 'dev/c2/up', 'other']) {
      const will = ['--will-topic', topic, '--will-payload', `will ${nameOf(client)}`];
      await (await scene.subscribe(client, '-t', 'nothing', ...will)).kill('SIGKILL');
    }
  });
  await scene.end();
  phases['what the watcher got'] = await messages(watcher);

  await collect('live', () => scene.publishAll('-m', 'live'));
  await scene.publishAll('-r', '-m', 'retained');
  await collect('retained', async () => {});
  await scene.publishAll('-r', '-n');

  const lasting = version === 'mqttv5' ? ['-c', '-x', '1000'] : ['-c'];
  await forEach(async (client) => {
    const args = [...scene.args(client), ...lasting, '-q', '1', ...EVERYTHING, '-E'];
    expect((await startChild(findPeer('mosquitto_sub') ?? '', args).ended).code).toBe(0);
  });
  await scene.publishAll('-m', 'queued');
  await collect('queued', async () => {}, ...lasting);

  // By turns, though one of them may not read what it gets.
  const shared = await Promise.all(
    [ANN, BOB].map((client) => scene.subscribe(client, '-t', '$share/g/ann/a', '-t', 'end')),
  );
  for (const number of '1234') await scene.publish({ ...BOSS, id: 'p' }, 'ann/a', '-m', number);
  await scene.end();
  phases.shared = (await Promise.all(shared.map(messages))).map((lines) => `${lines.length - 1} messages`);

  phases['after SIGHUP'] = await afterReload(scene, acl);
  phases['refused, in the log'] = broker.child.stderr
    .split('\n')
    .flatMap((line) => /Denied PUBLISH.*/.exec(line) ?? [])
    .filter((line) => !line.includes("'probe'"))
    .sort();
  return phases;
}

/** Other rules, for subscriptions that there are. */
async function afterReload(scene: Scene, acl: string): Promise<string[]> {
  const watcher = await scene.subscribe(BOSS, '-t', 'probe');
  const bob = await scene.subscribe(BOB, '-t', '#');
  writeFiles(path.dirname(acl), {
    acl: 'user boss\ntopic #\nuser bob\ntopic read now\ntopic read end\ntopic write probe\n',
  });
  process.kill(scene.broker.child.pid, 'SIGHUP');
  // The new rules are there as soon as one of them lets something through.
  while (!watcher.stdout.includes('got probe')) await scene.publish({ ...BOB, id: 'p' }, 'probe', '-m', 'x');
  for (const topic of ['now', 'public/a']) await scene.publish({ ...BOSS, id: 'p' }, topic, '-m', 'x');
  await scene.end();
  return messages(bob);
}

const without = (phases: Phases, name: BrokerName): Phases =>
  Object.fromEntries(
    Object.entries(phases).map(([phase, lines]) => [
      phase,
      lines.filter((line) => !DIFFERENCES.some(({ only, line: known }) => only === name && known.test(line))),
    ]),
  );

describePeer('mosquitto', 'an ACL file', () => {
  test.each(['mqttv311', 'mqttv5'])(
    'does the same in Mosquitto 2.0.11 and in tsmqtt-broker, but for what is listed: %s',
    async (version) => {
      const [theirs, ours] = [await play('mosquitto', version), await play('tsmqtt-broker', version)];
      expect(without(ours, 'tsmqtt-broker')).toEqual(without(theirs, 'mosquitto'));
      // A difference that is none any more goes from the list.
      for (const { only, line } of DIFFERENCES) {
        const lines = Object.values(only === 'mosquitto' ? theirs : ours).flat();
        expect(lines.filter((one) => line.test(one))).not.toEqual([]);
      }
      expect(ours['after SIGHUP']).toEqual(['got end end 0', 'got now x 0']);
      expect(ours['published, c2/ann']).toContain('ann/a: 0 ');
    },
  );
});

describeBrokers('SIGHUP with other passwords', (name) => {
  test('closes who would not be let in any more, anonymous clients too (broker §4.8)', async () => {
    const folder = temporaryFolder();
    const passwords = path.join(folder, 'passwd');
    for (const [index, user] of ['ann', 'bob'].entries()) {
      await runProgram('tsmqtt-passwd', [
        ...(index === 0 ? ['-c'] : []),
        '-H',
        'sha512-pbkdf2',
        '-b',
        passwords,
        user,
        'x',
      ]);
    }
    const conf = (anonymous: boolean) => [
      'log_type all',
      `allow_anonymous ${anonymous}`,
      `password_file ${passwords}`,
    ];
    const broker = await startBroker(name, { folder, conf: conf(true) });
    const scene = new Scene(broker, 'mqttv5');
    const ann = await scene.subscribe({ id: 'one', user: 'ann' }, '-P', 'x', '-t', 't');
    await scene.subscribe({ id: 'two', user: 'bob' }, '-P', 'x');
    await scene.subscribe({ id: 'three' });
    await runProgram('tsmqtt-passwd', ['-D', passwords, 'bob']);
    writeFiles(folder, { 'conf.d/default.conf': `${conf(false).join('\n')}\n` });
    process.kill(broker.child.pid, 'SIGHUP');
    for (const id of ['two', 'three'])
      await broker.child.line(new RegExp(`Client ${id} .*disconnected`), 'stderr');
    await scene.publish({ id: 'p', user: 'ann' }, 't', '-P', 'x', '-m', 'still here');
    await ann.line('got t still here 0');
    expect(broker.child.stderr).not.toMatch(/Client one .*disconnected/);
  });
});
