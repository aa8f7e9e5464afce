import type { Packet } from '../src/wire/packet.js';
import { PacketType } from '../src/wire/packet-type.js';
import type { ProtocolVersion } from '../src/wire/version.js';
import { readVectors } from './vectors.js';

/** Bytes in hexadecimal, with white space between fields; a long row of the same bytes is written as a repetition. */
export type VectorHex = string | readonly VectorPiece[];
type VectorPiece = string | { readonly repeat: string; readonly count: number };

export interface PacketVector {
  readonly name: string;
  readonly version: ProtocolVersion;
  readonly hex: VectorHex;
  /** The packet, as `revivePacket` reads it. */
  readonly packet: Readonly<Record<string, unknown>>;
  /** Why encoding the packet gives other bytes; undefined where it gives these. */
  readonly decodeOnly?: string;
}

export interface MalformedVector {
  readonly hex: VectorHex;
  readonly version: ProtocolVersion;
  readonly error: 'malformed' | 'protocol';
  /** Reason Code in hexadecimal; absent where the version has none. */
  readonly code?: string;
  readonly why: string;
}

export const packetVectors = readVectors<readonly PacketVector[]>('packets.json');
export const malformedVectors = readVectors<readonly MalformedVector[]>('malformed.json');

export function vectorBytes(hex: VectorHex): Buffer {
  const pieces = typeof hex === 'string' ? [hex] : hex;
  return Buffer.concat(
    pieces.map((piece) =>
      typeof piece === 'string'
        ? Buffer.from(piece.replaceAll(' ', ''), 'hex')
        : Buffer.alloc((piece.repeat.length / 2) * piece.count, Buffer.from(piece.repeat, 'hex')),
    ),
  );
}

type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/**
 * The packet of a vector. There `type` is a name, properties are `[name, value]`, bytes are `{ "hex" }` or
 * `{ "repeat", "count" }`, long text is `{ "repeat", "count", "then" }`, and what is empty or absent is left out.
 */
export function revivePacket(row: PacketVector['packet']): Packet {
  const type = PacketType[row.type as keyof typeof PacketType];
  const fields = Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, revive(value as Json)]),
  );
  if (type === PacketType.PINGREQ || type === PacketType.PINGRESP) return { type };
  const properties = reviveProperties(row.properties);
  if (type !== PacketType.CONNECT) return { ...fields, type, properties } as unknown as Packet;
  const will = row.will as { properties?: unknown } | undefined;
  return {
    username: undefined,
    password: undefined,
    ...fields,
    will: will && { ...(revive(will as Json) as object), properties: reviveProperties(will.properties) },
    type,
    properties,
  } as unknown as Packet;
}

function reviveProperties(rows: unknown): unknown[] {
  return ((rows ?? []) as [string, Json][]).map(([name, value]) => ({ name, value: revive(value) }));
}

function revive(value: Json): unknown {
  if (Array.isArray(value)) return value.map(revive);
  if (typeof value !== 'object' || value === null) return value;
  const { hex, repeat, count, then } = value as Readonly<Record<string, string | number>>;
  if (typeof hex === 'string') return Buffer.from(hex, 'hex');
  if (typeof repeat === 'string') {
    return then === undefined
      ? Buffer.alloc((count as number) * (repeat.length / 2), Buffer.from(repeat, 'hex'))
      : repeat.repeat(count as number) + then;
  }
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, revive(entry)]));
}

/** A packet as plain data that compares and prints well, bytes as hexadecimal. */
export function plainPacket(packet: Packet): unknown {
  if (packet.type !== PacketType.PUBLISH) return plain(packet);
  // A decoded PUBLISH keeps its fields behind accessors.
  const { type, topic, payload, qos, retain, dup, packetId, properties } = packet;
  return plain({ type, topic, payload, qos, retain, dup, packetId, properties });
}

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, plain(entry)]));
}
