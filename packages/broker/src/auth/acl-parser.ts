import { isUtf8 } from 'node:buffer';
import { validTopicFilter } from '@tsmqtt/protocol';
import type { Log } from '../log/log.js';
import { AccessList, type AccessRule, Right } from './access-list.js';
import { SecretFileError } from './secret-file.js';

const RIGHTS: ReadonlyMap<string, number> = new Map([
  ['read', Right.READ],
  ['write', Right.WRITE],
  ['readwrite', Right.READ | Right.WRITE],
  ['deny', Right.DENY],
]);

/**
 * Reads the content of an ACL file (broker §4.4):
 *
 *     topic   [read|write|readwrite|deny] FILTER
 *     user    NAME
 *     pattern [read|write|readwrite|deny] FILTER
 *
 * @param path the file's name, for errors and warnings.
 * @throws SecretFileError 3 for the first line that is wrong.
 */
export function parseAcl(content: Uint8Array, path: string, log: Log): AccessList {
  const parser = new AclParser(path, log);
  const text = Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('latin1');
  for (const line of text.split('\n')) parser.line(line);
  return parser.finish();
}

class AclParser {
  readonly #path: string;
  readonly #log: Log;
  #number = 0;
  readonly #anonymous: AccessRule[] = [];
  readonly #users = new Map<string, AccessRule[]>();
  readonly #patterns: AccessRule[] = [];
  /** Where `topic` lines go: those above the first `user` are for clients without a username. */
  #list = this.#anonymous;

  constructor(path: string, log: Log) {
    this.#path = path;
    this.#log = log;
  }

  finish(): AccessList {
    return new AccessList(this.#anonymous, this.#users, this.#patterns);
  }

  /** @param raw one character for each byte. */
  line(raw: string): void {
    this.#number++;
    if (raw.startsWith('#')) return;
    const line = trimLine(raw);
    if (line === '') return;
    const space = line.indexOf(' ');
    const keyword = space === -1 ? line : line.slice(0, space);
    const rest = space === -1 ? '' : this.#text(trimLine(line.slice(space)), 'Invalid line');
    switch (keyword) {
      case 'topic':
        this.#list.push(this.#rule(rest));
        break;
      case 'user':
        this.#user(rest);
        break;
      case 'pattern':
        this.#pattern(this.#rule(rest));
        break;
      default:
        throw this.#error('Invalid line', keyword);
    }
  }

  #user(name: string): void {
    if (name === '') throw this.#error('Missing username');
    const known = this.#users.get(name);
    this.#list = known ?? [];
    if (known === undefined) this.#users.set(name, this.#list);
  }

  #pattern(rule: AccessRule): void {
    const { filter } = rule;
    const levels = filter.split('/');
    if (!levels.includes('%c') && !levels.includes('%u')) {
      const where = /%[cu]/.test(filter) ? ' as a level of its own' : '';
      this.#log.warning(
        `Warning: ACL pattern '${filter}' does not contain '%c' or '%u'${where}. (${this.#path}:${this.#number})`,
      );
    }
    this.#patterns.push(rule);
  }

  /** `[ACCESS] FILTER`: a single word is a filter, whatever it is. */
  #rule(rest: string): AccessRule {
    if (rest === '') throw this.#error('Empty topic');
    const space = rest.indexOf(' ');
    const word = space === -1 ? 'readwrite' : rest.slice(0, space);
    const filter = space === -1 ? rest : trimLine(rest.slice(space));
    const rights = RIGHTS.get(word);
    if (rights === undefined) throw this.#error('Invalid topic access type', word);
    if (!validTopicFilter(filter)) throw this.#error('Invalid ACL topic', filter);
    return { rights, filter };
  }

  #text(latin1: string, what: string): string {
    const bytes = Buffer.from(latin1, 'latin1');
    if (!isUtf8(bytes)) throw this.#error(what, bytes.toString('utf8'));
    return bytes.toString('utf8');
  }

  /** The reference's text, then the place (B-8). */
  #error(what: string, subject?: string): SecretFileError {
    const quoted = what === 'Invalid line' || subject === undefined ? '' : ` "${subject}"`;
    const end = what === 'Invalid line' ? `: ${subject}.` : '.';
    return new SecretFileError(3, [
      `Error: ${what}${quoted} in acl_file "${this.#path}"${end} (${this.#path}:${this.#number})`,
    ]);
  }
}

// Not trim(): in front only spaces are fine. Not a regular expression: its backtracking is quadratic.
function trimLine(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text[start] === ' ') start++;
  while (end > start && ' \t\r\v\f'.includes(text[end - 1] as string)) end--;
  return text.slice(start, end);
}
