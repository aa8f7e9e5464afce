// What one check of a password costs, for each kind of hash: what a broker pays for each CONNECT whose password it has
// not seen before. Processor time of all threads, so that it does not matter what else the machine does; the first
// check, which loads code and starts a thread, is not counted.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../../scripts/steps.mjs';
import { inTurn, result } from '../measure.mjs';

/** Some kinds take less time than can be told. */
const CHECKS_A_SAMPLE = { sha512: 2000 };
const USUAL_CHECKS = 5;
const RUNS = 3;
const BASE = 'sha512-pbkdf2, 10,000 iterations';

const kinds = {
  sha512: { kind: 'sha512' },
  'sha512-pbkdf2, 101 iterations (mosquitto_passwd 2.0)': { iterations: 101 },
  'sha512-pbkdf2, 1,000 iterations (mosquitto_passwd 2.1)': { iterations: 1000 },
  [BASE]: {},
  'sha512-pbkdf2, 100,000 iterations': { iterations: 100_000 },
  argon2id: { kind: 'argon2id' },
  bcrypt: { kind: 'bcrypt' },
};

export async function passwordHash({ runs }) {
  const library = path.join(root, 'packages', 'credentials', 'dist', 'lib', 'index.js');
  const { hashPassword, makeScramCredential, parsePasswordHash, verifyPassword, verifyScramPassword } =
    await import(pathToFileURL(library));
  const password = Buffer.from('correct horse');
  const checks = new Map();
  for (const [name, settings] of Object.entries(kinds)) {
    const hash = parsePasswordHash(await hashPassword(password, settings));
    checks.set(name, () => verifyPassword(password, hash));
  }
  const credential = await makeScramCredential(password);
  checks.set('scram-sha-256, 10,000 iterations', () => verifyScramPassword(password, credential));
  const taken = await inTurn([...checks.keys()], { runs: runs * RUNS }, async (name) => {
    const check = checks.get(name);
    const repeat = CHECKS_A_SAMPLE[name] ?? USUAL_CHECKS;
    const before = process.cpuUsage();
    for (let done = 0; done < repeat; done += 1) {
      if (!(await check())) throw new Error(`${name}: the right password was refused`);
    }
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000 / repeat;
  });
  const rows = Object.fromEntries([...checks.keys()].map((name) => [name, name]));
  return [
    result({ title: 'One check of a password, processor time', unit: 'ms', base: BASE, rows, ...taken }),
  ];
}
