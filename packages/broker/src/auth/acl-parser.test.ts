import { matches } from '@tsmqtt/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Log, silentLog } from '../log/log.js';
import { Right } from './access-list.js';
import { parseAcl } from './acl-parser.js';
import { Identity } from './identity.js';
import { SecretFileError } from './secret-file.js';
import { NO_SECRETS } from './secrets.js';

function parse(content: string | Uint8Array) {
  const warnings: string[] = [];
  const log: Log = { ...silentLog, warning: (text) => warnings.push(text) };
  const acl = parseAcl(Buffer.from(content as string), 'acl', log);
  const realm = {
    listener: '*:1883',
    anonymous: true,
    allowZeroLengthClientId: true,
    autoIdPrefix: '',
    secrets: { ...NO_SECRETS, acl },
  };
  const rights = (topic: string, username?: string, clientId = 'c') => {
    const client = new Identity(realm, clientId, username, silentLog);
    return `${client.may(Right.READ, topic) ? 'r' : ''}${client.may(Right.WRITE, topic) ? 'w' : ''}`;
  };
  return { rights, warnings };
}

describe('lines (broker §4.4)', () => {
  // biome-ignore format: one row a line
  const ROWS: readonly (readonly [text: string, topic: string, user: string | undefined, rights: string])[] = [
    ['topic a', 'a', undefined, 'rw'],
    ['topic read a', 'a', undefined, 'r'],
    ['topic write a', 'a', undefined, 'w'],
    ['topic readwrite a', 'a', undefined, 'rw'],
    ['topic a\ntopic deny a', 'a', undefined, ''],
    ['topic read', 'read', undefined, 'rw'],
    ['topic deny', 'deny', undefined, 'rw'],
    ['topic read write', 'write', undefined, 'r'],
    ['topic read a b', 'a b', undefined, 'r'],
    ['topic read a  b', 'a  b', undefined, 'r'],
    ['topic  read   a', 'a', undefined, 'r'],
    ['  topic a  ', 'a', undefined, 'rw'],
    ['topic a\r\n', 'a', undefined, 'rw'],
    ['topic read \r\n', 'read', undefined, 'rw'],
    ['#topic a\n\n   \n\r\ntopic b', 'b', undefined, 'rw'],
    ['topic ä/😀', 'ä/😀', undefined, 'rw'],
    ['user ann\ntopic a', 'a', 'ann', 'rw'],
    ['user  ann \ntopic a', 'a', 'ann', 'rw'],
    ['user ann lee\ntopic a', 'a', 'ann lee', 'rw'],
    ['user Jürgen\ntopic a', 'a', 'Jürgen', 'rw'],
    // broker T-12
    ['topic a\nuser ann\ntopic b', 'a', 'ann', ''],
    ['topic a\nuser ann\ntopic b', 'a', 'bob', ''],
    ['topic a\nuser ann\ntopic b', 'b', undefined, ''],
    ['user ann\npattern x/%u\ntopic b', 'b', 'ann', 'rw'],
    ['user ann\ntopic read a\nuser bob\ntopic b\nuser ann\ntopic write a', 'a', 'ann', 'rw'],
    ['user ann\ntopic a\nuser bob\nuser ann\ntopic deny a', 'a', 'ann', ''],
  ];
  for (const [text, topic, user, rights] of ROWS) {
    it(`${JSON.stringify(text)}: ${user ?? 'nobody'} has '${rights}' to ${topic}`, () => {
      expect(parse(text).rights(topic, user)).toBe(rights);
    });
  }

  it('an empty file refuses everything', () => {
    expect([parse('').rights('a'), parse('# nothing\n').rights('a', 'ann')]).toEqual(['', '']);
  });
});

describe('errors (broker §4.4)', () => {
  // biome-ignore format: one row a line
  it.each([
    ['foo', 1, 'Error: Invalid line in acl_file "acl": foo.'],
    ['topics a', 1, 'Error: Invalid line in acl_file "acl": topics.'],
    ['TOPIC a', 1, 'Error: Invalid line in acl_file "acl": TOPIC.'],
    ['topic a\ntopic\tb', 2, 'Error: Invalid line in acl_file "acl": topic\tb.'],
    ['\ttopic a', 1, 'Error: Invalid line in acl_file "acl": \ttopic.'],
    [' # indented', 1, 'Error: Invalid line in acl_file "acl": #.'],
    ['topic', 1, 'Error: Empty topic in acl_file "acl".'],
    ['topic  ', 1, 'Error: Empty topic in acl_file "acl".'],
    ['pattern', 1, 'Error: Empty topic in acl_file "acl".'],
    ['topic foo a', 1, 'Error: Invalid topic access type "foo" in acl_file "acl".'],
    ['topic readx a', 1, 'Error: Invalid topic access type "readx" in acl_file "acl".'],
    ['topic READ a', 1, 'Error: Invalid topic access type "READ" in acl_file "acl".'],
    ['pattern foo %c', 1, 'Error: Invalid topic access type "foo" in acl_file "acl".'],
    ['topic a b', 1, 'Error: Invalid topic access type "a" in acl_file "acl".'],
    ['topic a/#/b', 1, 'Error: Invalid ACL topic "a/#/b" in acl_file "acl".'],
    ['topic read a+', 1, 'Error: Invalid ACL topic "a+" in acl_file "acl".'],
    ['pattern read #%c', 1, 'Error: Invalid ACL topic "#%c" in acl_file "acl".'],
    ['topic a\0', 1, 'Error: Invalid ACL topic "a\0" in acl_file "acl".'],
    ['user', 1, 'Error: Missing username in acl_file "acl".'],
    ['\n\nuser  ', 3, 'Error: Missing username in acl_file "acl".'],
  ])('%j, line %i', (text, line, message) => {
    let error: unknown;
    try {
      parse(text);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(SecretFileError);
    expect(error).toMatchObject({ exitCode: 3, message: `${message} (acl:${line})` });
  });

  it('what is not UTF-8 is no topic of MQTT', () => {
    expect(() => parse(Buffer.from('topic \xff', 'latin1'))).toThrow('Invalid line');
  });
});

describe('warnings', () => {
  it.each([
    ['pattern read a', "Warning: ACL pattern 'a' does not contain '%c' or '%u'. (acl:1)"],
    [
      'pattern a%c',
      "Warning: ACL pattern 'a%c' does not contain '%c' or '%u' as a level of its own. (acl:1)",
    ],
  ])('%s', (text, warning) => {
    expect(parse(text).warnings).toEqual([warning]);
  });

  it.each(['pattern %c', 'pattern read a/%u/b', 'topic a'])('none for %s', (text) => {
    expect(parse(text).warnings).toEqual([]);
  });
});

describe('any content', () => {
  const word = fc.constantFrom(
    'topic',
    'user',
    'pattern',
    'read',
    'write',
    'deny',
    'a',
    '%c',
    '%u',
    '#',
    '+',
    '$SYS',
  );
  const line = fc.oneof(
    fc.array(word, { maxLength: 4 }).map((words) => words.join(' ')),
    fc.string({ unit: 'binary', maxLength: 20 }),
  );
  const content = fc.oneof(
    fc.array(line).map((lines) => Buffer.from(lines.join('\n'))),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  );

  it('is rules, or one error that names its line', () => {
    let wrong = 0;
    fc.assert(
      fc.property(content, (bytes) => {
        try {
          parse(bytes).rights('a', 'ann');
        } catch (error) {
          if (!(error instanceof SecretFileError)) throw error;
          wrong++;
          expect(error.lines).toHaveLength(1);
          expect(error.message).toMatch(/ \(acl:\d+\)$/);
          expect(Number(/:(\d+)\)$/.exec(error.message)?.[1])).toBeLessThanOrEqual(
            bytes.toString('latin1').split('\n').length,
          );
        }
      }),
      { numRuns: 2000 },
    );
    expect(wrong).toBeGreaterThan(100);
  });

  it('a line of a megabyte of spaces costs no time worth mentioning', () => {
    expect(() => parse(`topic${' '.repeat(1_000_000)}x y`)).toThrow('access type "x"');
  });
});

/** The rules of broker §4.4 word by word, line after line. */
function oracle(lines: readonly string[], access: 'read' | 'write', topic: string, user: string | undefined) {
  const hits = (filter: string) =>
    matches(filter.replaceAll('%c', 'c').replaceAll('%u', user ?? '%u'), topic);
  const own: string[][] = [];
  const patterns: string[][] = [];
  let owner: string | undefined;
  for (const text of lines) {
    const [keyword, first, ...rest] = text.split(' ') as [string, string];
    const rule = rest.length === 0 ? ['readwrite', first] : [first, rest.join(' ')];
    if (keyword === 'user') owner = first;
    else if (keyword === 'topic' && owner === user) own.push(rule);
    else if (keyword === 'pattern' && !(user === undefined && rule[1]?.includes('%u'))) patterns.push(rule);
  }
  const grants = ([right, filter]: string[]) =>
    (right === 'readwrite' || right === access) && hits(filter ?? '');
  const denies = ([right, filter]: string[]) => right === 'deny' && hits(filter ?? '');
  if (own.some(denies)) return false;
  if (own.some(grants)) return true;
  return !patterns.some(denies) && patterns.some(grants);
}

it('decides as the rules word by word do', () => {
  const level = fc.constantFrom('a', 'b', '+', '%c', '%u', 'c');
  const filter = fc
    .tuple(fc.array(level, { minLength: 1, maxLength: 3 }), fc.boolean())
    .map(([levels, hash]) => (hash ? [...levels, '#'] : levels).join('/'));
  const right = fc.constantFrom('', 'read ', 'write ', 'readwrite ', 'deny ');
  const lines = fc.array(
    fc.oneof(
      fc.tuple(right, filter).map(([access, text]) => `topic ${access}${text.replaceAll('%', 'p')}`),
      fc.tuple(right, filter).map(([access, text]) => `pattern ${access}${text}`),
      fc.constantFrom('user ann', 'user bob'),
    ),
    { maxLength: 12 },
  );
  const topic = fc.array(fc.constantFrom('a', 'b', 'c', 'ann'), { minLength: 1, maxLength: 4 });
  const user = fc.constantFrom('ann', 'bob', undefined);
  const counts = { allowed: 0, refused: 0 };
  fc.assert(
    fc.property(lines, topic, user, (text, levels, name) => {
      const topicName = levels.join('/');
      const expected = `${oracle(text, 'read', topicName, name) ? 'r' : ''}${oracle(text, 'write', topicName, name) ? 'w' : ''}`;
      counts[expected === '' ? 'refused' : 'allowed']++;
      expect(parse(text.join('\n')).rights(topicName, name)).toBe(expected);
    }),
    { numRuns: 10_000 },
  );
  expect(counts.allowed).toBeGreaterThan(500);
  expect(counts.refused).toBeGreaterThan(500);
});
