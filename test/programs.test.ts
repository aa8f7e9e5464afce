import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { startBroker } from './support/brokers.js';
import { startChild } from './support/child.js';
import { temporaryFolder } from './support/folder.js';
import { programFile, programNames, runProgram } from './support/programs.js';
import { workspaceRoot } from './support/workspace.js';

describe('every program', () => {
  for (const name of programNames) {
    const folder = name.slice('tsmqtt-'.length);
    const manifest = path.join(workspaceRoot, 'packages', folder, 'package.json');
    const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };

    test(`${name} --version tells the version of its package`, async () => {
      const { code, stdout } = await runProgram(name, ['--version']);
      expect({ code, text: stdout.toString() }).toEqual({
        code: 0,
        text: expect.stringContaining(` version ${version}`) as string,
      });
    });

    test(`${name} --help names the program`, async () => {
      const { code, stdout, stderr } = await runProgram(name, ['--help']);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout.toString()).toContain(name);
    });

    test(`${name} is in the package tsmqtt too, as a command`, async () => {
      const file = path.join(workspaceRoot, 'packages', 'tsmqtt', 'dist', 'bin', name);
      const link = path.join(temporaryFolder(), 'mosquitto_stand_in');
      symlinkSync(file, link);
      const { stdout } = await startChild(link, ['--help'], { input: '' }).ended;
      expect(stdout.toString()).toContain('mosquitto_stand_in');
    });
  }
});

test('a plain publish loads nothing of its program but main.cjs', async () => {
  const broker = await startBroker('tsmqtt-broker');
  const hook = path.join(temporaryFolder(), 'hook.cjs');
  writeFileSync(hook, "process.on('exit', () => console.error(Object.keys(require.cache).join('\\n')));\n");
  const args = ['-r', hook, programFile('tsmqtt-pub'), ...broker.at, '-t', 'a', '-m', 'b'];
  const { code, stderr } = await startChild(process.execPath, args, { input: '' }).ended;
  expect(code).toBe(0);
  const bin = path.dirname(programFile('tsmqtt-pub'));
  expect(
    stderr
      .trim()
      .split('\n')
      .map((file) => path.relative(bin, file))
      .filter((file) => !file.endsWith('hook.cjs')),
  ).toEqual(['tsmqtt-pub', path.join('chunks', 'tsmqtt-pub', 'main.cjs')]);
});

test('a plain publish leaves alone what takes Node.js long: modules it has no use for, and the test for IPv6', async () => {
  const broker = await startBroker('tsmqtt-broker');
  const hook = path.join(temporaryFolder(), 'hook.cjs');
  const costly = ['crypto', 'dns', 'http', 'perf_hooks', 'tls', 'worker_threads'];
  writeFileSync(
    hook,
    `const net = require('node:net');
    const { isIPv6 } = net;
    net.isIPv6 = (text) => { console.error('isIPv6'); return isIPv6(text); };
    process.on('exit', () => {
      const loaded = new Set(process.moduleLoadList);
      for (const name of ${JSON.stringify(costly)}) if (loaded.has('NativeModule ' + name)) console.error(name);
    });`,
  );
  const args = ['-r', hook, programFile('tsmqtt-pub'), ...broker.at, '-t', 'a', '-m', 'b'];
  const { code, stderr } = await startChild(process.execPath, args, { input: '' }).ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});
