import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PacketType } from '@tsmqtt/protocol';
import { describe, expect, test } from 'vitest';
import { message, scriptedBroker } from '../packages/cli-kit/test/scripted-broker.js';
import { startChild } from './support/child.js';
import { temporaryFolder } from './support/folder.js';
import { type ProgramName, programFile, programNames, runProgram } from './support/programs.js';
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

/** What the shortest use of each program is made of: arguments, and a broker that answers it. */
const PLAIN_USES = [
  ['tsmqtt-pub', ['-t', 'a', '-m', 'b']],
  ['tsmqtt-sub', ['-t', 'a', '-C', '1']],
  ['tsmqtt-rr', ['-t', 'a', '-m', 'b', '-e', 'c']],
] as const;

/** Runs it with this code loaded before it, and answers what that printed on stderr. */
async function runHooked(name: ProgramName, args: readonly string[], code: string): Promise<string[]> {
  const broker = await scriptedBroker((packet, peer) => {
    if (packet.type === PacketType.SUBSCRIBE && name === 'tsmqtt-sub') peer.send(message('a', 'b'));
    if (packet.type === PacketType.PUBLISH) peer.send(message('c', 'd'));
    return true;
  });
  const hook = path.join(temporaryFolder(), 'hook.cjs');
  writeFileSync(hook, code);
  const all = ['-r', hook, programFile(name), ...broker.at, ...args];
  const { code: exitCode, stderr } = await startChild(process.execPath, all, { input: '' }).ended;
  expect(exitCode).toBe(0);
  return stderr.split('\n').filter((line) => line !== '' && !line.endsWith('hook.cjs'));
}

test.each(PLAIN_USES)('a plain %s loads nothing of its program but main.cjs', async (name, args) => {
  const code = "process.on('exit', () => console.error(Object.keys(require.cache).join('\\n')));\n";
  const bin = path.dirname(programFile(name));
  expect((await runHooked(name, args, code)).map((file) => path.relative(bin, file))).toEqual([
    name,
    path.join('chunks', name, 'main.cjs'),
  ]);
});

test.each(PLAIN_USES)(
  'a plain %s leaves alone what takes Node.js long: modules it has no use for, AbortController, the test for IPv6, and the stream of stderr',
  async (name, args) => {
    const costly = ['crypto', 'dns', 'http', 'module', 'perf_hooks', 'tls', 'tty', 'worker_threads'];
    const code = `const net = require('node:net');
    const { isIPv6 } = net;
    const say = process._rawDebug;
    net.isIPv6 = (text) => { say('isIPv6'); return isIPv6(text); };
    const { AbortController } = globalThis;
    globalThis.AbortController = class extends AbortController { constructor() { super(); say('AbortController'); } };
    const { get } = Object.getOwnPropertyDescriptor(process, 'stderr');
    Object.defineProperty(process, 'stderr', { get() { say('stderr'); return get.call(process); } });
    process.on('exit', () => {
      const loaded = new Set(process.moduleLoadList);
      for (const name of ${JSON.stringify(costly)}) if (loaded.has('NativeModule ' + name)) say(name);
    });`;
    expect(await runHooked(name, args, code)).toEqual([]);
  },
);

test.each(PLAIN_USES)('a plain %s runs from compiled code that V8 accepts', async (name, args) => {
  const code = `const vm = require('node:vm');
    const { Script } = vm;
    vm.Script = class extends Script {
      constructor(source, options) {
        super(source, options);
        process._rawDebug(String(this.cachedDataRejected));
      }
    };`;
  expect(await runHooked(name, args, code)).toEqual(['false']);
});

test.each(PLAIN_USES)('a stack trace of %s names its code by the name of the program', async (name, args) => {
  const code = `const { Socket } = require('node:net');
    const { connect } = Socket.prototype;
    Socket.prototype.connect = function (...args) {
      process._rawDebug(new Error().stack);
      return connect.apply(this, args);
    };`;
  const trace = (await runHooked(name, args, code)).join('\n');
  expect(trace).toMatch(new RegExp(`\\(${name}\\.cjs:\\d+:\\d+\\)`));
  expect(trace).not.toContain('main.cjs');
});

test.each(programNames)('nothing of the built %s says where it was built', (name) => {
  const bin = path.dirname(programFile(name));
  const files = readdirSync(bin, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const telling = files
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => {
      const content = readFileSync(file);
      return [`${workspaceRoot}/`, `${workspaceRoot.slice(1)}/node_modules/`, 'tsmqtt-build-'].some((place) =>
        content.includes(place),
      );
    });
  expect(files.length).toBeGreaterThan(3);
  expect(telling).toEqual([]);
});
