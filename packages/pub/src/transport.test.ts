import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { bytes, MemoryIo } from '../../cli-kit/test/memory-io.js';
import { run } from './run.js';

const folder = mkdtempSync(join(tmpdir(), 'tsmqtt-pub-transport-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const THERE = join(folder, 'there');
writeFileSync(THERE, 'not a certificate\n');

async function pub(...args: string[]) {
  const io = new MemoryIo({ stdin: '' });
  const code = await run(bytes([...args, '-t', 'a', '-n']), io);
  return { code, out: io.out.toString(), err: io.err };
}

describe('TLS that cannot be set up: exit 1 without connecting (cli §5, P-10)', () => {
  const NOT_FOUND = 'Error: Problem setting TLS options: File not found.\n';
  const OPTIONS = 'Error: Problem setting TLS options, check the options are valid.\n';
  const PSK = ['--psk-identity', 'i', '--psk'];
  test.each([
    [['--cafile', '/nonexistent'], NOT_FOUND],
    [['--tls-use-os-certs', '--cert', '/nonexistent', '--key', THERE], NOT_FOUND],
    [['--tls-use-os-certs', '--cert', THERE, '--key', '/nonexistent'], NOT_FOUND],
    [['--tls-use-os-certs', '--tls-version', 'tlsv1.1'], OPTIONS],
    [['--tls-use-os-certs', '--tls-version', ''], OPTIONS],
    [['--tls-use-os-certs', '--tls-alpn', 'x'.repeat(255)], OPTIONS],
    [['--tls-use-os-certs', '--tls-alpn', ''], OPTIONS],
    [[...PSK, 'xyz'], 'Error: Problem setting TLS-PSK options.\n'],
    [[...PSK, ''], 'Error: Problem setting TLS-PSK options.\n'],
    [
      ['--tls-use-os-certs', '--tls-engine', 'foo'],
      'Error: Problem setting TLS engine, is foo a valid engine?\n',
    ],
    [
      ['--tls-use-os-certs', '--cert', THERE, '--key', THERE, '--keyform', 'der'],
      "Error: Problem setting key form, it must be one of 'pem' or 'engine'.\n",
    ],
    [
      ['--tls-use-os-certs', '--cert', THERE, '--key', THERE, '--keyform', 'ENGINE'],
      'Unable to connect (A TLS error occurred: there is no engine that could have the key).\n',
    ],
    [
      ['--cafile', THERE],
      `Unable to connect (A TLS error occurred: the CA file ${THERE} holds no certificate).\n`,
    ],
    [
      ['--capath', '/nonexistent'],
      'Unable to connect (A TLS error occurred: cannot read the CA directory /nonexistent: no such file or directory).\n',
    ],
    [
      ['--tls-use-os-certs', '--ciphers', 'NONSENSE'],
      'Unable to connect (A TLS error occurred: no cipher matches',
    ],
    [
      [...PSK, 'aa', '--tls-version', 'tlsv1.3'],
      'Unable to connect (A TLS error occurred: a pre-shared key needs TLS 1.2).\n',
    ],
  ])('%j', async (args, err) => {
    // Nothing is sent: whoever connected would find nobody there, which is another error.
    const outcome = await pub('-h', '127.0.0.1', '-p', '1', ...args);
    expect(outcome).toEqual({ code: 1, out: '', err: expect.stringContaining(err) as string });
    expect((await pub('-h', '127.0.0.1', '-p', '1', '--quiet', ...args)).err).toBe('');
  });
});

describe('no broker there (cli §9.8, P-9)', () => {
  test.each([
    [['--unix', '/nonexistent/socket'], 1, 'Error: No such file or directory (/nonexistent/socket)\n'],
    [['-h', '/nonexistent/socket', '-p', '0'], 1, 'Error: No such file or directory (/nonexistent/socket)\n'],
    [['--unix', ''], 1, 'Unable to connect (Invalid input).\n'],
    [['--unix', 'x'.repeat(108)], 1, 'Unable to connect (Invalid input).\n'],
    [['--unix', '/x', '--proxy', 'socks5h://127.0.0.1:1'], 1, 'Unable to connect (Invalid input).\n'],
    [['-h', '127.0.0.1', '-p', '1', '--ws'], 1, 'Error: Connection refused (127.0.0.1:1)\n'],
    [['-h', '127.0.0.1', '-p', '1', '--tls-use-os-certs'], 1, 'Error: Connection refused (127.0.0.1:1)\n'],
    [['-h', 'x.invalid', '--proxy', 'socks5h://127.0.0.1:1'], 1, 'Error: Connection refused (127.0.0.1:1)\n'],
    [
      ['-h', '127.0.0.1', '-p', '1', '--tls-keylog', '/nonexistent/x'],
      1,
      'Error: Connection refused (127.0.0.1:1)\n',
    ],
    [['-h', '::1', '-p', '1', '-A', '127.0.0.1'], 1, 'Unable to connect (Lookup error).\n'],
  ])('%j', async (args, code, err) => {
    expect(await pub(...args)).toEqual({ code, out: '', err });
  });
});

/** Answers the first bytes with these, whatever they are. */
async function answering(...answers: readonly (string | Buffer)[]): Promise<string> {
  const server = createServer((socket) => {
    const left = [...answers];
    socket
      .on('error', () => {})
      .on('data', () => {
        const answer = left.shift();
        if (answer === undefined) socket.destroy();
        else socket.write(answer);
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return String((server.address() as { port: number }).port);
}

test('a server that refuses WebSocket: exit 13 (cli §9.4)', async () => {
  const port = await answering('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n');
  expect(await pub('-h', '127.0.0.1', '-p', port, '--ws')).toEqual({
    code: 13,
    out: '',
    err: 'Error: Unknown error\n',
  });
});

test('a server without TLS is said to be one (P-10)', async () => {
  const port = await answering('HTTP/1.1 400 Bad Request\r\n\r\n');
  expect(await pub('-h', '127.0.0.1', '-p', port, '--tls-use-os-certs')).toEqual({
    code: 1,
    out: '',
    err: 'Unable to connect (A TLS error occurred: the server does not speak TLS on this port).\n',
  });
});

describe('what a SOCKS5 proxy answers (cli §9.5)', () => {
  const reply = (code: number): Buffer => Buffer.from([5, code, 0, 1, 0, 0, 0, 0, 0, 0]);
  const NOT_CONNECTED = 'Error: The client is not currently connected\n';
  const PROXY = 'Error: Proxy error\n';
  test.each<readonly [answers: readonly Buffer[], code: number, err: string]>([
    [[Buffer.from([5, 0xff])], 11, 'Error: Authorisation failed\n'],
    [[Buffer.from([5, 2]), Buffer.from([1, 1])], 16, PROXY],
    [[Buffer.from([5, 0]), reply(1)], 16, PROXY],
    [[Buffer.from([5, 0]), reply(2)], 11, 'Error: Authorisation failed\n'],
    [[Buffer.from([5, 0]), reply(3)], 4, NOT_CONNECTED],
    [[Buffer.from([5, 0]), reply(4)], 4, NOT_CONNECTED],
    [[Buffer.from([5, 0]), reply(5)], 4, NOT_CONNECTED],
    [[Buffer.from([5, 0]), reply(6)], 16, PROXY],
    [[Buffer.from([5, 0]), reply(7)], 16, PROXY],
    [[Buffer.from([5, 0]), reply(8)], 16, PROXY],
    [[Buffer.from([5, 0]), reply(9)], 3, 'Error: Invalid input\n'],
  ])('%j', async (answers, code, err) => {
    const port = await answering(...answers);
    expect(await pub('--proxy', `socks5h://u@127.0.0.1:${port}`)).toEqual({ code, out: '', err });
  });
});
