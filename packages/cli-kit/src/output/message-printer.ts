import type { PublishFrame } from '@tsmqtt/protocol';
import type { ByteSink } from '../format/byte-sink.js';

const LF = 0x0a;
const NULL_PAYLOAD = Buffer.from('(null)');

export interface MessageStyle {
  /** `-v`: the topic first. */
  readonly verbose: boolean;
  /** Without `-N`: a line end behind each message. */
  readonly lineEnd: boolean;
}

/** Prints messages as cli §14.1 says: without `-F`. */
export class MessagePrinter {
  readonly #output: ByteSink;
  readonly #verbose: boolean;
  readonly #lineEnd: boolean;
  /** Most messages have the topic of the one before. */
  #topic = '';
  #topicBytes = Buffer.alloc(0);

  constructor(output: ByteSink, style: MessageStyle) {
    this.#output = output;
    this.#verbose = style.verbose;
    this.#lineEnd = style.lineEnd;
  }

  print({ topic, source, payloadStart, end }: PublishFrame): void {
    const isEmpty = payloadStart === end;
    // An empty payload prints nothing, or its name behind the topic where there is a line for it.
    if (isEmpty && !(this.#verbose && this.#lineEnd)) return;
    const output = this.#output;
    if (this.#verbose) {
      if (topic !== this.#topic) {
        this.#topic = topic;
        this.#topicBytes = Buffer.from(`${topic} `);
      }
      output.piece(this.#topicBytes, 0, this.#topicBytes.length);
    }
    if (isEmpty) output.bytes(NULL_PAYLOAD);
    else output.piece(source, payloadStart, end);
    if (this.#lineEnd) output.byte(LF);
  }
}
