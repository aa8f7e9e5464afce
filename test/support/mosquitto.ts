import path from 'node:path';
import { startBrokerProcess } from './brokers.js';
import type { Child } from './child.js';
import { temporaryFolder, writeFiles } from './folder.js';
import { freePort } from './free-port.js';

/**
 * Starts mosquitto with one listener on 127.0.0.1 that these lines of its configuration are for; other listeners may
 * follow among them. Resolves when it runs; it is killed at the end of the test.
 */
export async function startMosquitto(
  ...lines: readonly string[]
): Promise<{ readonly port: number; readonly child: Child }> {
  const port = await freePort();
  const folder = temporaryFolder();
  const all = [
    'allow_anonymous true',
    // Root would become a user who may not read the test's files.
    ...(process.getuid?.() === 0 ? ['user root'] : []),
    `listener ${port} 127.0.0.1`,
    ...lines,
  ];
  writeFiles(folder, { 'mosquitto.conf': `${all.join('\n')}\n` });
  const child = startBrokerProcess('mosquitto', ['-c', path.join(folder, 'mosquitto.conf')]);
  await child.line(/version \S+ running$/, 'stderr');
  return { port, child };
}

/** The same with a WebSocket listener. mosquitto 2.0.11 wants another one beside it, or does not start. */
export function startWebSocketMosquitto(...lines: readonly string[]): ReturnType<typeof startMosquitto> {
  const file = path.join(temporaryFolder(), 'mqtt.sock');
  return startMosquitto('protocol websockets', ...lines, `listener 0 ${file}`);
}
