import { spawn } from 'node:child_process';
import { basename } from 'node:path';
import type { Writable } from 'node:stream';
import v8 from 'node:v8';
import type { BrokerIo } from '../program/io.js';
import { run } from '../program/run.js';
import { loggersFlushed, startLogger } from '../program/syslog-process.js';
import { findSystemUser } from '../program/system-users.js';
import { YoungGeneration } from '../program/young-generation.js';

const { argv, execArgv, execPath } = process;
const script = argv[1] ?? 'tsmqtt-broker';
const programName = basename(script).replace(/\.[cm]?[jt]s$/, '');

// In a second's time what is to do next is known.
const youngGeneration = new YoungGeneration(v8);
let loop = performance.eventLoopUtilization();
setInterval(() => {
  youngGeneration.fit(performance.eventLoopUtilization(loop).utilization);
  loop = performance.eventLoopUtilization();
}, 1000).unref();

// A log that nobody reads any more does not end a broker: SIGPIPE is ignored (contract broker §6).
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

/** Node's types leave one function out. */
type PosixProcess = NodeJS.Process & { initgroups?(user: string, extraGroup: number): void };

const io: BrokerIo = {
  programName,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  pid: process.pid,
  now: Date.now,
  onSignal(signal, handler) {
    process.on(signal, handler);
    return () => process.off(signal, handler);
  },
  onExit(handler) {
    process.on('exit', handler);
    return () => process.off('exit', handler);
  },
  userId: () => process.geteuid?.(),
  findUser: (user) => findSystemUser(user),
  becomeUser({ name, userId, groupId }) {
    // Groups first: without root they cannot be given up any more.
    if (name === undefined || groupId === undefined) process.setgroups?.([]);
    else (process as PosixProcess).initgroups?.(name, groupId);
    if (groupId !== undefined) process.setgid?.(groupId);
    if (userId !== undefined) process.setuid?.(userId);
  },
  setUmask: (mask) => void process.umask(mask),
  openSyslog: (priority, failed) => startLogger(programName, priority, failed),
  detach: (args) =>
    new Promise((resolve, reject) => {
      const child = spawn(execPath, [...execArgv, script, ...args], { detached: true, stdio: 'ignore' });
      child.once('error', reject);
      child.once('spawn', () => {
        child.unref();
        resolve();
      });
    }),
};

function flushed(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed) resolve();
    else stream.write('', () => resolve());
  });
}

void run(
  argv.slice(2).map((argument) => Buffer.from(argument)),
  io,
)
  .catch((error: unknown) => {
    const text = error instanceof Error ? error.stack : String(error);
    process.stderr.write(`Error: unexpected failure, please report it: ${text}\n`);
    return 1;
  })
  .then(async (code) => {
    process.exitCode = code;
    await Promise.all([flushed(process.stdout), flushed(process.stderr), loggersFlushed()]);
    process.exit(code);
  });
