import { PROPERTIES, type Properties, type Property, type Publish } from '@tsmqtt/protocol';
import { ByteBuffer, type ByteSink } from './byte-sink.js';
import { writeDecimal } from './field.js';
import { JsonLayout } from './json-layout.js';
import { JsonPayloadWriter } from './json-payload.js';
import { writeJsonString, writeJsonStringOfAnyBytes } from './json-string.js';
import type { LocalTime } from './local-time.js';
import type { NanosecondClock } from './nanosecond-clock.js';
import { clockTime, isoDate, zoneOffset } from './strftime.js';

const ZERO = 0x30;
const NULL = Buffer.from('null');
const USER_PROPERTIES = '"user-properties"';

/** Names as the options spell them, quoted. */
const LABELS: ReadonlyMap<string, string> = new Map(
  PROPERTIES.map(({ name, label }) => [name, `"${label}"`]),
);

/** What stands between the time and the length of the payload, for the topic of the last such message. */
interface Middle {
  readonly flags: string;
  topic: string | undefined;
  bytes: Uint8Array;
}

/** Writes messages as JSON objects: `%j` and `%J` (cli §15). */
export class JsonMessage {
  readonly #out: ByteSink;
  readonly #clock: NanosecondClock;
  readonly #time: LocalTime;
  readonly #pretty: boolean;
  /** From the start to the name of the topic; the microseconds in it are written over. */
  #stamp = Buffer.alloc(0);
  readonly #microsecondsAt: number;
  /** From the topic to the length of the payload, by QoS and retain. */
  readonly #middles: readonly Middle[];
  readonly #packetIdHead: Uint8Array;
  readonly #propertiesHead: Uint8Array;
  readonly #payloadHead: Uint8Array;
  readonly #base64Head: Uint8Array;
  readonly #end: Uint8Array;
  /** Holds a payload until it is known to be JSON. */
  readonly #value = new ByteBuffer();
  readonly #valueWriter: JsonPayloadWriter;

  constructor(out: ByteSink, clock: NanosecondClock, time: LocalTime, pretty: boolean) {
    this.#out = out;
    this.#clock = clock;
    this.#time = time;
    this.#pretty = pretty;
    this.#valueWriter = new JsonPayloadWriter(this.#value, pretty, 1);
    this.#microsecondsAt = `${this.#head('tst', true)}"2026-11-23T10:51:21.`.length;
    this.#middles = [0, 1, 2].flatMap((qos) =>
      [false, true].map((retain) => ({
        flags: `${this.#head('qos')}${qos}${this.#head('retain')}${retain}${this.#head('payloadlen')}`,
        topic: undefined,
        bytes: NULL,
      })),
    );
    this.#packetIdHead = Buffer.from(this.#head('mid'));
    this.#propertiesHead = Buffer.from(this.#head('properties'));
    this.#payloadHead = Buffer.from(this.#head('payload'));
    this.#base64Head = Buffer.from(`null${this.#head('payload_base64')}"`);
    this.#end = Buffer.from(pretty ? '\n}' : '}');
  }

  /** `%j`: the payload as a string, or in base64 where it is not text (P-6). */
  writeWithText(message: Publish): void {
    this.#writeHead(message);
    const { payload } = message;
    const out = this.#out;
    if (payload.length === 0) out.bytes(NULL);
    else if (!writeJsonString(out, payload)) {
      out.bytes(this.#base64Head);
      out.text(Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString('base64'));
      out.text('"');
    }
    out.bytes(this.#end);
  }

  /** `%J`: the payload as the value it is. False, and nothing written, where it is none. */
  writeWithValue(message: Publish): boolean {
    const value = this.#value;
    value.clear();
    if (message.payload.length === 0) value.bytes(NULL);
    else if (!this.#valueWriter.write(message.payload)) return false;
    this.#writeHead(message);
    this.#out.bytes(value.view());
    this.#out.bytes(this.#end);
    return true;
  }

  /** Everything up to the payload. */
  #writeHead({ topic, payload, qos, retain, packetId, properties }: Publish): void {
    const out = this.#out;
    out.bytes(this.#stampNow());
    const middle = this.#middles[qos * 2 + (retain ? 1 : 0)]!;
    if (topic !== middle.topic) {
      middle.topic = topic;
      middle.bytes = Buffer.from(JSON.stringify(topic) + middle.flags);
    }
    out.bytes(middle.bytes);
    writeDecimal(out, payload.length);
    if (qos > 0) {
      out.bytes(this.#packetIdHead);
      writeDecimal(out, packetId);
    }
    if (properties.length > 0) {
      out.bytes(this.#propertiesHead);
      this.#writeProperties(properties);
    }
    out.bytes(this.#payloadHead);
  }

  /** `{"tst":"YYYY-MM-DDTHH:MM:SS.uuuuuu+hhmm","topic":` at this moment. */
  #stampNow(): Uint8Array {
    const time = this.#time;
    this.#clock.read();
    const { seconds, nanoseconds } = this.#clock;
    if (time.set(seconds, nanoseconds) || this.#stamp.length === 0) {
      const text = `${isoDate(time)}T${clockTime(time)}.000000${zoneOffset(time)}`;
      this.#stamp = Buffer.from(`${this.#head('tst', true)}"${text}"${this.#head('topic')}`);
    }
    const stamp = this.#stamp;
    let rest = Math.floor(nanoseconds / 1000);
    for (let at = this.#microsecondsAt + 5; at >= this.#microsecondsAt; at--) {
      const left = Math.floor(rest / 10);
      stamp[at] = ZERO + rest - left * 10;
      rest = left;
    }
    return stamp;
  }

  #writeProperties(properties: Properties): void {
    const out = this.#out;
    const layout = new JsonLayout(out, this.#pretty, 1);
    let gathered = false;
    layout.openObject();
    properties.forEach((entry, index) => {
      if (entry.name === 'userProperty') {
        // All of them stand where the first one did.
        if (gathered) return;
        gathered = true;
      }
      layout.member(index === 0);
      out.text(entry.name === 'userProperty' ? USER_PROPERTIES : LABELS.get(entry.name)!);
      layout.colon();
      if (entry.name === 'userProperty') this.#writeUserProperties(layout, properties);
      else this.#writeValue(entry.value);
    });
    layout.closeObject();
  }

  #writeUserProperties(layout: JsonLayout, properties: Properties): void {
    let first = true;
    layout.openArray();
    for (const { name, value } of properties) {
      if (name !== 'userProperty') continue;
      layout.element(first);
      first = false;
      layout.openObject();
      layout.member(true);
      this.#out.text(JSON.stringify(value[0]));
      layout.colon();
      this.#out.text(JSON.stringify(value[1]));
      layout.closeObject();
    }
    layout.closeArray();
  }

  #writeValue(value: Exclude<Property['value'], readonly string[]>): void {
    if (typeof value === 'number') writeDecimal(this.#out, value);
    else if (typeof value === 'string') this.#out.text(JSON.stringify(value));
    else {
      // Correlation data is shown as a C string: up to its first NUL (cli §15.1).
      const end = value.indexOf(0);
      writeJsonStringOfAnyBytes(this.#out, end === -1 ? value : value.subarray(0, end));
    }
  }

  /** What stands before a member's value on the first level. */
  #head(name: string, first = false): string {
    return `${first ? '{' : ','}${this.#pretty ? '\n\t' : ''}"${name}":${this.#pretty ? '\t' : ''}`;
  }
}
