import { bytesOf, type Outgoing } from './raw-client.js';
import { SocketClient } from './socket-client.js';

/** A request that becomes a WebSocket; the key is that of RFC 6455, 1.2. */
export const UPGRADE = {
  Host: 'broker',
  Upgrade: 'websocket',
  Connection: 'Upgrade',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Protocol': 'mqtt',
};

export function request(
  headers: Readonly<Record<string, string | undefined>> = UPGRADE,
  line = 'GET /mqtt HTTP/1.1',
): string {
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}`],
  );
  return [line, ...lines, '', ''].join('\r\n');
}

const MASK = Buffer.from('37fa213d', 'hex');

/** A frame from a client. `first` is its first byte: 0x82 for a whole binary message. */
export function frame(payload: Buffer, first = 0x82): Buffer {
  const { length } = payload;
  const long = Buffer.alloc(8);
  long.writeUInt32BE(length, 4);
  const size =
    length < 126 ? [0x80 | length] : length < 65_536 ? [0xfe, ...long.subarray(6)] : [0xff, ...long];
  const head = Buffer.from([first, ...size]);
  const masked = Buffer.from(payload);
  for (let at = 0; at < length; at++) masked[at] = (masked[at] ?? 0) ^ (MASK[at % 4] ?? 0);
  return Buffer.concat([head, MASK, masked]);
}

/** A WebSocket client that is all bytes: what it sends may break any rule. */
export class WebClient {
  private constructor(readonly tcp: SocketClient) {}

  /** Connected, with nothing sent. */
  static async open(port: number): Promise<WebClient> {
    return new WebClient(await SocketClient.open(port));
  }

  /** The handshake is done. */
  static async upgrade(port: number): Promise<WebClient> {
    const client = await WebClient.open(port);
    client.write(request());
    await client.until(({ head }) => head !== undefined);
    return client;
  }

  /** The HTTP answer, once it is complete, and the bytes behind it. */
  get head(): string | undefined {
    const text = Buffer.from(this.tcp.bytes, 'hex').toString('latin1');
    const end = text.indexOf('\r\n\r\n');
    return end === -1 ? undefined : text.slice(0, end);
  }

  /** Whole frames that have come, as `OPCODE PAYLOAD` in hex digits: `2 20020000`. */
  get frames(): string[] {
    const bytes = Buffer.from(this.tcp.bytes, 'hex');
    const frames: string[] = [];
    let at = bytes.indexOf('\r\n\r\n') + 4;
    while (at + 2 <= bytes.length) {
      const first = bytes[at] ?? 0;
      let length = bytes[at + 1] ?? 0;
      let start = at + 2;
      if (length === 126) {
        length = bytes.readUInt16BE(at + 2);
        start += 2;
      } else if (length === 127) {
        length = Number(bytes.readBigUInt64BE(at + 2));
        start += 8;
      }
      if (start + length > bytes.length) break;
      const opcode = first & 0x80 ? (first & 0x7f).toString(16) : `${first.toString(16)} fragment`;
      frames.push(`${opcode} ${bytes.toString('hex', start, start + length)}`);
      at = start + length;
    }
    return frames;
  }

  write(data: string | Buffer): void {
    this.tcp.socket.write(data);
  }

  /** MQTT packets, together in one frame. */
  send(...packets: readonly Outgoing[]): void {
    this.write(frame(Buffer.concat(packets.map((one) => bytesOf(one, this.tcp.version)))));
  }

  until(condition: (client: WebClient) => boolean): Promise<void> {
    return this.tcp.until(() => condition(this));
  }

  /** Resolves when the connection is closed. */
  async closed(): Promise<void> {
    await this.tcp.closed();
  }
}
