import { existsSync } from 'node:fs';
import { type Client, connect, Delivery, tcp } from '@tsmqtt/client';
import { type Properties, type Publish, property } from '@tsmqtt/protocol';
import { describe, expect, onTestFinished, test } from 'vitest';
import { describeBrokers, startBroker } from './support/brokers.js';
import { startChild } from './support/child.js';
import { freePort } from './support/free-port.js';
import { programFile, runProgram, startProgram, startSubscriber } from './support/programs.js';

const REQUEST = ['-t', 'ask', '-e', 'answer', '-m', 'question'];

/** What a responder sees of a request. */
interface Question {
  readonly payload: Buffer;
  answer(payload: string | Uint8Array): Promise<unknown>;
}

/** A client that hands every request on topic `ask` to `respond`; it answers as MQTT 5 has it (4.10). */
async function startResponder(port: number, respond: (question: Question) => unknown): Promise<void> {
  let client: Client | undefined;
  const questionOf = ({ payload, properties }: Publish): Question => {
    const topic = property(properties, 'responseTopic') ?? 'answer';
    const correlation = property(properties, 'correlationData');
    const back: Properties =
      correlation === undefined ? [] : [{ name: 'correlationData', value: Buffer.from(correlation) }];
    return {
      payload: Buffer.from(payload),
      answer: async (text) => client?.publish(topic, text, { qos: 1, properties: back }),
    };
  };
  client = await connect({
    connector: tcp({ host: '127.0.0.1', port }),
    onMessage: (message) => {
      respond(questionOf(message));
      return Delivery.CONTINUE;
    },
  });
  onTestFinished(() => client?.destroy());
  await client.subscribe([
    { filter: 'ask', qos: 2, noLocal: false, retainAsPublished: false, retainHandling: 0 },
  ]);
}

describeBrokers('tsmqtt-rr', (name) => {
  for (const version of ['31', '311', '5']) {
    test.each(['0', '1', '2'])(`a request and its response, -V ${version} -q %s`, async (qos) => {
      const broker = await startBroker(name);
      await startResponder(broker.port, ({ payload, answer }) => answer(`${payload}!`));
      const args = [...broker.at, ...REQUEST, '-V', version, '-q', qos, '-v'];
      const { code, stdout, stderr } = await runProgram('tsmqtt-rr', args);
      expect([code, stdout.toString(), stderr]).toEqual([0, 'answer question!\n', '']);
    });
  }

  test('two that share a response topic get their own responses, whatever the order', async () => {
    const broker = await startBroker(name);
    const waiting: Question[] = [];
    await startResponder(broker.port, (question) => {
      waiting.push(question);
      // Each answer reaches both.
      if (waiting.length === 2) for (const { payload, answer } of waiting.reverse()) answer(`for ${payload}`);
    });
    const ask = (payload: string) =>
      runProgram('tsmqtt-rr', [...broker.at, '-t', 'ask', '-e', 'answer', '-m', payload]);
    const [one, two] = await Promise.all([ask('one'), ask('two')]);
    expect([one.stdout.toString(), two.stdout.toString()]).toEqual(['for one\n', 'for two\n']);
  });

  test('what was retained on the response topic is not the response', async () => {
    const broker = await startBroker(name);
    await runProgram('tsmqtt-pub', [...broker.at, '-t', 'answer', '-m', 'old', '-r', '-q', '1']);
    await startResponder(broker.port, ({ answer }) => answer('new'));
    const { stdout } = await runProgram('tsmqtt-rr', [...broker.at, ...REQUEST]);
    expect(stdout.toString()).toBe('new\n');
  });

  test('stdin comes back byte for byte', async () => {
    const broker = await startBroker(name);
    await startResponder(broker.port, ({ payload, answer }) => answer(payload));
    const input = Buffer.alloc(1_000_003, Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)));
    const args = [...broker.at, '-t', 'ask', '-e', 'answer', '-s', '-N'];
    const { code, stdout } = await runProgram('tsmqtt-rr', args, { input });
    expect([code, input.equals(stdout)]).toEqual([0, true]);
  });

  test('-F and --latency', async () => {
    const broker = await startBroker(name);
    await startResponder(broker.port, ({ answer }) => answer('{"a": 1.0}'));
    const { stdout } = await runProgram('tsmqtt-rr', [...broker.at, ...REQUEST, '-F', '%J', '--latency']);
    const [json = '', latency] = stdout.toString().split('\n');
    expect(json).toMatch(/"payload":\{"a":1\.0\}\}$/);
    expect(JSON.parse(json)).toMatchObject({ topic: 'answer', payloadlen: 10 });
    expect(latency).toMatch(/^Latency: (?:\d+\.\d{9}|\d+\.\d{6}(?:ms|µs)|\d+ns)$/);
  });

  describe('the will', () => {
    const WILL = ['--will-topic', 'will', '--will-payload', 'gone'];

    test('is not published after a response (D-2)', async () => {
      const broker = await startBroker(name);
      await startResponder(broker.port, ({ answer }) => answer('yes'));
      const watcher = await startSubscriber([...broker.at, '-t', 'will', '-t', 'end', '-v']);
      expect((await runProgram('tsmqtt-rr', [...broker.at, ...REQUEST, ...WILL])).code).toBe(0);
      await runProgram('tsmqtt-pub', [...broker.at, '-t', 'end', '-m', 'end']);
      await watcher.message('end end');
      expect(await watcher.stop()).toEqual(['end end']);
    });

    test('is published when the time is up, in MQTT 5 (cli §12.8)', async () => {
      const broker = await startBroker(name);
      const watcher = await startSubscriber([...broker.at, '-t', 'will', '-v']);
      const ended = await runProgram('tsmqtt-rr', [
        ...broker.at,
        ...REQUEST,
        ...WILL,
        '-W',
        '1',
        '--latency',
      ]);
      expect(ended).toMatchObject({ code: 27, stdout: Buffer.alloc(0), stderr: 'Timed out\n' });
      await watcher.message('will gone');
    });

    test.each(['SIGINT', 'SIGTERM'] as const)(
      'is published after %s, which kills (cli §13)',
      async (signal) => {
        const broker = await startBroker(name);
        const watcher = await startSubscriber([...broker.at, '-t', 'will', '-v']);
        const started = startProgram('tsmqtt-rr', [...broker.at, ...REQUEST, ...WILL, '-d']);
        await started.line(/ sending PUBLISH /);
        expect(await started.kill(signal)).toMatchObject({ code: null, signal });
        await watcher.message('will gone');
      },
    );
  });

  test('the broker goes: exit 7, and no second attempt', async () => {
    const broker = await startBroker(name);
    const started = startProgram('tsmqtt-rr', [...broker.at, ...REQUEST, '-d']);
    await started.line(/ sending PUBLISH /);
    await broker.child.kill();
    expect(await started.ended).toMatchObject({ code: 7, stderr: 'Error: The connection was lost\n' });
  });
});

test('--local needs no broker', async () => {
  const at = ['--local', '-p', String(await freePort())];
  const { code, stdout } = await runProgram('tsmqtt-rr', [...at, '-t', 'echo', '-e', 'echo', '-m', 'hi']);
  expect([code, stdout.toString()]).toEqual([0, 'hi\n']);
});

test('--local: who responds may come first, too', async () => {
  const port = await freePort();
  const host = await startSubscriber(['--local', '-p', String(port), '-t', 'ask', '-v']);
  await startResponder(port, ({ answer }) => answer('yes'));
  const { code, stdout } = await runProgram('tsmqtt-rr', ['--local', '-p', String(port), ...REQUEST]);
  expect([code, stdout.toString()]).toEqual([0, 'yes\n']);
  expect(await host.stop()).toEqual(['ask question']);
});

test.skipIf(!existsSync('/dev/full'))('a full stdout is no failure, as with the reference', async () => {
  const broker = await startBroker('tsmqtt-broker');
  const echo = [...broker.at, '-t', 'echo', '-e', 'echo', '-m', 'x'].join(' ');
  const command = `${process.execPath} ${programFile('tsmqtt-rr')} ${echo} >/dev/full`;
  expect(await startChild('sh', ['-c', command], { input: '' }).ended).toMatchObject({ code: 0, stderr: '' });
});
