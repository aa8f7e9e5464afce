import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { expect, onTestFinished, test } from 'vitest';
import { startChild } from './support/child.js';
import { acceptAndFallSilent, fakePeer } from './support/fake-peer.js';
import { workspaceRoot } from './support/workspace.js';

/** Bundles a program as ours are bundled, every `import()` a file of its own, and runs it. */
async function run(source: string): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), 'tsmqtt-lazy-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const entry = path.join(folder, 'program.mjs');
  writeFileSync(entry, source);
  await build({
    entryPoints: { main: entry },
    outdir: path.join(folder, 'out'),
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    conditions: ['@tsmqtt/source'],
    nodePaths: [path.join(workspaceRoot, 'node_modules')],
    // CommonJS dependencies ask for Node's modules with require().
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    logLevel: 'silent',
  });
  const { code, stdout, stderr } = await startChild(process.execPath, [path.join(folder, 'out', 'main.mjs')])
    .ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout.toString();
}

/** Prints which of Node's own modules are loaded. */
const SHOW = `console.log(['tls', 'http', 'https', 'crypto'].filter((name) => process.moduleLoadList.includes('NativeModule ' + name)).join(' '));`;

test('TLS, HTTP and cryptography are not loaded by a connection that is plain, and are by one that is not', async () => {
  const port = await fakePeer(acceptAndFallSilent);
  const plain = `import { connect, tcp, tls, tlsPsk, unix, websocket, socks, srv } from '@tsmqtt/client';
    const over = tcp({ host: '127.0.0.1', port: ${port} });
    const unused = [tls(over, { host: 'a' }), websocket(over, { host: 'a', port: 1 }), socks(over, { host: 'a', port: 1 })];
    const client = await connect({ connector: over, protocolVersion: 4 });
    ${SHOW}
    client.destroy();`;
  expect(await run(plain)).toBe('\n');
  const secure = `import { tls } from '@tsmqtt/client';
    const over = async () => { throw new Error('no'); };
    await tls(over, { host: 'a', insecure: true })(new AbortController().signal).catch(() => {});
    ${SHOW}`;
  expect(await run(secure)).toBe('tls crypto\n');
});

test('TLS is not loaded by a broker without TLS listeners, and is by one that has them', async () => {
  const start = (listener: string): string => `import { startBroker, DEFAULT_LISTENER } from '@tsmqtt/broker';
    const broker = await startBroker({ listeners: [{ ...DEFAULT_LISTENER, port: 0, host: '127.0.0.1', ${listener} }] });
    console.log(process.moduleLoadList.includes('NativeModule tls'));
    await broker.close();`;
  expect(await run(start(''))).toBe('false\n');
  expect(await run(start(`pskHint: 'hint'`))).toBe('true\n');
});
