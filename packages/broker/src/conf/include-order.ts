/** Names in an `include_dir` that are read (contract broker §2.2). */
export function isIncluded(name: string): boolean {
  return name.length > 5 && name.endsWith('.conf');
}

/**
 * Order in which the files of an `include_dir` are read: character by character, letters by their upper case, and an
 * upper case letter before its lower case: `00 01 A Aa a-1 a aa aB a_1 B b` (with `.conf`).
 */
export function compareIncluded(a: string, b: string): number {
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const [left, right] = [a.charCodeAt(index), b.charCodeAt(index)];
    if (left !== right) return upper(left) - upper(right) || left - right;
  }
  return a.length - b.length;
}

/** ASCII only: the C locale knows no other letters. */
function upper(code: number): number {
  return code >= 0x61 && code <= 0x7a ? code - 0x20 : code;
}
