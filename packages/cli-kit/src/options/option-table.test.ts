import { describe, expect, test } from 'vitest';
import { OPTIONS } from './option-table.js';
import type { Tool } from './settings.js';

const TOOLS: readonly Tool[] = ['pub', 'sub', 'rr'];

describe.each(TOOLS)('the option table of %s', (tool) => {
  const rows = OPTIONS.filter((row) => row.tools.includes(tool));

  test('has every name once', () => {
    const names = rows.flatMap((row) => row.names);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  test('has help', () => {
    for (const row of rows) expect(row.help, row.names[0]).toMatch(/^[A-Z].*\.$/);
  });
});

test('names are one dash and a letter, or two dashes and words; the short one stands first', () => {
  for (const { names } of OPTIONS) {
    for (const name of names) expect(name).toMatch(/^(?:-[A-Za-z]|--[a-z]+(?:-[a-z0-9]+)*)$/);
    expect(names.slice(1).every((name) => name.startsWith('--'))).toBe(true);
  }
});

test('every option belongs to a tool; only options with a value can be repeatable or have a default', () => {
  for (const row of OPTIONS) {
    expect(row.tools.length, row.names[0]).toBeGreaterThan(0);
    if (row.value === undefined)
      expect([row.repeatable, row.initially], row.names[0]).toEqual([undefined, undefined]);
    for (const tool of row.repeatable ?? []) expect(row.tools).toContain(tool);
  }
});

test('the options of this release are all there, and belong to whom cli §3 says', () => {
  const all =
    '-h --host -p --port -A -k --keepalive --nodelay -o -V --protocol-version -i --id -I --id-prefix -c ' +
    '--disable-clean-session -x -u --username -P --pw -M --will-topic --will-payload --will-qos --will-retain -t --topic ' +
    '-q --qos -d --debug --quiet --help --version --local --pw-file --completion ' +
    '-L --url --unix -S --ws --ws-path --ws-header --proxy -D --property --cafile --capath --tls-use-os-certs --cert --key ' +
    '--keyform --ciphers --tls-version --insecure --tls-alpn --tls-keylog --tls-engine --tls-engine-kpass-sha1 --psk ' +
    '--psk-identity --no-tls';
  const publishers = '-m --message -f --file -n --null-message -s --stdin-file';
  const pub = '-l --stdin-line -r --retain --repeat --repeat-delay --give-up';
  const receivers = '-W -R --retain-as-published --retain-handling -v --verbose -N -F --pretty';
  const sub =
    '-U --unsubscribe -T --filter-out -C -E --retained-only --random-filter --strict-filters ' +
    '--remove-retained --message-rate -w --watch';
  const rr = '-e --latency';
  const namesOf = (tool: Tool) =>
    OPTIONS.filter((row) => row.tools.includes(tool))
      .flatMap((row) => row.names)
      .sort();
  const sorted = (...lists: readonly string[]) => lists.join(' ').split(' ').sort();
  expect(namesOf('pub')).toEqual(sorted(all, publishers, pub));
  expect(namesOf('sub')).toEqual(sorted(all, receivers, sub));
  expect(namesOf('rr')).toEqual(sorted(all, publishers, receivers, rr));
});
