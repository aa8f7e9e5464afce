import { describe, expect, it } from 'vitest';
import { type Log, silentLog } from '../log/log.js';
import { Right } from './access-list.js';
import { parseAcl } from './acl-parser.js';
import { Identity } from './identity.js';
import type { Realm } from './realm.js';
import { NO_SECRETS } from './secrets.js';

class Client {
  readonly logged: string[] = [];
  readonly #realm: { -readonly [K in keyof Realm]: Realm[K] };
  readonly #identity: Identity;

  constructor(acl: string | undefined, clientId: string, username?: string) {
    const log: Log = { ...silentLog, notice: (text) => this.logged.push(text) };
    this.#realm = {
      listener: '*:1883',
      anonymous: true,
      allowZeroLengthClientId: true,
      autoIdPrefix: '',
      secrets: NO_SECRETS,
    };
    this.reload(acl);
    this.#identity = new Identity(this.#realm, clientId, username, log);
  }

  reload(acl: string | undefined): void {
    this.#realm.secrets = {
      ...NO_SECRETS,
      acl: acl === undefined ? undefined : parseAcl(Buffer.from(acl), 'acl', silentLog),
    };
  }

  rights(topic: string): string {
    const read = this.#identity.may(Right.READ, topic);
    return `${read ? 'r' : ''}${this.#identity.may(Right.WRITE, topic) ? 'w' : ''}`;
  }
}

describe('what a client may do (broker §4.4)', () => {
  // biome-ignore format: one row a line
  const ROWS: readonly (readonly [acl: string | undefined, clientId: string, user: string | undefined, topic: string, rights: string])[] = [
    // without a file
    [undefined, 'c', undefined, 'a', 'rw'],
    [undefined, 'c', 'ann', '$SYS/a', 'r'],
    [undefined, 'c', 'ann', '$SYS', 'r'],
    [undefined, 'c', 'ann', '$SYS/broker/connection/b/state', 'rw'],
    [undefined, 'c', 'ann', '$SYS/broker/connection/b/c/state', 'r'],
    [undefined, 'c', 'ann', '$share/g/a', 'r'],
    [undefined, 'c+', undefined, 'a', 'rw'],
    // $ topics
    ['topic #', 'c', undefined, 'a/b', 'rw'],
    ['topic #', 'c', undefined, '$SYS/a', ''],
    ['topic #', 'c', undefined, '$other', ''],
    ['topic +/a', 'c', undefined, '$other/a', ''],
    ['topic $other/#', 'c', undefined, '$other/a', 'rw'],
    ['topic $SYS/#', 'c', undefined, '$SYS/a', 'r'],
    ['topic $SYS/#', 'c', undefined, '$SYS/broker/connection/b/state', 'rw'],
    ['topic $share/#', 'c', undefined, '$share/g/a', 'r'],
    // wildcards
    ['topic a/+/c', 'c', undefined, 'a/b/c', 'rw'],
    ['topic a/+/c', 'c', undefined, 'a/b/d', ''],
    ['topic a/#', 'c', undefined, 'a', 'rw'],
    ['topic read a/#\ntopic write a/b', 'c', undefined, 'a/b', 'rw'],
    ['topic a/#\ntopic deny a/b', 'c', undefined, 'a/b', ''],
    ['topic deny a/#\ntopic a/b', 'c', undefined, 'a/b', ''],
    // patterns
    ['pattern d/%c', 'c', undefined, 'd/c', 'rw'],
    ['pattern d/%c', 'c', 'ann', 'd/c', 'rw'],
    ['pattern d/%c', 'c', undefined, 'd/x', ''],
    ['pattern d/%c', 'c', undefined, 'd/%c', ''],
    ['pattern d/%c/#', 'c', undefined, 'd/c/x/y', 'rw'],
    ['pattern d/x%c', 'c', undefined, 'd/xc', ''],
    ['pattern d/x%c', 'c', undefined, 'd/x%c', 'rw'],
    ['pattern read u/%u', 'c', 'ann', 'u/ann', 'r'],
    ['pattern read u/%u', 'c', 'bob', 'u/ann', ''],
    ['pattern u/%u', 'c', undefined, 'u/%u', ''],
    ['pattern u/%u', 'c', undefined, 'u/', ''],
    ['pattern %u/%c', 'c', 'ann', 'ann/c', 'rw'],
    ['pattern d/%c', '%u', 'ann', 'd/ann', ''],
    ['pattern d/%c/x', 'a/b', undefined, 'd/a/b/x', 'rw'],
    ['pattern all', 'c', undefined, 'all', 'rw'],
    // broker T-12: what its own list grants no pattern denies, and the other way round
    ['user ann\ntopic read a\npattern deny a', 'c', 'ann', 'a', 'r'],
    ['user ann\ntopic deny a\npattern a', 'c', 'ann', 'a', ''],
    ['pattern a\npattern deny a', 'c', 'ann', 'a', ''],
    ['user ann\ntopic read a\npattern write a', 'c', 'ann', 'a', 'rw'],
    // names that would match the topics of others
    ['pattern d/%c', '+', undefined, 'd/x', ''],
    ['pattern d/%u', 'c', '#', 'd/x', ''],
    ['pattern d/%u', 'a#', 'ann', 'd/ann', ''],
    ['topic read a\npattern d/%c', 'a+', undefined, 'a', 'r'],
    ['topic a', 'a+', undefined, 'a', 'rw'],
  ];
  for (const [acl, clientId, user, topic, rights] of ROWS) {
    it(`${JSON.stringify(acl)}: ${clientId}, ${user ?? 'anonymous'}, ${topic}: '${rights}'`, () => {
      const client = new Client(acl, clientId, user);
      expect(client.rights(topic)).toBe(rights);
      // Remembered, it is the same.
      expect(client.rights(topic)).toBe(rights);
    });
  }

  it('goes by the rules that are in force when it is asked', () => {
    const client = new Client('topic a', 'c');
    expect([client.rights('a'), client.rights('b')]).toEqual(['rw', '']);
    client.reload('topic read b');
    expect([client.rights('a'), client.rights('b')]).toEqual(['', 'r']);
    client.reload(undefined);
    expect([client.rights('a'), client.rights('b')]).toEqual(['rw', 'rw']);
  });

  it('decides right for more topics than it remembers, and for long ones', () => {
    const client = new Client('topic read a/#\ntopic deny a/7', 'c');
    for (let round = 0; round < 2; round++) {
      for (let number = 0; number < 1000; number++) {
        expect(client.rights(`a/${number}`)).toBe(number === 7 ? '' : 'r');
      }
      expect(client.rights(`a/${'x'.repeat(1000)}`)).toBe('r');
    }
  });
});

describe('dangerous names are logged once', () => {
  it.each([
    ['a+', undefined, 'ACL denying access to client with dangerous client id "a+"'],
    ['a', 'b#', 'ACL denying access to client with dangerous username "b#"'],
  ])('%s %s', (clientId, user, text) => {
    const client = new Client('pattern d/%c\npattern d/%u', clientId, user);
    for (const topic of ['d/x', 'd/y']) client.rights(topic);
    expect(client.logged).toEqual([text]);
  });

  it('and not where its own list grants all it asks for', () => {
    const client = new Client('topic a\npattern d/%c', 'a+');
    client.rights('a');
    expect(client.logged).toEqual([]);
  });
});
