import { connect, Delivery, tcp } from '@tsmqtt/client';
import type { Properties, Publish } from '@tsmqtt/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ArgumentError } from '../packages/cli-kit/src/options/argument-error.js';
import { clockOf, formatted } from '../packages/cli-kit/test/formatted.js';
import { type RunningBroker, startBroker } from './support/brokers.js';
import { type Ended, startChild } from './support/child.js';
import { anyFormatCase, type FormatCase, formatCase } from './support/format-cases.js';
import { FORMAT_DIFFERENCES } from './support/format-differences.js';
import { describePeer, findPeer } from './support/peers.js';

const RANDOM_CASES = 300;
/** Cases under way at the same time. */
const LANES = 4;
/** Messages with QoS 0 wait in sessions, too. */
const BROKER = { conf: ['allow_anonymous true', 'queue_qos0_messages true'] };
const HINT = "\nUse 'mosquitto_sub --help' to see usage.\n";

/** Prints of one message. */
interface Printed {
  readonly out: string;
  readonly errors: string;
}

let lastCase = 0;

/** What the reference and what our formatter prints for a message that both receive from the same broker. */
async function printBoth(
  broker: RunningBroker,
  given: FormatCase,
): Promise<{ theirs: Printed; ours: Printed }> {
  const topic = `${++lastCase}/${given.topic}`;
  const id = `case-${lastCase}`;
  const identifier = given.subscriptionIdentifier;
  const subscribe = [
    ...['-V', '5', '-t', topic, '-q', '2', '-F', given.format],
    ...(identifier === undefined ? [] : ['-D', 'SUBSCRIBE', 'subscription-identifier', String(identifier)]),
    ...(given.pretty ? ['--pretty'] : []),
    ...(given.retain ? [] : ['-c', '-x', '600', '-i', `${id}-theirs`]),
  ];
  const receiver = ourReceiver(broker, topic, `${id}-ours`, given);
  if (!given.retain) {
    await reference(broker, [...subscribe, '-E']);
    await receiver.subscribe();
  }
  await publish(broker, topic, given);
  const [printed, message] = await Promise.all([
    reference(broker, [...subscribe, '-C', '1', '-W', '10']),
    receiver.receive(),
  ]);
  return {
    theirs: { out: printed.stdout.toString('latin1'), errors: printed.stderr },
    ours: print(given, message),
  };
}

function reference(broker: RunningBroker, args: readonly string[]): Promise<Ended> {
  return startChild(findPeer('mosquitto_sub')!, [...broker.at, ...args], { input: '' }).ended;
}

async function publish(broker: RunningBroker, topic: string, given: FormatCase): Promise<void> {
  const client = await connect({ connector: tcp({ host: '127.0.0.1', port: broker.port }) });
  const { payload, qos, retain, properties } = given;
  await client.publish(topic, payload, { qos, retain, properties });
  await client.end();
}

/** Receives the message as mosquitto_sub does: the first one of a connection of its own. */
function ourReceiver(broker: RunningBroker, topic: string, clientId: string, given: FormatCase) {
  const identifier = given.subscriptionIdentifier;
  const session: Properties = [{ name: 'sessionExpiryInterval', value: 600 }];
  const open = (onMessage: (message: Publish) => void) =>
    connect({
      connector: tcp({ host: '127.0.0.1', port: broker.port }),
      clientId,
      cleanStart: given.retain,
      properties: given.retain ? [] : session,
      onMessage: (message) => {
        const { type, topic: name, qos, retain, dup, packetId, properties } = message;
        onMessage({
          type,
          topic: name,
          payload: Buffer.from(message.payload),
          qos,
          retain,
          dup,
          packetId,
          properties,
        });
        return Delivery.CONTINUE;
      },
    });
  const subscribeWith = (client: Awaited<ReturnType<typeof open>>) =>
    client.subscribe(
      [{ filter: topic, qos: 2, noLocal: false, retainAsPublished: false, retainHandling: 0 }],
      identifier === undefined ? {} : { properties: [{ name: 'subscriptionIdentifier', value: identifier }] },
    );
  return {
    subscribe: async () => {
      const client = await open(() => expect.fail('a message before it was published'));
      await subscribeWith(client);
      await client.end();
    },
    receive: async () => {
      let received = (_: Publish) => {};
      const message = new Promise<Publish>((resolve) => {
        received = resolve;
      });
      const client = await open((each) => received(each));
      if (given.retain) await subscribeWith(client);
      const first = await message;
      await client.end();
      return first;
    },
  };
}

function print(given: FormatCase, message: Publish): Printed {
  try {
    const clock = clockOf(1_795_431_081_075_397_123n);
    const { out, errors } = formatted(given.format, message, { pretty: given.pretty, lineEnd: true, clock });
    return { out: out.toString('latin1'), errors };
  } catch (error) {
    if (error instanceof ArgumentError) return { out: '', errors: Buffer.from(error.text).toString() + HINT };
    throw error;
  }
}

/** Everybody reads the clock at another time. */
function withoutTime({ out, errors }: Printed, allDigits = false): Printed {
  const time = /("tst":\t?")([^"]*)/g;
  const zeros = (text: string) => text.replace(/\d/g, '0');
  return { out: allDigits ? zeros(out) : out.replace(time, (_, name, stamp) => name + zeros(stamp)), errors };
}

function rewritten(theirs: Printed, pretty: boolean): Printed {
  let { out } = theirs;
  for (const { rewrite } of FORMAT_DIFFERENCES) out = rewrite?.(out, pretty) ?? out;
  return { out, errors: theirs.errors };
}

/** Runs `each` for all of `items`, a few at a time. */
async function inLanes<T>(items: readonly T[], each: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const lane = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await each(item);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

describePeer('mosquitto_sub', '-F against mosquitto_sub 2.0.11', () => {
  test('random formats, messages and properties print the same', { timeout: 120_000 }, async () => {
    const broker = await startBroker('mosquitto', BROKER);
    const cases = fc.sample(anyFormatCase, { numRuns: RANDOM_CASES, seed: 20261123 });
    const wrong: unknown[] = [];
    await inLanes(cases, async (given) => {
      const { theirs, ours } = await printBoth(broker, given);
      const expected = withoutTime(rewritten(theirs, given.pretty));
      const actual = withoutTime(ours);
      if (expected.out !== actual.out || expected.errors !== actual.errors) {
        wrong.push({ ...given, payload: given.payload.toString('latin1'), expected, actual });
      }
    });
    expect(wrong).toEqual([]);
  });

  test('times have the same shape', async () => {
    const broker = await startBroker('mosquitto', BROKER);
    const formats = [
      '%30I|%-30I|%.10I|%30.13I|%030I',
      '%U|%30U|%-030.2U',
      '@F @T.@N @s @z @Z',
      '@D @R @C @y @Y @u',
    ];
    await inLanes(formats, async (format) => {
      const { theirs, ours } = await printBoth(broker, formatCase(format));
      expect(withoutTime(ours, true)).toEqual(withoutTime(theirs, true));
    });
  });

  test('what is no format is refused with the same words', async () => {
    const formats = [
      '%',
      'a%',
      '@',
      '%-',
      '%0',
      '%-05',
      '%.',
      '%5.',
      '%5.5',
      '%z',
      '%t%Q',
      '%05é',
      '\\',
      '\\q',
      '\\é',
      'a\\',
    ];
    await inLanes(formats, async (format) => {
      const { code, stdout, stderr } = await startChild(
        findPeer('mosquitto_sub')!,
        ['-t', 'a', '-F', format],
        {
          input: '',
        },
      ).ended;
      expect(code).toBe(1);
      const ours = print(formatCase(format), undefined as never);
      expect(ours).toEqual({ out: stdout.toString(), errors: stderr });
    });
  });

  test('intended differences are there, and explain themselves', async () => {
    const broker = await startBroker('mosquitto', BROKER);
    const stale: unknown[] = [];
    await inLanes(FORMAT_DIFFERENCES, async ({ number, what, example, rewrite }) => {
      const { theirs, ours } = await printBoth(broker, example);
      const expected = withoutTime(theirs);
      const actual = withoutTime(ours);
      if (rewrite !== undefined) {
        // The other rewrites may be needed as well; without this one it must not come out right.
        const without = FORMAT_DIFFERENCES.filter((other) => other.rewrite !== rewrite).reduce(
          (out, other) => other.rewrite?.(out, false) ?? out,
          theirs.out,
        );
        if (withoutTime({ out: without, errors: '' }).out === actual.out) stale.push({ number, what });
        expect(withoutTime(rewritten(theirs, false))).toEqual(actual);
      } else if (
        withoutTime(rewritten(theirs, false)).out === actual.out &&
        expected.errors === actual.errors
      ) {
        stale.push({ number, what, theirs, ours });
      }
    });
    expect(stale).toEqual([]);
  });
});
