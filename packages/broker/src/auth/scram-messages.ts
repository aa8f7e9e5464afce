/**
 * The two messages of a SCRAM client (RFC 5802, 7):
 *
 *     client-first  = ("n" / "y") "," ["a=" name] "," "n=" name ",r=" nonce ["," extensions]
 *     client-final  = "c=" base64(everything up to "n=" above) ",r=" nonce ["," extensions] ",p=" base64(proof)
 *
 * Both readers give undefined for anything else: channel binding (`p=`), which is not offered, and a mandatory
 * extension (`m=`), of which there is none, among it.
 */
import { isUtf8 } from 'node:buffer';

/** Longest message that is looked at, in bytes. Names and nonces are short; what is kept of them is bounded by this. */
export const MAX_SCRAM_MESSAGE = 1024;

export interface ClientFirst {
  /** `n,,` and the like: comes back in the final message. */
  readonly header: string;
  /** What the signatures cover: the message without its header. */
  readonly bare: string;
  readonly username: string;
  /** Whom the client wants to act as; undefined: itself. */
  readonly authorizationId: string | undefined;
  readonly nonce: string;
}

export interface ClientFinal {
  /** Base64 of the header, as it was sent. */
  readonly binding: string;
  readonly nonce: string;
  readonly withoutProof: string;
  readonly proof: Buffer;
}

const CLIENT_FIRST =
  /^(?<header>[ny],(?:a=(?<authorizationId>[^,]+))?,)(?<bare>n=(?<username>[^,]+),r=(?<nonce>[!-+\--~]+)(?:,[A-Za-z]=[^,]+)*)$/u;
const CLIENT_FINAL =
  /^(?<withoutProof>c=(?<binding>[A-Za-z0-9+/]+={0,2}),r=(?<nonce>[!-+\--~]+)(?:,[A-Za-z]=[^,]+)*),p=(?<proof>[A-Za-z0-9+/]{43}=)$/u;

export function readClientFirst(data: Uint8Array): ClientFirst | undefined {
  const groups = textOf(data)?.match(CLIENT_FIRST)?.groups;
  if (groups === undefined) return undefined;
  const { header = '', bare = '', nonce = '' } = groups;
  const username = readName(groups.username ?? '');
  const authorizationId = groups.authorizationId === undefined ? undefined : readName(groups.authorizationId);
  if (username === undefined || (groups.authorizationId !== undefined && authorizationId === undefined)) {
    return undefined;
  }
  return { header, bare, username, authorizationId, nonce };
}

export function readClientFinal(data: Uint8Array): ClientFinal | undefined {
  const groups = textOf(data)?.match(CLIENT_FINAL)?.groups;
  if (groups === undefined) return undefined;
  const { binding = '', nonce = '', withoutProof = '', proof = '' } = groups;
  return { binding, nonce, withoutProof, proof: Buffer.from(proof, 'base64') };
}

/** `=2C` is a comma, `=3D` an equals sign, any other `=` an error. */
function readName(text: string): string | undefined {
  if (/=(?!2C|3D)/.test(text)) return undefined;
  return text.replaceAll('=2C', ',').replaceAll('=3D', '=');
}

function textOf(data: Uint8Array): string | undefined {
  if (data.length > MAX_SCRAM_MESSAGE || !isUtf8(data)) return undefined;
  const text = Buffer.from(data).toString('utf8');
  return text.includes('\0') ? undefined : text;
}
