import path from 'node:path';
import { expect } from 'vitest';
import type { BrokerSetup } from './brokers.js';
import { temporaryFolder } from './folder.js';
import { runProgram } from './programs.js';

/** A configuration that lets in only `pi` with the password `123`, as the guide sets it up. */
export async function onlyPi(): Promise<BrokerSetup> {
  const folder = temporaryFolder();
  const file = path.join(folder, 'passwd');
  const { code, stderr } = await runProgram('tsmqtt-passwd', ['-c', '-b', file, 'pi', '123']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return { folder, conf: withPasswords(file) };
}

export function withPasswords(file: string): string[] {
  return ['allow_anonymous false', `password_file ${file}`];
}
