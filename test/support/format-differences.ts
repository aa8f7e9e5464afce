import { type FormatCase, formatCase } from './format-cases.js';

/** Where `-F` of this project and of Debian's mosquitto_sub 2.0.11 print something else, and why. */
export interface FormatDifference {
  /** Decision, deviation, trap or section of the contract. */
  readonly number: string;
  readonly what: string;
  /** Shows the difference: an entry whose example prints the same in both is out of date. */
  readonly example: FormatCase;
  /** Makes our output of the reference's. Absent: nothing random goes there, the example is all. */
  readonly rewrite?: (theirs: string, pretty: boolean) => string;
}

const STRING = '"(?:[^"\\\\]|\\\\.)*"';
const BLANK = '[\\n\\t]*';
const MEMBER = `${STRING}:\\t?${STRING}`;
const USER_PROPERTIES = new RegExp(
  `("user-properties":\\t?)\\{${BLANK}((?:${MEMBER})(?:,${BLANK}${MEMBER})*)${BLANK}\\}`,
  'g',
);

const bytes = (hex: string) => Buffer.from(hex, 'hex');
const text = (payload: string) => ({ payload: Buffer.from(payload) });

export const FORMAT_DIFFERENCES: readonly FormatDifference[] = [
  {
    number: 'cli §15.1',
    what: 'tst has no Z before the offset',
    example: formatCase('%j'),
    rewrite: (theirs) => theirs.replace(/("tst":\t?"[0-9T:.-]*)Z/g, '$1'),
  },
  {
    number: 'T-39',
    what: 'retain is a boolean',
    example: formatCase('%j'),
    rewrite: (theirs) =>
      theirs.replace(/("retain":\t?)([01]),/g, (_, name, value) => `${name}${value === '1'},`),
  },
  {
    number: 'cli §15.1',
    what: 'user properties are an array of objects with one member',
    example: formatCase('%j', { properties: [{ name: 'userProperty', value: ['a', '1'] }] }),
    rewrite: (theirs, pretty) =>
      theirs.replace(USER_PROPERTIES, (_, name, members: string) => {
        const each = members.match(new RegExp(MEMBER, 'g')) ?? [];
        const [open, close, between] = pretty ? ['{\n\t\t\t\t', '\n\t\t\t}', ', '] : ['{', '}', ','];
        return `${name}[${each.map((member) => open + member + close).join(between)}]`;
      }),
  },
  {
    number: 'P-6',
    what: 'a payload that is not UTF-8 is base64',
    example: formatCase('%j', { payload: bytes('61ff') }),
  },
  {
    number: 'P-6',
    what: 'a payload with NUL is whole',
    example: formatCase('%j', { payload: bytes('610062') }),
  },
  {
    number: 'P-6',
    what: 'bytes that are not UTF-8 in a string of %J become U+FFFD',
    example: formatCase('%J', { payload: bytes('22ff22') }),
  },
  {
    number: 'P-6',
    what: 'bytes that are not UTF-8 in correlation data become U+FFFD in JSON',
    example: formatCase('%j', { properties: [{ name: 'correlationData', value: bytes('61ff') }] }),
  },
  { number: 'P-7', what: 'whole numbers beyond 2^53', example: formatCase('%J', text('9007199254740993')) },
  { number: 'P-7', what: 'numbers with an exponent', example: formatCase('%J', text('[1e3]')) },
  { number: 'P-7', what: 'numbers with zeros behind the point', example: formatCase('%J', text('27.0')) },
  { number: 'P-7', what: 'small numbers', example: formatCase('%J', text('{"a":1e-7}')) },
  { number: 'P-7', what: 'numbers beyond the largest double', example: formatCase('%J', text('1e400')) },
  {
    number: 'cli §15.3',
    what: 'four characters behind \\u that are no digits are no JSON',
    example: formatCase('%J', text('"\\uZZZZ"')),
  },
  { number: 'D-10', what: '%-p without width adds no spaces', example: formatCase('%-p|') },
  { number: 'D-10', what: '%-x without width adds no spaces', example: formatCase('%-x|') },
  {
    number: 'D-10',
    what: '%E is unsigned',
    example: formatCase('%E', { properties: [{ name: 'messageExpiryInterval', value: 4294960000 }] }),
  },
  { number: 'T-42', what: 'width of %x', example: formatCase('%12x') },
  { number: 'T-42', what: 'groups of %x', example: formatCase('%.2x') },
  { number: 'T-44', what: 'absent %C with the flag 0', example: formatCase('%04C') },
  { number: 'cli §14.2', what: 'separators', example: formatCase('%.2:x') },
  { number: 'cli §14.3', what: '%f', example: formatCase('%f', { payload: bytes('0000803f') }) },
  { number: 'cli §14.3', what: '%d', example: formatCase('%d', { payload: bytes('000000000000f03f') }) },
];
