import { expect, test } from 'vitest';
import { MemoryIo } from '../../test/memory-io.js';
import { withSpinner } from './spinner.js';

/** A terminal as far as a spinner needs one. */
function terminal(): MemoryIo {
  const io = new MemoryIo({ terminal: true });
  Object.assign(io.stderr, {
    columns: 80,
    clearLine: () => true,
    cursorTo: () => true,
    moveCursor: () => true,
  });
  return io;
}

test('a slow connection is shown on a terminal', async () => {
  const io = terminal();
  let connected = (_client: string): void => {};
  const waiting = withSpinner(
    new Promise<string>((resolve) => {
      connected = resolve;
    }),
    'Connecting to x:1883',
    io,
    false,
  );
  await io.until(({ err }) => err.includes('Connecting to x:1883'));
  connected('client');
  expect(await waiting).toBe('client');
});

test('a quick one shows nothing', async () => {
  const io = terminal();
  expect(await withSpinner(Promise.resolve(1), 'Connecting', io, false)).toBe(1);
  expect(io.err).toBe('');
});

test('its failure comes through', async () => {
  await expect(withSpinner(Promise.reject(new Error('no')), 'Connecting', terminal(), false)).rejects.toThrow(
    'no',
  );
});

test('nothing is shown where stderr is no terminal, or with --quiet', async () => {
  const [file, quiet] = [new MemoryIo(), terminal()];
  const slow = new Promise((resolve) => setTimeout(resolve, 400));
  await Promise.all([
    withSpinner(slow, 'Connecting', file, false),
    withSpinner(slow, 'Connecting', quiet, true),
  ]);
  expect([file.err, quiet.err]).toEqual(['', '']);
});
