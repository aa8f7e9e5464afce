const MAX_USERNAME_LENGTH = 65_535;

/**
 * What is wrong with a user name, as a sentence; `undefined` where nothing is. The first three in the contract's order
 * (cli §18.2); then names that would read as a comment or as another name.
 */
export function usernameProblem(username: Buffer): string | undefined {
  if (username.length > MAX_USERNAME_LENGTH) return 'Username must be less than 65536 characters long.';
  if (username.some((byte) => byte < 0x20 || byte === 0x7f)) {
    return 'Username must not contain control characters.';
  }
  if (username.includes(':')) return "Username must not contain the ':' character.";
  if (username.length === 0) return 'Username must not be empty.';
  if (username[0] === 0x20 || username.at(-1) === 0x20) return 'Username must not begin or end with a blank.';
  if (username[0] === 0x23) return "Username must not begin with '#'.";
  return undefined;
}
