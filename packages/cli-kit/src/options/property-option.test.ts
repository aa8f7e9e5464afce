import { PROPERTIES } from '@tsmqtt/protocol';
import { describe, expect, test } from 'vitest';
import { bytes, MemoryIo } from '../../test/memory-io.js';
import { runCommandLine } from './command-line.js';
import { parseOptionsFile } from './options-file.js';
import { parseArguments } from './parse-arguments.js';
import { defaultSettings, type SettablePlace, type Settings } from './settings.js';

const HINT = "\nUse 'PROG --help' to see usage.\n";
const BAD = Buffer.from([0xff]);

type Argument = string | Uint8Array;

function parsed(...args: Argument[]): Settings {
  const settings = defaultSettings('pub');
  expect(parseArguments(bytes(args), settings)).toBeUndefined();
  return settings;
}

async function errorOf(args: readonly Argument[]): Promise<string> {
  const io = new MemoryIo();
  const code = await runCommandLine('pub', bytes(args), io, async () => expect.fail('must not run'));
  expect([code, io.out.toString()]).toEqual([1, '']);
  return io.err;
}

describe('what is wrong with -D, in the order it is looked for (cli §7)', () => {
  test.each<readonly [args: readonly Argument[], error: string]>([
    [[], '--property argument given but not enough arguments specified.\n\n'],
    [['connect'], '--property argument given but not enough arguments specified.\n\n'],
    [['nonsense', 'topic-alias'], '--property argument given but not enough arguments specified.\n\n'],
    [['Foo', 'nonsense', 'x'], 'Invalid command Foo given in --property argument.\n\n'],
    [['pingreq', 'user-property', 'a', 'b'], 'Invalid command pingreq given in --property argument.\n\n'],
    [['', 'user-property', 'a', 'b'], 'Invalid command  given in --property argument.\n\n'],
    [['publish', 'foO', 'x'], 'Invalid property name foO given in --property argument.\n\n'],
    [['connack', 'foo', 'x'], 'Invalid property name foo given in --property argument.\n\n'],
    [
      ['CONNECT', 'Topic-Alias', '3'],
      'Topic-Alias property not allowed for CONNECT in --property argument.\n\n',
    ],
    [['auth', 'topic-alias', '3'], 'topic-alias property not allowed for auth in --property argument.\n\n'],
    [['publish', 'user-property', 'x'], '--property argument given but not enough arguments specified.\n\n'],
    [['auth', 'user-property', 'x'], '--property argument given but not enough arguments specified.\n\n'],
    [
      ['auth', 'user-property', 'a', 'b'],
      'user-property property not supported for auth in --property argument.\n\n',
    ],
    ...['auth', 'puback', 'pubrec', 'pubrel', 'pubcomp', 'suback', 'unsuback'].map(
      (command) =>
        [
          [command, 'reason-string', 'x'],
          `reason-string property not supported for ${command} in --property argument.\n\n`,
        ] as const,
    ),
    [
      ['publish', 'subscription-identifier', '1'],
      'subscription-identifier property not supported for publish in --property argument.\n\n',
    ],
    [
      ['publish', 'payload-format-indicator', '256'],
      'Property value (256) out of range for property payload-format-indicator.\n\n',
    ],
    [
      ['publish', 'topic-alias', '65536'],
      'Property value (65536) out of range for property topic-alias.\n\n',
    ],
    [['publish', 'topic-alias', '-1'], 'Property value (-1) out of range for property topic-alias.\n\n'],
    [
      ['connect', 'maximum-packet-size', '4294967296'],
      'Property value (4294967296) out of range for property maximum-packet-size.\n\n',
    ],
    [
      ['subscribe', 'subscription-identifier', '4294967296'],
      'Property value (4294967296) out of range for property subscription-identifier.\n\n',
    ],
    // P-4: integers are strict.
    [
      ['publish', 'topic-alias', '12abc'],
      'Property value (12abc) out of range for property topic-alias.\n\n',
    ],
    [['publish', 'topic-alias', ''], 'Property value () out of range for property topic-alias.\n\n'],
    [
      ['publish', 'correlation-data', 'x'.repeat(65536)],
      'Property value too long for property correlation-data.\n\n',
    ],
  ])('%j', async (args, error) => {
    expect(await errorOf(['-D', ...args])).toBe(`Error: ${error}${HINT}`);
  });

  test.each<readonly [args: readonly Argument[], error: string]>([
    [['publish', 'content-type', BAD], 'content-type 6'],
    [['publish', 'content-type', 'a\u0000b'], 'content-type 6'],
    [['publish', 'content-type', 'x'.repeat(65536)], 'content-type 6'],
    [['subscribe', 'subscription-identifier', '268435456'], 'subscription-identifier 4'],
    [['publish', 'user-property', BAD, 'a'], 'user-property 7'],
    // D-20: the value is looked at, too.
    [['publish', 'user-property', 'a', BAD], 'user-property 7'],
  ])('%j cannot be added', async (args, error) => {
    expect(await errorOf(['--property', ...args])).toBe(`Error adding property ${error}\n${HINT}`);
  });

  test('of what is for CONNACK there is only the hint', async () => {
    expect(await errorOf(['-D', 'connack', 'receive-maximum', 'x'])).toBe(HINT);
  });
});

/** The table of cli §7, written down here once more: c p s u d w stand for the packets. */
const TABLE: readonly (readonly [property: string, places: string, value: string, read: unknown])[] = [
  ['payload-format-indicator', 'pw', '1', 1],
  ['message-expiry-interval', 'pw', '4294967295', 4294967295],
  ['content-type', 'pw', 'text/plain', 'text/plain'],
  ['response-topic', 'pw', 'a/b', 'a/b'],
  ['correlation-data', 'pw', 'xyz', Buffer.from('xyz')],
  ['topic-alias', 'p', '65535', 65535],
  ['subscription-identifier', 's', '268435455', 268435455],
  ['session-expiry-interval', 'cd', '0', 0],
  ['authentication-method', 'c', 'SCRAM', 'SCRAM'],
  ['authentication-data', 'c', '', Buffer.alloc(0)],
  ['request-problem-information', 'c', '0', 0],
  ['request-response-information', 'c', '1', 1],
  ['receive-maximum', 'c', '7', 7],
  ['topic-alias-maximum', 'c', '10', 10],
  ['maximum-packet-size', 'c', '100', 100],
  ['will-delay-interval', 'w', '5', 5],
  ['reason-string', 'dw', '', ''],
  ['server-reference', 'd', 'other', 'other'],
];
const PLACES: Readonly<Record<string, SettablePlace>> = {
  c: 'CONNECT',
  p: 'PUBLISH',
  s: 'SUBSCRIBE',
  u: 'UNSUBSCRIBE',
  d: 'DISCONNECT',
  w: 'WILL',
};

describe('what may be set where (cli §7)', () => {
  for (const [property, places, value, read] of TABLE) {
    const name = PROPERTIES.find(({ label }) => label === property)?.name;
    for (const [letter, place] of Object.entries(PLACES)) {
      const command = place.toLowerCase();
      if (places.includes(letter)) {
        test(`${command} ${property}`, () => {
          const settings = parsed('-D', place, property.toUpperCase(), value, '-r');
          expect(settings.properties[place]).toEqual([{ name, value: read }]);
          expect([settings.protocolVersion, settings.retain]).toEqual([5, true]);
        });
      } else if (property !== 'subscription-identifier' || letter !== 'p') {
        test(`${command} ${property} is refused`, async () => {
          expect(await errorOf(['-D', command, property, value])).toBe(
            `Error: ${property} property not allowed for ${command} in --property argument.\n\n${HINT}`,
          );
        });
      }
    }
  }

  test.each(Object.values(PLACES))('%s user-property', (place) => {
    const settings = parsed(
      '-D',
      place,
      'user-property',
      'name',
      '',
      '-D',
      place,
      'user-property',
      'name',
      'b',
    );
    expect(settings.properties[place]).toEqual([
      { name: 'userProperty', value: ['name', ''] },
      { name: 'userProperty', value: ['name', 'b'] },
    ]);
  });

  test('-V and -D count in their order (cli §3.2)', () => {
    const property = ['-D', 'publish', 'content-type', 'x'];
    expect(parsed('-V', '311', ...property).protocolVersion).toBe(5);
    expect(parsed(...property, '-V', '311').protocolVersion).toBe(4);
  });

  test('--property=COMMAND (P-5)', () => {
    expect(parsed('--property=publish', 'content-type', 'x', '-r')).toMatchObject({
      retain: true,
      properties: { PUBLISH: [{ name: 'contentType', value: 'x' }] },
    });
  });
});

describe('in an options file (D-16)', () => {
  function fromFile(content: string): Settings {
    const settings = defaultSettings('pub');
    expect(parseOptionsFile(Buffer.from(content), settings)).toBeUndefined();
    return settings;
  }

  test('words end at one space, the value is the rest', () => {
    const { properties, retain } = fromFile(
      '-D publish content-type  a b \n--property publish User-Property name the value\n-r\n-D publish response-topic r\r\n',
    );
    expect(properties.PUBLISH).toEqual([
      { name: 'contentType', value: ' a b ' },
      { name: 'userProperty', value: ['name', 'the value'] },
      { name: 'responseTopic', value: 'r' },
    ]);
    expect(retain).toBe(true);
  });

  test.each(['-D', '-D publish', '-D publish content-type', '-D publish user-property name'])(
    '%j',
    (content) => {
      expect(() => fromFile(content)).toThrow(
        '--property argument given but not enough arguments specified.',
      );
    },
  );
});
