import { expect, test } from 'vitest';
import { describeBrokers, startBroker } from './support/brokers.js';
import { runProgram, startSubscriber } from './support/programs.js';

/** Topics that are published, and which of them each filter lets through, in that order. */
const published = ['a', 'a/b', 'a/b/c', 'a/b/d', 'a/b/c/d', 'a/b/c/x/d', 'a/b//d', 'b/a'];
// biome-ignore format: one row a line
const filters = [
  { filter: '#', passed: published },
  { filter: 'a/b/+/d', passed: ['a/b/c/d', 'a/b//d'] },
  { filter: 'a/b/#', passed: ['a/b', 'a/b/c', 'a/b/d', 'a/b/c/d', 'a/b/c/x/d', 'a/b//d'] },
  { filter: 'a/b/#/d', passed: ['a/b/d', 'a/b/c/d', 'a/b/c/x/d', 'a/b//d'] },
  { filter: '+/b', passed: ['a/b'] },
];

describeBrokers('delivery', (name) => {
  for (const { filter, passed } of filters) {
    test(`${filter} gets what it matches and nothing else`, async () => {
      const broker = await startBroker(name);
      const marker = filter === '#' ? [] : ['-t', 'end'];
      const subscriber = await startSubscriber([...broker.at, '-v', '-t', filter, ...marker]);
      for (const topic of published) await runProgram('tsmqtt-pub', [...broker.at, '-t', topic, '-m', '*']);
      await runProgram('tsmqtt-pub', [...broker.at, '-t', 'end', '-m', '*']);
      await subscriber.message('end *');
      expect(await subscriber.stop()).toEqual([...passed, 'end'].map((topic) => `${topic} *`));
    });
  }

  for (const version of ['31', '311', '5']) {
    for (const qos of [0, 1, 2]) {
      test(`QoS ${qos} with -V ${version} arrives once, with its QoS`, async () => {
        const broker = await startBroker(name);
        const both = [...broker.at, '-V', version, '-t', 'q', '-q', String(qos)];
        const subscriber = await startSubscriber([...both, '-v']);
        const first = await runProgram('tsmqtt-pub', [...both, '-m', 'one']);
        const second = await runProgram('tsmqtt-pub', [...both, '-m', 'two']);
        expect([first.code, first.stderr, second.code]).toEqual([0, '', 0]);
        await subscriber.message('q two');
        const trace = subscriber.child.stdout.toString();
        expect(trace.match(/received PUBLISH \(d0, q\d, r0/g)).toEqual([
          `received PUBLISH (d0, q${qos}, r0`,
          `received PUBLISH (d0, q${qos}, r0`,
        ]);
        expect(await subscriber.stop()).toEqual(['q one', 'q two']);
      });
    }
  }

  test('a retained message greets a later subscriber until it is cleared', async () => {
    const broker = await startBroker(name);
    const topic = [...broker.at, '-t', 'house/door'];
    await runProgram('tsmqtt-pub', [...topic, '-r', '-m', 'shut']);
    await runProgram('tsmqtt-pub', [...topic, '-r', '-m', 'open']);
    const greeted = await runProgram('tsmqtt-sub', [...topic, '-v', '-C', '1']);
    expect(greeted).toMatchObject({ code: 0 });
    expect(greeted.stdout.toString()).toBe('house/door open\n');

    await runProgram('tsmqtt-pub', [...topic, '-r', '-n']);
    const later = await startSubscriber([...topic, '-v']);
    await runProgram('tsmqtt-pub', [...topic, '-m', 'live']);
    await later.message('house/door live');
    expect(await later.stop()).toEqual(['house/door live']);
  });

  test('the will of a killed subscriber appears, that of one that ended does not', async () => {
    const broker = await startBroker(name);
    const watcher = await startSubscriber([...broker.at, '-v', '-t', 'will/#', '-q', '1']);
    const mortal = (id: string) => {
      const will = ['--will-topic', `will/${id}`, '--will-payload', 'gone', '--will-qos', '1'];
      return startSubscriber([...broker.at, '-i', id, '-t', 'x', ...will]);
    };
    const killed = await mortal('killed');
    const ended = await mortal('ended');
    expect((await ended.child.kill('SIGINT')).code).toBe(0);
    await killed.child.kill('SIGKILL');
    await watcher.message('will/killed gone');
    await runProgram('tsmqtt-pub', [...broker.at, '-t', 'will/end', '-m', '*', '-q', '1']);
    await watcher.message('will/end *');
    expect(await watcher.stop()).toEqual(['will/killed gone', 'will/end *']);
  });

  for (const qos of ['0', '1', '2']) {
    test(`a publisher's will stays away after it published with QoS ${qos}`, async () => {
      const broker = await startBroker(name);
      const watcher = await startSubscriber([...broker.at, '-v', '-t', '#', '-q', '1']);
      const will = ['--will-topic', 'will', '--will-payload', 'gone'];
      await runProgram('tsmqtt-pub', [...broker.at, ...will, '-t', 'a', '-m', 'b', '-q', qos]);
      await runProgram('tsmqtt-pub', [...broker.at, '-t', 'end', '-m', '*']);
      await watcher.message('end *');
      expect(await watcher.stop()).toEqual(['a b', 'end *']);
    });
  }
});
