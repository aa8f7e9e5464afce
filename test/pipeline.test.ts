import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type RunningBroker, startBroker } from './support/brokers.js';
import type { Child } from './support/child.js';
import { runProgram, startProgram } from './support/programs.js';

/** `TSMQTT_FULL=1` runs the pipelines at the size that the README names. */
const full = process.env.TSMQTT_FULL === '1';
const sizes = full ? [1_000_000, 200_000, 200_000] : [100_000, 20_000, 20_000];

/** No process of a pipeline may hold more than this, however much passes through it. MiB. */
const MEMORY_LIMIT = 200;

/**
 * A subscriber that ends after `count` messages and is known to be subscribed: a retained message has reached it,
 * which is its first line.
 */
async function startReader(
  broker: RunningBroker,
  count: number,
  qos: number,
  collect = true,
): Promise<Child> {
  await runProgram('tsmqtt-pub', [...broker.at, '-t', 't', '-m', 'ready', '-r']);
  const args = [...broker.at, '-t', 't', '-q', String(qos), '-C', String(count + 1)];
  const reader = startProgram('tsmqtt-sub', args, { collect });
  if (collect) await reader.line('ready');
  // Its pipe fills up again behind the first line.
  else
    while (reader.stdoutStream.read('ready\n'.length) === null) await once(reader.stdoutStream, 'readable');
  return reader;
}

function numbers(count: number): Buffer {
  const lines: string[] = [];
  for (let number = 1; number <= count; number += 1) lines.push(`${number}\n`);
  return Buffer.from(lines.join(''));
}

describe('a line pipeline through tsmqtt-broker with its default limits', () => {
  for (const version of full ? ['31', '311', '5'] : ['311', '5']) {
    for (const [qos, count] of sizes.entries()) {
      test(`${count} lines at QoS ${qos} with -V ${version} arrive whole and in order`, {
        timeout: 300_000,
      }, async () => {
        const broker = await startBroker('tsmqtt-broker');
        const reader = await startReader(broker, count, qos);
        const input = numbers(count);
        const args = [...broker.at, '-V', version, '-t', 't', '-l', '-q', String(qos)];
        expect(await runProgram('tsmqtt-pub', args, { input })).toMatchObject({ code: 0, stderr: '' });
        const { code, stdout } = await reader.ended;
        expect(code).toBe(0);
        const expected = Buffer.concat([Buffer.from('ready\n'), input]);
        expect(stdout.length).toBe(expected.length);
        expect(stdout.equals(expected)).toBe(true);
      });
    }
  }

  test('lines are any bytes but LF, empty ones too, and the last needs no LF', async () => {
    const broker = await startBroker('tsmqtt-broker');
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => byte !== 10));
    const input = Buffer.concat([bytes, Buffer.from('\n'), bytes, bytes, Buffer.from('\r\n\0\nlast')]);
    const reader = await startReader(broker, 4, 1);
    const args = [...broker.at, '-t', 't', '-l', '-q', '1'];
    expect(await runProgram('tsmqtt-pub', args, { input })).toMatchObject({ code: 0 });
    const { stdout } = await reader.ended;
    expect(stdout.subarray('ready\n'.length)).toEqual(Buffer.concat([input, Buffer.from('\n')]));
  });
});

describe('a reader that does not read', () => {
  for (const qos of [0, 1]) {
    test(`holds back a publisher at QoS ${qos}, in bounded memory, and nothing is lost`, {
      timeout: 180_000,
    }, async () => {
      const count = 2_500_000 / (qos === 0 ? 1 : 4);
      const line = Buffer.from(`${'x'.repeat(99)}\n`.repeat(1000));
      const broker = await startBroker('tsmqtt-broker');
      const reader = await startReader(broker, count, qos, false);
      const publisher = startProgram('tsmqtt-pub', [...broker.at, '-t', 't', '-l', '-q', String(qos)]);
      const peaks = { broker: 0, publisher: 0, reader: 0 };
      const look = () => {
        peaks.broker = broker.child.peakMemory();
        peaks.publisher = publisher.peakMemory();
        peaks.reader = reader.peakMemory();
      };

      let sent = 0;
      const feeding = feed();
      async function feed(): Promise<void> {
        for (; sent < count / 1000; sent += 1) {
          if (!publisher.stdin.write(line)) await once(publisher.stdin, 'drain');
        }
        look();
        publisher.stdin.end();
      }
      // Stalled: the pipe has taken nothing for a second. Everything between the two ends is full then.
      for (let before = -1; before !== sent; ) {
        before = sent;
        await wait(1000);
      }
      expect(sent).toBeLessThan(count / 1000);
      look();

      reader.readStdout();
      await feeding;
      expect(await publisher.ended).toMatchObject({ code: 0, stderr: '' });
      const { code, stdout } = await reader.ended;
      expect(code).toBe(0);
      expect(stdout.length).toBe(count * 100);
      peaks.broker = broker.child.peakMemory();
      for (const peak of Object.values(peaks)) expect(peak).toBeLessThan(MEMORY_LIMIT);
    });
  }
});
