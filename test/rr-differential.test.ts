import { symlinkSync } from 'node:fs';
import path from 'node:path';
import { connect, tcp } from '@tsmqtt/client';
import { expect, test } from 'vitest';
import { scriptedBroker } from '../packages/cli-kit/test/scripted-broker.js';
import { startBroker } from './support/brokers.js';
import { startChild } from './support/child.js';
import { temporaryFolder } from './support/folder.js';
import { describePeer } from './support/peers.js';
import { programFile } from './support/programs.js';
import { type Printed, RR_CASES, type RrCase } from './support/rr-cases.js';

/** Nobody ever listens there. */
const CLOSED_PORT = ['-h', '127.0.0.1', '-p', '1'];

/** `-h` and `-p` of a broker that the test is done with when the test ends. */
async function startPeer({ peer }: RrCase): Promise<readonly string[]> {
  if (peer === 'nobody') return CLOSED_PORT;
  if (peer !== 'mosquitto') return (await scriptedBroker(peer)).at;
  const broker = await startBroker('mosquitto');
  const client = await connect({ connector: tcp({ host: '127.0.0.1', port: broker.port }) });
  await client.publish('kept', 'old', { qos: 1, retain: true });
  await client.end();
  return broker.at;
}

/** Runs a program as `mosquitto_rr`, with no options file. */
async function run(program: string, at: readonly string[], { args, input = '' }: RrCase): Promise<Printed> {
  const env = { XDG_CONFIG_HOME: '/nonexistent' };
  const { code, stdout, stderr } = await startChild(program, [...at, ...args], { input, env }).ended;
  return { code, stdout: stdout.toString('latin1'), stderr };
}

/** One after the other where a message would reach both. */
async function runBoth(reference: string, given: RrCase): Promise<{ theirs: Printed; ours: Printed }> {
  const program = path.join(temporaryFolder(), 'mosquitto_rr');
  symlinkSync(programFile('tsmqtt-rr'), program);
  const at = await startPeer(given);
  const theirs = run(reference, at, given);
  if (given.peer === 'mosquitto') await theirs;
  const ours = await run(program, at, given);
  return { theirs: await theirs, ours };
}

function title({ args, peer, difference }: RrCase): string {
  const words = args.map((word) => (/^[\w/%-]+$/.test(word) ? word : JSON.stringify(word))).join(' ');
  const where = peer === 'nobody' ? '' : peer === 'mosquitto' ? ' (mosquitto)' : ' (scripted broker)';
  return `${words}${where}${difference === undefined ? '' : `: ${difference.number}, ${difference.what}`}`;
}

describePeer('mosquitto_rr', 'tsmqtt-rr against mosquitto_rr 2.0.11', (reference) => {
  test.each(RR_CASES.map((given) => [title(given), given] as const))('%s', async (_, given) => {
    const { theirs, ours } = await runBoth(reference, given);
    const { difference } = given;
    expect(ours).toEqual(difference?.ours ?? theirs);
    // What is the same is no difference any more.
    if (difference !== undefined)
      expect(theirs, 'the difference is out of date').not.toEqual(difference.ours);
  });
});
