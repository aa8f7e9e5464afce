import { byteText, type Io } from '@tsmqtt/cli-kit';
import { HASH_CONCURRENCY, type HashSettings, looksHashed, type PasswordEntry } from '@tsmqtt/credentials';
import { editPasswordFile } from './edit-password-file.js';
import { Failure, Interrupted } from './failure.js';
import { openPasswordFile, resolvePath } from './password-path.js';
import { hashOrFail } from './set-password.js';

/** How many passwords are hashed at a time: what all cores can do, in steps after which a signal is looked at. */
const BATCH = HASH_CONCURRENCY + 1;

/**
 * `tsmqtt-passwd -U FILE`: hashes what is not hashed yet and says how many that were (P-16).
 */
export async function hashAll(
  givenPath: Buffer,
  settings: HashSettings,
  io: Io,
  signal: AbortSignal,
): Promise<void> {
  const { path } = resolvePath(givenPath);
  const file = openPasswordFile(path, 'edit', io);
  // Silent, as the reference is (cli §18.6).
  if (file.isEmpty) throw new Failure(Buffer.alloc(0));
  const hashes = await hashPlain([...file.entries()].filter(isPlain), settings, io, signal);
  const { changed, total } = await editPasswordFile(path, io, signal, (current) => {
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

async function hashPlain(
  entries: readonly PasswordEntry[],
  settings: HashSettings,
  io: Io,
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const hashes = new Map<string, string>();
  for (let start = 0; start < entries.length; start += BATCH) {
    if (signal.aborted) throw new Interrupted();
    const batch = entries.slice(start, start + BATCH);
    const made = await Promise.all(batch.map((entry) => hashOrFail(entry.rest, settings, io)));
    for (const [index, entry] of batch.entries()) hashes.set(keyOf(entry), made[index]!);
  }
  return hashes;
}

function isPlain(entry: PasswordEntry): boolean {
  return !looksHashed(entry.secret);
}

/** Lines move when another program edits the file meanwhile; name and password stay what they are. */
function keyOf(entry: PasswordEntry): string {
  return `${entry.name.toString('latin1')}:${entry.rest.toString('latin1')}`;
}
