import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isMqttUtf8, validUtf8Text } from './utf8.js';

const check = (hex: string): boolean => {
  const bytes = Buffer.from(hex, 'hex');
  return isMqttUtf8(bytes, 0, bytes.length);
};

describe('isMqttUtf8', () => {
  // biome-ignore format: one row a line
  const rows: readonly (readonly [hex: string, valid: boolean, what: string])[] = [
    ['', true, 'nothing'],
    ['61', true, 'a'],
    ['20', true, 'space'],
    ['7e', true, 'tilde'],
    ['c2a0', true, 'U+00A0'],
    ['dfbf', true, 'U+07FF'],
    ['e0a080', true, 'U+0800'],
    ['ed9fbf', true, 'U+D7FF'],
    ['ee8080', true, 'U+E000'],
    ['efb78f', true, 'U+FDCF'],
    ['efb7b0', true, 'U+FDF0'],
    ['efbbbf', true, 'U+FEFF [MQTT-1.5.4-3] [MQTT311-1.5.3-3]'],
    ['efbfbd', true, 'U+FFFD'],
    ['f0908080', true, 'U+10000'],
    ['f48fbfbd', true, 'U+10FFFD'],
    ['61c3a462f09f988063', true, 'mixed lengths'],
    ['00', false, 'U+0000 [MQTT-1.5.4-2] [MQTT311-1.5.3-2]'],
    ['610062', false, 'U+0000 inside'],
    ['c3a400', false, 'U+0000 behind two bytes'],
    ['01', false, 'U+0001'],
    ['1f', false, 'U+001F'],
    ['7f', false, 'U+007F'],
    ['c3a47f', false, 'U+007F behind two bytes'],
    ['c280', false, 'U+0080'],
    ['c29f', false, 'U+009F'],
    ['efb790', false, 'U+FDD0'],
    ['efb7af', false, 'U+FDEF'],
    ['efbfbe', false, 'U+FFFE'],
    ['efbfbf', false, 'U+FFFF'],
    ['f09fbfbe', false, 'U+1FFFE'],
    ['f48fbfbf', false, 'U+10FFFF'],
    ['80', false, 'continuation alone'],
    ['bf', false, 'continuation alone'],
    ['6180', false, 'continuation behind ASCII'],
    ['c3', false, 'two bytes cut'],
    ['e282', false, 'three bytes cut'],
    ['f09f98', false, 'four bytes cut'],
    ['c3a4c3', false, 'cut behind a whole one'],
    ['c341', false, 'continuation missing'],
    ['e28241', false, 'third byte missing'],
    ['e24182', false, 'second byte missing'],
    ['f09f9841', false, 'fourth byte missing'],
    ['c3c3', false, 'lead behind lead'],
    ['c080', false, 'over-long U+0000'],
    ['c1bf', false, 'over-long U+007F'],
    ['e08080', false, 'over-long in three bytes'],
    ['e09fbf', false, 'over-long U+07FF'],
    ['f0808080', false, 'over-long in four bytes'],
    ['f08fbfbf', false, 'over-long U+FFFF'],
    ['eda080', false, 'U+D800 [MQTT-1.5.4-1] [MQTT311-1.5.3-1]'],
    ['edbfbf', false, 'U+DFFF [MQTT-1.5.4-1]'],
    ['eda0bdedb880', false, 'a surrogate pair, each half in three bytes'],
    ['f4908080', false, 'U+110000'],
    ['f5808080', false, 'lead 0xF5'],
    ['f888808080', false, 'five bytes'],
    ['ff', false, '0xFF'],
    ['fe', false, '0xFE'],
  ];
  test.each(rows)('%s is %s: %s', (hex, valid) => {
    expect(check(hex)).toBe(valid);
  });

  test('looks at nothing outside of its bounds', () => {
    expect(isMqttUtf8(Buffer.from([0x00, 0x61, 0x00]), 1, 2)).toBe(true);
    expect(isMqttUtf8(Buffer.from([0x61, 0xc3, 0xa4]), 1, 2)).toBe(false);
    expect(isMqttUtf8(Buffer.from([0x00]), 1, 1)).toBe(true);
  });

  test('agrees with the platform on what is well-formed', () => {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    const isWellFormed = (bytes: Uint8Array): boolean => {
      try {
        decoder.decode(bytes);
        return true;
      } catch {
        return false;
      }
    };
    const forbidden =
      /[\u0000-\u001f\u007f-\u009f\ufdd0-\ufdef]|[\ufffe\uffff]|[\ud83f\ud87f\ud8bf\ud8ff\ud93f\ud97f\ud9bf\ud9ff\uda3f\uda7f\udabf\udaff\udb3f\udb7f\udbbf\udbff][\udffe\udfff]/;
    // Bytes where something begins, ends or changes, so that whole sequences come up often.
    const edge = fc.constantFrom(
      0x00,
      0x1f,
      0x20,
      0x61,
      0x7e,
      0x7f,
      0x80,
      0x8f,
      0x90,
      0x9f,
      0xa0,
      0xb7,
      0xbe,
      0xbf,
      0xc0,
      0xc1,
      0xc2,
      0xdf,
      0xe0,
      0xe1,
      0xed,
      0xee,
      0xef,
      0xf0,
      0xf1,
      0xf3,
      0xf4,
      0xf5,
      0xff,
    );
    fc.assert(
      fc.property(fc.array(edge, { maxLength: 6 }), (list) => {
        const bytes = Uint8Array.from(list);
        const expected = isWellFormed(bytes) && !forbidden.test(decoder.decode(bytes));
        expect(isMqttUtf8(bytes, 0, bytes.length)).toBe(expected);
      }),
      { numRuns: 30_000 },
    );
  });
});

describe('validUtf8Text', () => {
  test('allows the empty string', () => {
    expect(validUtf8Text('')).toBe(true);
  });

  test('agrees with the check on bytes about every code point', () => {
    const wrong: string[] = [];
    const bytes = Buffer.alloc(4);
    for (let codePoint = 0; codePoint <= 0x10ffff; codePoint++) {
      const text = String.fromCodePoint(codePoint);
      const surrogate = codePoint >= 0xd800 && codePoint <= 0xdfff;
      const expected = !surrogate && isMqttUtf8(bytes, 0, bytes.write(text));
      if (validUtf8Text(text) !== expected) wrong.push(codePoint.toString(16));
    }
    expect(wrong).toEqual([]);
  });

  test('counts bytes, not characters', () => {
    expect(validUtf8Text('a'.repeat(65535))).toBe(true);
    expect(validUtf8Text('a'.repeat(65536))).toBe(false);
    expect(validUtf8Text(`${'ä'.repeat(32767)}a`)).toBe(true);
    expect(validUtf8Text('ä'.repeat(32768))).toBe(false);
    expect(validUtf8Text(`${'😀'.repeat(16383)}abc`)).toBe(true);
    expect(validUtf8Text(`${'😀'.repeat(16383)}abcd`)).toBe(false);
  });
});
