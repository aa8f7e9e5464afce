import { lazily, type PropertyName, type PropertyValue, type Publish, property } from '@tsmqtt/protocol';

/** What a conversion prints and how width, precision and flags apply to it (cli §14.4). */
export type ConversionKind =
  | { readonly class: 'int'; readonly value: (message: Publish) => number | undefined }
  | {
      readonly class: 'str';
      readonly value: (message: Publish) => string | undefined;
      /** Where the property is absent its width is filled; otherwise nothing is printed. */
      readonly fillsAbsent: boolean;
    }
  | { readonly class: 'raw' }
  | { readonly class: 'hex'; readonly upperCase: boolean }
  | { readonly class: 'float'; readonly bytes: 4 | 8; readonly complaint: string }
  /** Local time, laid out like a string. */
  | { readonly class: 'local-time' }
  | { readonly class: 'unix-time' }
  | { readonly class: 'json'; readonly payload: 'text' | 'value' }
  /** Bytes or text as they are; width, precision and flags mean nothing. */
  | { readonly class: 'none'; readonly value: (message: Publish) => string | Uint8Array | undefined };

export type Conversion = ConversionKind & {
  readonly letter: string;
  /** What it prints, for help and documentation. */
  readonly prints: string;
};

function of<N extends PropertyName>(name: N): (message: Publish) => PropertyValue<N> | undefined {
  return ({ properties }) => property(properties, name);
}

function userProperties({ properties }: Publish): string {
  const pairs: string[] = [];
  for (const { name, value } of properties) {
    if (name === 'userProperty') pairs.push(`${value[0]}:${value[1]}`);
  }
  return pairs.join(' ');
}

/** Every conversion of `-F` but `%%` (cli §14.3). The only list: compiler, printer and documentation derive from it. */
// biome-ignore format: one row a line
export const conversionTable = lazily((): readonly Conversion[] => [
  { letter: 't', prints: 'topic', class: 'str', value: ({ topic }) => topic, fillsAbsent: false },
  { letter: 'p', prints: 'payload', class: 'raw' },
  { letter: 'x', prints: 'payload in lower case hexadecimal digits', class: 'hex', upperCase: false },
  { letter: 'X', prints: 'payload in upper case hexadecimal digits', class: 'hex', upperCase: true },
  { letter: 'l', prints: 'length of the payload in bytes', class: 'int', value: ({ payload }) => payload.length },
  { letter: 'q', prints: 'QoS', class: 'none', value: ({ qos }) => QOS_DIGITS[qos] },
  { letter: 'r', prints: 'retain flag, 0 or 1', class: 'none', value: ({ retain }) => (retain ? '1' : '0') },
  { letter: 'm', prints: 'packet identifier, 0 with QoS 0', class: 'int', value: ({ packetId }) => packetId },
  { letter: 'I', prints: 'local time as YYYY-MM-DDTHH:MM:SS±hhmm', class: 'local-time' },
  { letter: 'U', prints: 'seconds since 1970 with nanoseconds', class: 'unix-time' },
  { letter: 'j', prints: 'message as JSON, the payload as a string', class: 'json', payload: 'text' },
  { letter: 'J', prints: 'message as JSON, the payload as the JSON value it is', class: 'json', payload: 'value' },
  { letter: 'f', prints: 'payload of 4 bytes as a little-endian float', class: 'float', bytes: 4, complaint: 'requested float printing, but non-float data received' },
  { letter: 'd', prints: 'payload of 8 bytes as a little-endian double', class: 'float', bytes: 8, complaint: 'requested double printing, but non-double data received' },
  { letter: 'A', prints: 'topic alias', class: 'int', value: of('topicAlias') },
  { letter: 'C', prints: 'content type', class: 'str', value: of('contentType'), fillsAbsent: true },
  { letter: 'D', prints: 'correlation data', class: 'none', value: of('correlationData') },
  { letter: 'E', prints: 'message expiry interval in seconds', class: 'int', value: of('messageExpiryInterval') },
  { letter: 'F', prints: 'payload format indicator', class: 'int', value: of('payloadFormatIndicator') },
  { letter: 'P', prints: 'user properties as name:value, separated by spaces', class: 'none', value: userProperties },
  { letter: 'R', prints: 'response topic', class: 'str', value: of('responseTopic'), fillsAbsent: false },
  { letter: 'S', prints: 'first subscription identifier', class: 'int', value: of('subscriptionIdentifier') },
]);

const QOS_DIGITS = ['0', '1', '2'] as const;
