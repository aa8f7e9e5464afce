import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashPassword } from '@tsmqtt/credentials';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Log, silentLog } from '../log/log.js';
import {
  type BrokerSettings,
  DEFAULT_LISTENER,
  DEFAULT_SECURITY,
  DEFAULT_SETTINGS,
  type ListenerSettings,
  type SecuritySettings,
} from '../settings.js';
import { loadSecrets, Realms } from './realm.js';
import { SecretLoader } from './secrets.js';

let folder: string;
let hash: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tsmqtt-realm-'));
  hash = await hashPassword(Buffer.from('x'), { kind: 'sha512' });
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Writes a file of the test's folder and answers its path. */
function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}

const passwords = (...users: readonly string[]) => users.map((user) => `${user}:${hash}\n`).join('');
const listener = (
  own?: Partial<SecuritySettings>,
  more: Partial<ListenerSettings> = {},
): ListenerSettings => ({
  ...DEFAULT_LISTENER,
  ...more,
  security: own === undefined ? undefined : { ...DEFAULT_SECURITY, ...own },
});
const settings = (listeners: readonly ListenerSettings[], more: Partial<BrokerSettings> = {}) => ({
  ...DEFAULT_SETTINGS,
  localOnly: false,
  ...more,
  listeners,
});

/** Loads as a broker does at its start and at every reload. */
class Loaded {
  readonly logged: string[] = [];
  realms: Realms | undefined;
  readonly #log: Log = {
    ...silentLog,
    error: (text) => this.logged.push(text),
    warning: (text) => this.logged.push(text),
  };

  async load(all: BrokerSettings, rules = { followSymlinks: false, userId: process.getuid?.() }) {
    const secrets = await loadSecrets(all, new SecretLoader(rules, this.#log), this.realms?.inForce);
    if (this.realms === undefined) this.realms = new Realms(all, secrets);
    else this.realms.update(all, secrets);
    return all.listeners.map((one) => (this.realms as Realms).of(one));
  }
}

describe('whose settings hold (broker §4.6)', () => {
  it('without own ones all listeners have the same secrets, and their overrides', async () => {
    const all = settings([listener(), listener(undefined, { allowAnonymous: true, autoIdPrefix: 'x-' })], {
      passwordFile: file('a', passwords('ann')),
      autoIdPrefix: 'all-',
    });
    const [one, two] = await new Loaded().load(all);
    expect([one?.anonymous, one?.autoIdPrefix]).toEqual([false, 'all-']);
    expect([two?.anonymous, two?.autoIdPrefix]).toEqual([true, 'x-']);
    expect(one?.secrets.verifier?.has('ann')).toBe(true);
    expect(two?.secrets).toBe(one?.secrets);
  });

  it('with own ones nothing is inherited', async () => {
    const own = { passwordFile: file('b', passwords('bob')), allowZeroLengthClientId: false };
    const all = settings([listener(own), listener({ allowAnonymous: true })], {
      allowAnonymous: true,
      passwordFile: file('a', passwords('ann')),
      autoIdPrefix: 'all-',
    });
    const [one, two] = await new Loaded().load(all);
    expect(one).toMatchObject({ anonymous: false, allowZeroLengthClientId: false, autoIdPrefix: 'auto-' });
    expect([one?.secrets.verifier?.has('ann'), one?.secrets.verifier?.has('bob')]).toEqual([false, true]);
    expect(two).toMatchObject({ anonymous: true, allowZeroLengthClientId: true });
    expect(two?.secrets.verifier).toBeUndefined();
  });

  it('a file that several listeners name is loaded once, so that its checks wait in one queue', async () => {
    const own = { passwordFile: file('a', passwords('ann')) };
    const [one, two] = await new Loaded().load(settings([listener(own), listener(own)]));
    expect(one?.secrets.verifier).toBe(two?.secrets.verifier);
  });
});

describe('a start', () => {
  it.each([
    ['is not there', (path: string) => rmSync(path), 13, 'Error: Unable to open pwfile "PATH". (ENOENT'],
    [
      'holds a plain password (broker T-52)',
      (path: string) => writeFileSync(path, 'ann:x\n'),
      3,
      "password-file: Error: Unable to decode line in password file 'PATH'. (line 1)",
    ],
    [
      'holds a user twice',
      (path: string) => writeFileSync(path, passwords('a', 'a')),
      3,
      "password-file: Error: Duplicate user 'a' in password file 'PATH'. (line 2)",
    ],
  ] as const)('fails where a file %s', async (_what, spoil, exitCode, text) => {
    const path = file('passwd', passwords('ann'));
    spoil(path);
    const failure = new Loaded().load(settings([listener({ passwordFile: path })]));
    await expect(failure).rejects.toMatchObject({ name: 'SecretFileError', exitCode });
    await expect(failure).rejects.toThrow(text.replace('PATH', path));
  });

  it('names the ACL file, and the line, behind the words of the reference (broker §4.4)', async () => {
    const none = join(folder, 'none');
    const unopened = new Loaded().load(settings([listener()], { aclFile: none }));
    await expect(unopened).rejects.toMatchObject({
      exitCode: 13,
      lines: [
        expect.stringContaining(`Error: Unable to open acl_file "${none}". (ENOENT`),
        `Error opening acl file "${none}".`,
      ],
    });
    const path = file('acl', 'topic a\nfoo\n');
    await expect(new Loaded().load(settings([listener()], { aclFile: path }))).rejects.toMatchObject({
      exitCode: 3,
      lines: [
        `Error: Invalid line in acl_file "${path}": foo. (${path}:2)`,
        `Error opening acl file "${path}".`,
      ],
    });
  });

  it('follows no symbolic link unless it may (broker §4.8)', async () => {
    const path = join(folder, 'link');
    symlinkSync(file('passwd', passwords('ann')), path);
    const all = settings([listener()], { passwordFile: path });
    await expect(new Loaded().load(all)).rejects.toThrow('MOSQUITTO_UNSAFE_ALLOW_SYMLINKS');
    const [realm] = await new Loaded().load(all, { followSymlinks: true, userId: undefined });
    expect(realm?.secrets.verifier?.size).toBe(1);
  });

  it('warns of a file that others own or may read (broker §4.8)', async () => {
    const path = file('passwd', '');
    chmodSync(path, 0o644);
    const loaded = new Loaded();
    await loaded.load(settings([listener()], { passwordFile: path }), {
      followSymlinks: false,
      userId: 54321,
    });
    expect(loaded.logged).toEqual([
      `Warning: File ${path} has world readable permissions.`,
      `Warning: File ${path} is not owned by the user the broker runs as.`,
    ]);
  });
});

describe('a reload', () => {
  it('changes the realms that there are, each by the listener at its place', async () => {
    const loaded = new Loaded();
    const before = await loaded.load(settings([listener({ allowAnonymous: true }), listener({})]));
    const after = await loaded.load(settings([listener({}), listener({ allowAnonymous: true })]));
    expect([before[0] === after[0], before[1] === after[1]]).toEqual([true, true]);
    expect(before.map(({ anonymous }) => anonymous)).toEqual([false, true]);
  });

  it('leaves the rules of an ACL file in force that is bad now, and takes new passwords all the same (broker B-1)', async () => {
    const loaded = new Loaded();
    const files = { aclFile: file('acl', 'topic a\n'), passwordFile: file('passwd', passwords('ann')) };
    const [realm] = await loaded.load(settings([listener()], files));
    const acl = realm?.secrets.acl;
    file('acl', 'topic read\nuser\n');
    file('passwd', passwords('ann', 'bob'));
    await loaded.load(settings([listener()], files));
    expect(realm?.secrets.acl).toBe(acl);
    expect(realm?.secrets.verifier?.has('bob')).toBe(true);
    expect(loaded.logged).toEqual([
      `Error: Missing username in acl_file "${files.aclFile}". (${files.aclFile}:2)`,
      `Error opening acl file "${files.aclFile}".`,
    ]);
  });

  it('leaves in force what a bad file held before, for that listener alone (broker B-1)', async () => {
    const loaded = new Loaded();
    const a = file('a', passwords('ann'));
    const b = file('b', passwords('bob'));
    const both = [listener({ passwordFile: a }), listener({ passwordFile: b })];
    const [one, two] = await loaded.load(settings(both));
    const users = () => ['ann', 'bob', 'eve'].filter((user) => one?.secrets.verifier?.has(user));
    file('a', passwords('ann', 'eve'));
    file('b', 'bob:plain\n');
    await loaded.load(settings(both));
    expect([users(), two?.secrets.verifier?.has('bob')]).toEqual([['ann', 'eve'], true]);
    expect(loaded.logged).toEqual([
      `password-file: Error: Unable to decode line in password file '${b}'. (line 1)`,
    ]);
    await loaded.load(settings([listener({ passwordFile: join(folder, 'none') }), listener({})]));
    expect([users(), two?.secrets.verifier]).toEqual([['ann', 'eve'], undefined]);
    expect(loaded.logged[1]).toMatch('Error: Unable to open pwfile');
  });
});
