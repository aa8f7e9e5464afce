import { byteText, type Io } from '@tsmqtt/cli-kit/program';
import { looksHashed, type PasswordEntry } from '@tsmqtt/credentials';
import { type CredentialSettings, rejectMixedKinds } from './credential-kind.js';
import { editPasswordFile } from './edit-password-file.js';
import { Failure } from './failure.js';
import { hashAllOrFail, warnAboutReaders } from './hash-or-fail.js';
import { openPasswordFile, resolvePath } from './password-path.js';

/**
 * `tsmqtt-passwd -U FILE`: hashes what is not hashed yet and says how many that were (P-16).
 */
export async function hashAll(
  givenPath: Buffer,
  settings: CredentialSettings,
  io: Io,
  signal: AbortSignal,
): Promise<void> {
  const { path } = resolvePath(givenPath);
  const file = openPasswordFile(path, 'edit', io);
  // Silent, as the reference is (cli §18.6).
  if (file.isEmpty) throw new Failure(Buffer.alloc(0));
  rejectMixedKinds(file, path, settings);
  warnAboutReaders(settings, io);
  const found = [...file.entries()].filter(isPlain);
  const passwords = found.map(({ line, rest }) => ({ line, password: rest }));
  const made = await hashAllOrFail(passwords, settings, signal);
  const hashes = new Map(found.map((entry, index) => [keyOf(entry), made[index]!]));
  const { changed, total } = await editPasswordFile(path, io, signal, (current) => {
    rejectMixedKinds(current, path, settings);
    const entries = [...current.entries()];
    const plain = entries.filter(isPlain);
    for (const entry of plain) {
      const hash = hashes.get(keyOf(entry));
      if (hash === undefined) {
        throw new Failure(byteText`Error: ${path} was changed by another program, try again.\n`);
      }
      current.setLine(entry.line, hash);
    }
    return { changed: plain.length, total: entries.length };
  });
  io.stdout.write(`Hashed ${changed} passwords, ${total - changed} were hashed already.\n`);
}

function isPlain(entry: PasswordEntry): boolean {
  return !looksHashed(entry.secret);
}

/** Lines move when another program edits the file meanwhile; name and password stay what they are. */
function keyOf(entry: PasswordEntry): string {
  return `${entry.name.toString('latin1')}:${entry.rest.toString('latin1')}`;
}
