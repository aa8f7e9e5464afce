/**
 * SASLprep (RFC 4013): how SCRAM brings names and passwords into one form, so that `ﬁ` typed on one machine is `fi`
 * typed on another. Two things are simpler than the RFC, which freezes Unicode at version 3.2: normalisation is that of
 * Node's Unicode version, and characters that are newer than 3.2 are taken as they are, not refused.
 */

/** RFC 3454 C.1.2: other spaces become the space. */
const OTHER_SPACES = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g;
/** RFC 3454 B.1: what becomes nothing. */
const NOTHING = /\u00ad|\u034f|\u1806|\u180b|\u180c|\u180d|\u200c|\u200d|\u2060|[\ufe00-\ufe0f]|\ufeff/gu;
/** RFC 3454 C.2.1 to C.9: what must not be in the result. */
const PROHIBITED = new RegExp(
  [
    // C.2: control characters.
    '[\\u{0}-\\u{1f}\\u{7f}-\\u{9f}\\u{6dd}\\u{70f}\\u{180e}\\u{2028}\\u{2029}\\u{2061}-\\u{2063}\\u{206a}-\\u{206f}]',
    '[\\u{fff9}-\\u{fffd}\\u{1d173}-\\u{1d17a}]',
    // C.3 private use, C.4 no characters, C.5 surrogates.
    '\\p{Co}|\\p{Noncharacter_Code_Point}|\\p{Cs}',
    // C.7 ideographic description, C.8 display properties, C.9 tags.
    '[\\u{2ff0}-\\u{2ffb}\\u{340}\\u{341}\\u{200e}\\u{200f}\\u{202a}-\\u{202e}\\u{e0001}\\u{e0020}-\\u{e007f}]',
  ].join('|'),
  'u',
);

// RFC 3454 D.1 and D.2 by script: letters written from right to left, and all other letters.
const RIGHT_TO_LEFT = String.raw`\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}`;
const ANY_RIGHT_TO_LEFT = new RegExp(`[${RIGHT_TO_LEFT}]`, 'u');
const WHOLLY_RIGHT_TO_LEFT = new RegExp(`^[${RIGHT_TO_LEFT}](?:.*[${RIGHT_TO_LEFT}])?$`, 'su');
const LEFT_TO_RIGHT = new RegExp(`(?![${RIGHT_TO_LEFT}])\\p{L}`, 'u');

/** The prepared form of a name or password; `undefined` where it holds what RFC 4013 prohibits. */
export function saslPrep(text: string): string | undefined {
  const prepared = text.replace(OTHER_SPACES, ' ').replace(NOTHING, '').normalize('NFKC');
  if (PROHIBITED.test(prepared)) return undefined;
  // RFC 3454, 6: letters of one direction only, and those from right to left at both ends.
  if (!ANY_RIGHT_TO_LEFT.test(prepared)) return prepared;
  return WHOLLY_RIGHT_TO_LEFT.test(prepared) && !LEFT_TO_RIGHT.test(prepared) ? prepared : undefined;
}
