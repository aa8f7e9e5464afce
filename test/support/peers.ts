import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

/** Programs that are not ours and that some tests run against. */
export type Peer =
  | 'mosquitto'
  | 'mosquitto_pub'
  | 'mosquitto_sub'
  | 'mosquitto_rr'
  | 'mosquitto_passwd'
  | 'microsocks'
  | 'openssl'
  /** A python3 that has paho-mqtt. */
  | 'paho';

/** Debian installs servers where an ordinary user's PATH does not look. */
const folders = [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin', '/usr/local/sbin'];

/** Path of an installed peer. */
export function findPeer(peer: Peer): string | undefined {
  if (peer === 'paho') return findPaho();
  return folders.map((folder) => path.join(folder, peer)).find(isExecutable);
}

/** Debian's package is for Debian's Python, which need not be the first in PATH. */
function findPaho(): string | undefined {
  const pythons = folders.map((folder) => path.join(folder, 'python3')).filter(isExecutable);
  return pythons.find((python) => spawnSync(python, ['-c', 'import paho.mqtt.client']).status === 0);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Tests that need a peer. Where it is not installed they are reported as skipped, by name; with `CI=true` they
 * fail, because there it must be installed.
 */
export function describePeer(peer: Peer, title: string, define: (file: string) => void): void {
  const file = findPeer(peer);
  if (file !== undefined) {
    describe(title, () => define(file));
  } else if (process.env.CI === 'true') {
    describe(title, () => {
      test(`${peer} is installed`, () => {
        expect.fail(`${peer} is not installed`);
      });
    });
  } else {
    describe.skip(`${title} (${peer} is not installed)`, () => define(peer));
  }
}
