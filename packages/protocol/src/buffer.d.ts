// The pure packages get no Node types: this is the part of Buffer that the codec uses, so that the compiler keeps
// sockets, timers and files out. Programs see the full type of @types/node instead.
declare class Buffer extends Uint8Array {
  static alloc(size: number): Buffer;
  static allocUnsafe(size: number): Buffer;
  static allocUnsafeSlow(size: number): Buffer;
  static from(text: string, encoding?: 'utf8' | 'latin1' | 'hex'): Buffer;
  static from(bytes: readonly number[] | Uint8Array): Buffer;
  static from(memory: ArrayBufferLike, offset: number, length: number): Buffer;
  static concat(list: readonly Uint8Array[], totalLength?: number): Buffer;
  static byteLength(text: string): number;
  override subarray(start?: number, end?: number): Buffer;
  copy(target: Uint8Array, targetStart?: number, sourceStart?: number, sourceEnd?: number): number;
  compare(target: Uint8Array, targetStart?: number, targetEnd?: number, start?: number, end?: number): number;
  equals(other: Uint8Array): boolean;
  write(text: string, offset: number): number;
  toString(encoding?: 'utf8' | 'latin1' | 'hex', start?: number, end?: number): string;
}
