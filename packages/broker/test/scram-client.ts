import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { type Packet, PacketType, type Properties, property, ReasonCode } from '@tsmqtt/protocol';

export const SCRAM = 'SCRAM-SHA-256';

/** AUTH of a client. */
export function authPacket(reasonCode: number, method: string | undefined, data?: string): Packet {
  return { type: PacketType.AUTH, reasonCode, properties: authProperties(method, data) };
}

/** Authentication Method and Data, for CONNECT and AUTH. */
export function authProperties(method: string | undefined, data?: string): Properties {
  return [
    ...(method === undefined ? [] : [{ name: 'authenticationMethod' as const, value: method }]),
    ...(data === undefined
      ? []
      : [{ name: 'authenticationData' as const, value: Buffer.from(data) as Uint8Array }]),
  ];
}

/** Authentication Data of a packet as text. */
export function authData(packet: Packet | undefined): string | undefined {
  const data =
    packet !== undefined && 'properties' in packet && property(packet.properties, 'authenticationData');
  return data instanceof Uint8Array ? Buffer.from(data).toString() : undefined;
}

/** The client's side of SCRAM-SHA-256 by the letter of RFC 5802, written apart from the broker's. */
export class ScramClient {
  readonly first: string;
  readonly #bare: string;
  #serverSignature = '';

  constructor(
    username: string,
    readonly password: string,
    readonly header = 'n,,',
    nonce = 'rOprNGfwEbeRWgbNEkqO',
  ) {
    this.#bare = `n=${username.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${nonce}`;
    this.first = header + this.#bare;
  }

  /** The final message, for the server's first. */
  final(challenge: string): string {
    const [, nonce = '', salt = '', iterations = ''] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(challenge) ?? [];
    const salted = pbkdf2Sync(this.password, Buffer.from(salt, 'base64'), Number(iterations), 32, 'sha256');
    const clientKey = hmac(salted, 'Client Key');
    const withoutProof = `c=${Buffer.from(this.header).toString('base64')},r=${nonce}`;
    const message = `${this.#bare},${challenge},${withoutProof}`;
    const signature = hmac(createHash('sha256').update(clientKey).digest(), message);
    const proof = Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] as number)));
    this.#serverSignature = hmac(hmac(salted, 'Server Key'), message).toString('base64');
    return `${withoutProof},p=${proof.toString('base64')}`;
  }

  /** What the server's final message must be. */
  get expected(): string {
    return `v=${this.#serverSignature}`;
  }

  /** AUTH with the answer to a challenge. */
  answer(challenge: Packet | undefined): Packet {
    return authPacket(ReasonCode.CONTINUE_AUTHENTICATION, SCRAM, this.final(authData(challenge) ?? ''));
  }
}

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
