import type { Publish } from '@tsmqtt/protocol';
import type { ByteSink } from './byte-sink.js';
import type { CompiledFormat, Field, FormatPart } from './compile-format.js';
import type { Conversion } from './conversion-table.js';
import { writeAbsent, writeDecimal, writeHex, writeNumber, writeRaw, writeString } from './field.js';
import { doubleBits, fixedPoint } from './fixed-point.js';
import { JsonMessage } from './json-message.js';
import { LocalTime } from './local-time.js';
import type { NanosecondClock } from './nanosecond-clock.js';
import { clockTime, isoDate, type PrintTime, strftimeTable, zoneOffset } from './strftime.js';
import type { TimeZone } from './time-zone.js';

export interface FormatContext {
  readonly output: ByteSink;
  readonly clock: NanosecondClock;
  /** Asked at most once, and only by formats that show local time: it costs reading files. */
  readonly timeZone: () => TimeZone;
  /** `--pretty`. */
  readonly pretty: boolean;
  /** Without `-N`: a line end behind each message. */
  readonly lineEnd: boolean;
  /** Takes what goes to stderr, exactly; `--quiet` may hide it. */
  readonly report: (text: string) => void;
}

type Step = (message: Publish) => void;

const LF = 0x0a;
const DEFAULT_DECIMALS = 6;
const NOTHING = new Uint8Array(0);

/** Prints messages as `-F` says (cli §14). What a format means is worked out once, here, not per message. */
export class FormatPrinter {
  readonly #steps: readonly Step[];

  constructor(format: CompiledFormat, context: FormatContext) {
    this.#steps = new Linker(context).steps(format);
  }

  print(message: Publish): void {
    const steps = this.#steps;
    for (let index = 0; index < steps.length; index++) steps[index]!(message);
  }
}

/** Turns the parts of a format into functions that print them. */
class Linker {
  readonly #context: FormatContext;
  #zone: TimeZone | undefined;

  constructor(context: FormatContext) {
    this.#context = context;
  }

  steps(format: CompiledFormat): Step[] {
    const { output, clock, lineEnd } = this.#context;
    const steps: Step[] = [];
    let messageTime: LocalTime | undefined;
    for (const part of format) {
      if (part.kind !== 'time') steps.push(this.#step(part));
      else {
        // All `@` sequences of a message share one reading of the clock (cli §14.5).
        if (messageTime === undefined) {
          const time = this.#localTime();
          messageTime = time;
          steps.push(() => {
            clock.read();
            time.set(clock.seconds, clock.nanoseconds);
          });
        }
        steps.push(this.#timeStep(part.print, messageTime));
      }
    }
    if (lineEnd) steps.push(() => output.byte(LF));
    return steps;
  }

  #step(part: Exclude<FormatPart, { kind: 'time' }>): Step {
    if (part.kind === 'conversion') return this.#conversionStep(part.conversion, part.field);
    const { output } = this.#context;
    const { bytes } = part;
    if (bytes.length > 1) return () => output.bytes(bytes);
    const byte = bytes[0]!;
    return () => output.byte(byte);
  }

  #timeStep(print: PrintTime, time: LocalTime): Step {
    const { output } = this.#context;
    if (print === strftimeTable().N) return () => output.text(print(time));
    let seconds = Number.NaN;
    let bytes: Uint8Array = NOTHING;
    return () => {
      if (time.seconds !== seconds) {
        seconds = time.seconds;
        bytes = Buffer.from(print(time));
      }
      output.bytes(bytes);
    };
  }

  #conversionStep(conversion: Conversion, field: Field): Step {
    const { output, clock } = this.#context;
    switch (conversion.class) {
      case 'int': {
        const { value } = conversion;
        return (message) => {
          const number = value(message);
          if (number === undefined) writeAbsent(output, field);
          else if (field.width === 0) writeDecimal(output, number);
          else writeNumber(output, field, String(number));
        };
      }
      case 'str':
        return this.#stringStep(conversion.value, conversion.fillsAbsent, field);
      case 'raw':
        if (field.width === 0) return ({ payload }) => output.bytes(payload);
        return ({ payload }) => writeRaw(output, field, payload);
      case 'hex': {
        const { upperCase } = conversion;
        return ({ payload }) => writeHex(output, field, upperCase, payload);
      }
      case 'float':
        return this.#floatStep(conversion, field);
      case 'local-time':
        return this.#localTimeStep(field);
      case 'unix-time':
        return () => {
          clock.read();
          output.text(`${clock.seconds}.${String(clock.nanoseconds).padStart(9, '0')}`);
        };
      case 'json':
        return this.#jsonStep(conversion.payload);
      case 'none': {
        const { value } = conversion;
        return (message) => {
          const shown = value(message);
          if (typeof shown === 'string') output.text(shown);
          else if (shown !== undefined) output.bytes(shown);
        };
      }
    }
  }

  #stringStep(value: (message: Publish) => string | undefined, fillsAbsent: boolean, field: Field): Step {
    const { output } = this.#context;
    // Most messages have the topic, and the content type, of the one before.
    let last = '';
    let bytes: Uint8Array = NOTHING;
    return (message) => {
      const text = value(message);
      if (text === undefined) {
        if (fillsAbsent) writeAbsent(output, field);
        return;
      }
      if (text !== last) {
        last = text;
        bytes = Buffer.from(text);
      }
      writeString(output, field, bytes);
    };
  }

  #floatStep({ bytes, complaint }: Extract<Conversion, { class: 'float' }>, field: Field): Step {
    const { output, report } = this.#context;
    const decimals = field.precision ?? DEFAULT_DECIMALS;
    const plain = { ...field, zero: false };
    return ({ payload }) => {
      if (payload.length !== bytes) {
        // Without a line end, as the reference has it (cli T-47).
        report(complaint);
        return;
      }
      const text = fixedPoint(doubleBits(payload), decimals);
      // `inf` and `nan` are never filled with zeros.
      writeNumber(output, /[a-z]/.test(text) ? plain : field, text);
    };
  }

  #localTimeStep(field: Field): Step {
    const { output, clock } = this.#context;
    const time = this.#localTime();
    let bytes: Uint8Array = NOTHING;
    return () => {
      clock.read();
      if (time.set(clock.seconds, clock.nanoseconds)) {
        bytes = Buffer.from(`${isoDate(time)}T${clockTime(time)}${zoneOffset(time)}`);
      }
      writeString(output, field, bytes);
    };
  }

  #jsonStep(payload: 'text' | 'value'): Step {
    const { output, clock, pretty, report } = this.#context;
    const json = new JsonMessage(output, clock, this.#localTime(), pretty);
    if (payload === 'text') return (message) => json.writeWithText(message);
    return (message) => {
      if (json.writeWithValue(message)) return;
      report(`Error: Message payload is not valid JSON on topic ${message.topic}.\n`);
    };
  }

  /** Each user has its own, which remembers its last reading. */
  #localTime(): LocalTime {
    this.#zone ??= this.#context.timeZone();
    return new LocalTime(this.#zone);
  }
}
