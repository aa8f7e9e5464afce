import { readFileSync } from 'node:fs';
import { UsageError } from '@tsmqtt/protocol';
import { describe, expect, test } from 'vitest';
import { bytes, MemoryIo } from '../../test/memory-io.js';
import { VERSION } from '../program/version.js';
import { runCommandLine } from './command-line.js';
import { OPTIONS } from './option-table.js';
import { optionReference } from './reference.js';
import type { Tool } from './settings.js';

async function run(tool: Tool, args: string[], terminal = false) {
  const io = new MemoryIo({ programName: `tsmqtt-${tool}`, terminal });
  const code = await runCommandLine(tool, bytes(args), io, async () => expect.fail('must not run'));
  return { code, out: io.out.toString(), err: io.err };
}

describe.each(['pub', 'sub'] as const)('--help of %s', (tool) => {
  test('names every option and the version, exit 0 (P-3)', async () => {
    const { code, out, err } = await run(tool, ['--help', '-z']);
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain(`tsmqtt-${tool} version ${VERSION}`);
    const rows = OPTIONS.filter((row) => row.tools.includes(tool));
    const missing = rows
      .flatMap((row) => row.names)
      .filter((name) => !new RegExp(`^ +.*${name}\\b`, 'm').test(out));
    expect(missing).toEqual([]);
  });

  test('has colours on a terminal only', async () => {
    expect((await run(tool, ['--help'])).out).not.toContain('\u001b');
    expect((await run(tool, ['--help'], true)).out).toContain('\u001b[1mConnection:\u001b[22m');
  });
});

test('errors are coloured on a terminal only, in order', async () => {
  expect((await run('pub', ['-z'], true)).err).toBe(
    "\u001b[31m\u001b[1mError\u001b[22m\u001b[39m: Unknown option '-z'.\n\nUse 'tsmqtt-pub --help' to see usage.\n",
  );
});

test('what cannot be sent at all is one line and exit 1', async () => {
  const io = new MemoryIo();
  const code = await runCommandLine('pub', [], io, async () => {
    throw new UsageError('packet-size', 'the packet is too large');
  });
  expect([code, io.err]).toEqual([1, 'Error: the packet is too large.\n']);
});

test('an earlier error wins over --help (cli §1.4)', async () => {
  expect((await run('pub', ['-z', '--help'])).code).toBe(1);
});

test('the version is the package’s', () => {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  expect(VERSION).toBe(manifest.version);
});

describe('completion', () => {
  test('prints a script that calls the program back', async () => {
    const { code, out } = await run('pub', ['--completion']);
    expect(code).toBe(0);
    expect(out).toContain('tsmqtt-pub --get-yargs-completions');
  });

  test.each([
    ['pub', ['tsmqtt-pub', '--ret'], ['--retain']],
    ['sub', ['tsmqtt-sub', '--retain'], ['--retain-as-published', '--retain-handling', '--retained-only']],
    ['sub', ['tsmqtt-sub', '-V', ''], ['31', 'mqttv31', '311', 'mqttv311', '5', 'mqttv5']],
    ['sub', ['tsmqtt-sub', '--retain-handling', 'n'], ['new', 'never']],
    ['pub', ['tsmqtt-pub', '-t', ''], []],
    ['sub', ['tsmqtt-sub', '-C'], ['-C']],
  ] as const)('%s %j', async (tool, words, expected) => {
    const { code, out } = await run(tool, ['--get-yargs-completions', ...words]);
    expect(code).toBe(0);
    expect(out.split('\n').filter(Boolean).sort()).toEqual([...expected].sort());
  });
});

test('the reference has a row for every option', () => {
  const reference = optionReference();
  for (const row of OPTIONS) expect(reference).toContain(`| \`${row.names[0]}\``);
});
