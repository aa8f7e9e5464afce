import type { Properties, Property } from '@tsmqtt/protocol';
import fc from 'fast-check';

/** A message, how it is delivered, and the format it is printed with. */
export interface FormatCase {
  readonly format: string;
  readonly payload: Buffer;
  /** Behind a prefix that is the case's own. */
  readonly topic: string;
  readonly qos: 0 | 1 | 2;
  /** Delivered as a retained message; otherwise out of a session. */
  readonly retain: boolean;
  readonly properties: Properties;
  readonly subscriptionIdentifier: number | undefined;
  readonly pretty: boolean;
}

export function formatCase(format: string, fields: Partial<FormatCase> = {}): FormatCase {
  return {
    format,
    payload: Buffer.from('hello'),
    topic: 't',
    qos: 0,
    retain: true,
    properties: [],
    subscriptionIdentifier: undefined,
    pretty: false,
    ...fields,
  };
}

const digits = fc.oneof(
  { weight: 1, arbitrary: fc.constant('') },
  { weight: 2, arbitrary: fc.nat(30).map(String) },
);
const minus = fc.constantFrom('', '', '-');
const zero = fc.constantFrom('', '0');
const precision = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  fc.nat(12).map((number) => `.${number}`),
  fc.constant('.'),
);

/** `%` with flags, width and precision before a letter that heeds all of them. */
const spec = (letters: string) =>
  fc.tuple(minus, zero, digits, precision, fc.constantFrom(...letters)).map((parts) => `%${parts.join('')}`);

/** What 2.0.11 prints as the contract says; what it does not stands in the list of differences. */
const conversion = fc.oneof(
  { weight: 6, arbitrary: spec('tttlllqrmmAEFRRSSDP%') },
  fc.tuple(minus, digits, precision).map((parts) => `%${parts.join('')}C`),
  fc.tuple(zero, digits, precision).map((parts) => `%${parts.join('')}p`),
  fc.tuple(minus, zero, fc.integer({ min: 1, max: 60 }), precision).map((parts) => `%${parts.join('')}p`),
  fc.tuple(zero, fc.constantFrom('x', 'X')).map((parts) => `%${parts.join('')}`),
  fc.constantFrom(
    '@@',
    '@Q',
    '@-d',
    '@E',
    '@%',
    '@n',
    '@t',
    '@+',
    '@ ',
    '\\\\',
    '\\n',
    '\\a',
    '\\e',
    '\\t',
    '\\v',
    '\\r',
    '\\0',
  ),
);
const json = fc.constantFrom('%j', '%J', '%-020.3j');
const literal = fc.string({ unit: fc.constantFrom(...'abc %-|é€😀"\t'.replace('%', '')), maxLength: 4 });

const format = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: conversion },
      { weight: 1, arbitrary: json },
      { weight: 2, arbitrary: literal },
    ),
    {
      minLength: 1,
      maxLength: 6,
    },
  )
  .map((parts) => parts.join(''));

/** Values whose numbers 2.0.11 prints as they came, and without names that the comparison looks for. */
const jsonText = fc
  .jsonValue({ stringUnit: fc.constantFrom(...'ab/\\"é😀\n\b\f\u0001') })
  .map((value) =>
    JSON.stringify(value, (_, item) => (typeof item === 'number' ? Math.trunc(item) % 1e9 : item)),
  );

const payload = fc.oneof(
  fc
    .string({ unit: fc.constantFrom(...'abc é€😀"\\\n\u0001\u007f/'), maxLength: 40 })
    .map((text) => Buffer.from(text)),
  jsonText.map((text) => Buffer.from(text)),
  fc
    .constantFrom('', '{', '[1,]', ' [ 1 , "x" ] ', '"\\u00e9\\ud83d\\ude00\\/"', '{"b":1,"1":2,"0":3,"b":4}')
    .map((text) => Buffer.from(text)),
);

const property: fc.Arbitrary<Property> = fc.oneof(
  fc.constantFrom('text/plain', '', 'é').map((value) => ({ name: 'contentType' as const, value })),
  fc.constantFrom('r', 'r/é').map((value) => ({ name: 'responseTopic' as const, value })),
  fc
    .constantFrom('', 'corr', 'a\0b', 'é')
    .map((text) => ({ name: 'correlationData' as const, value: Buffer.from(text) })),
  fc.constant({ name: 'payloadFormatIndicator' as const, value: 1 }),
  fc
    .tuple(fc.constantFrom('a', 'b', 'é', ''), fc.constantFrom('1', '', '"\\'))
    .map((value) => ({ name: 'userProperty' as const, value })),
);

/** At most one of each, but for user properties (MQTT 5, 3.3.2.3). */
const properties = fc
  .array(property, { maxLength: 5 })
  .map((list) =>
    list.filter(
      ({ name }, index) =>
        name === 'userProperty' || list.findIndex((other) => other.name === name) === index,
    ),
  );

export const anyFormatCase: fc.Arbitrary<FormatCase> = fc
  .record({
    format,
    payload,
    topic: fc.string({ unit: fc.constantFrom(...'ab/é😀"\\ '), minLength: 1, maxLength: 12 }),
    qos: fc.constantFrom(0 as const, 1 as const, 2 as const),
    retain: fc.constantFrom(true, true, true, false),
    properties,
    subscriptionIdentifier: fc.constantFrom(undefined, undefined, 1, 268435455),
    pretty: fc.constantFrom(false, false, false, true),
  })
  // An empty retained message is none (MQTT 5, 3.3.1.3).
  .map((given) => ({ ...given, retain: given.retain && given.payload.length > 0 }));
