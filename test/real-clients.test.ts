import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { startBrokerProcess } from './support/brokers.js';
import {
  type Authority,
  type CertificateFiles,
  certificateFolder,
  createAuthority,
} from './support/certificates.js';
import { startChild } from './support/child.js';
import type { ClientDriver, Endpoint, Transport } from './support/clients/client-driver.js';
import { CLIENT_SCRIPTS } from './support/clients/client-scripts.js';
import { mosquittoDriver } from './support/clients/mosquitto-driver.js';
import { playScript } from './support/clients/play-script.js';
import { mqttjsDriver, pahoDriver } from './support/clients/process-driver.js';
import { temporaryFolder, writeFiles } from './support/folder.js';
import { freePort } from './support/free-port.js';
import { describePeer } from './support/peers.js';

// Clients that others have written, each through the same scripts in every version and over every transport that it
// speaks, against the built program.

let authority: Authority;
let server: CertificateFiles;

beforeAll(() => {
  authority = createAuthority(certificateFolder(), 'ca');
  server = authority.issue('server', { name: 'localhost', alternatives: 'DNS:localhost,IP:127.0.0.1' });
});

/** A broker of its own for one test, with a listener of this transport. */
async function startListener(transport: Transport): Promise<Endpoint> {
  const port = await freePort();
  const folder = temporaryFolder();
  const lines = [
    ...(process.getuid?.() === 0 ? ['user root'] : []),
    'allow_anonymous true',
    `listener ${port} 127.0.0.1`,
    ...(transport.startsWith('websocket') ? ['protocol websockets'] : []),
    ...(transport.endsWith('tls') ? [`certfile ${server.cert}`, `keyfile ${server.key}`] : []),
  ];
  writeFiles(folder, { 'mosquitto.conf': `${lines.join('\n')}\n` });
  const broker = startBrokerProcess('tsmqtt-broker', ['-c', path.join(folder, 'mosquitto.conf')]);
  await broker.line(/version \S+ running$/, 'stderr');
  return { transport, port, caFile: authority.file };
}

const NAMES = { 3: 'MQTT 3.1', 4: 'MQTT 3.1.1', 5: 'MQTT 5' } as const;

function describeScripts(driver: ClientDriver): void {
  describe.each(driver.transports)('over %s', (transport) => {
    for (const version of driver.versions) {
      const scripts = CLIENT_SCRIPTS.filter(
        ({ versions, needs }) =>
          versions.includes(version) && needs.every((skill) => driver.skills.has(skill)),
      );
      test(`${NAMES[version]}: ${scripts.length} scripts`, async () => {
        const endpoint = await startListener(transport);
        for (const script of scripts) {
          await playScript(driver, endpoint, version, script).catch((error: unknown) => {
            throw new Error(`script "${script.title}": ${error instanceof Error ? error.message : error}`, {
              cause: error,
            });
          });
        }
      });
    }
  });
}

describe('mqtt.js', () => describeScripts(mqttjsDriver));
describePeer('paho', "Python's paho", (python) => describeScripts(pahoDriver(python)));
describePeer('mosquitto_sub', "Debian's mosquitto_sub and mosquitto_pub", () =>
  describeScripts(mosquittoDriver),
);

describePeer('mosquitto_rr', "Debian's mosquitto_rr", (file) => {
  test.each(['mqttv311', 'mqttv5'])('a request and its response, %s', async (version) => {
    const { port, ...endpoint } = await startListener('tcp');
    const responder = await mqttjsDriver.connect({ port, ...endpoint }, 5, 'responder', {});
    await responder.subscribe(['request'], { qos: 1 });
    const requester = startChild(
      file,
      [
        ...['-h', '127.0.0.1', '-p', String(port), '-V', version, '-q', '1', '-W', '20'],
        ...['-t', 'request', '-e', 'response', '-m', 'question', '-D', 'publish', 'correlation-data', 'c'],
      ].slice(0, version === 'mqttv5' ? undefined : -4),
    );
    const [request] = await responder.receive(1);
    expect(request).toMatchObject({ topic: 'request', payload: 'question', qos: 1 });
    if (version === 'mqttv5') {
      expect(request?.properties).toEqual({ responseTopic: 'response', correlationData: 'c' });
    }
    await responder.publish('response', 'answer', { qos: 1, properties: { correlationData: 'c' } });
    const { code, stdout } = await requester.ended;
    expect([code, stdout.toString()]).toEqual([0, 'answer\n']);
  });
});
