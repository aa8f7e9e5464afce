import { expect, test } from 'vitest';
import { cuts, decodeChunks, singleBytes, splitAt } from '../../test/codec.js';
import { type MalformedVector, malformedVectors, vectorBytes } from '../../test/packet-vectors.js';
import { MalformedPacketError, PeerError, ProtocolError } from '../errors.js';

function errorOf(chunks: readonly Buffer[], vector: MalformedVector): PeerError {
  try {
    decodeChunks(chunks, vector.version);
  } catch (error) {
    if (error instanceof PeerError) return error;
    throw error;
  }
  throw new Error('was accepted');
}

for (const vector of malformedVectors) {
  const title = typeof vector.hex === 'string' ? vector.hex : 'long';
  test(`version ${vector.version}: ${vector.why} (${title})`, () => {
    const bytes = vectorBytes(vector.hex);
    const error = errorOf([bytes], vector);
    expect(error).toBeInstanceOf(vector.error === 'malformed' ? MalformedPacketError : ProtocolError);
    if (vector.code !== undefined) expect(`0x${error.reasonCode.toString(16)}`).toBe(vector.code);
    expect(error.code).toMatch(/^[a-z][a-z0-9-]+$/);
    expect(error.message).not.toBe('');

    for (const at of cuts(bytes.length)) {
      const other = errorOf(splitAt(bytes, at), vector);
      if (other.code !== error.code || other.name !== error.name || other.reasonCode !== error.reasonCode) {
        expect({ ...other, at }).toEqual({ ...error, at });
      }
    }
    expect(errorOf(singleBytes(bytes), vector)).toEqual(error);
  });
}

test('there are enough of them, each once', () => {
  const keys = malformedVectors.map((row) => JSON.stringify([row.version, row.hex]));
  expect(new Set(keys).size).toBe(keys.length);
  expect(keys.length).toBeGreaterThanOrEqual(150);
});
