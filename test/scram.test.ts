import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { type Packet, PacketType } from '@tsmqtt/protocol';
import mqtt from 'mqtt';
import { expect, onTestFinished, test } from 'vitest';
import { SocketPeer } from '../packages/broker/test/engine-host.js';
import { connectPacket } from '../packages/broker/test/raw-client.js';
import {
  authData,
  authPacket,
  authProperties,
  SCRAM,
  ScramClient,
} from '../packages/broker/test/scram-client.js';
import { startBroker } from './support/brokers.js';
import { temporaryFolder } from './support/folder.js';
import { runProgram } from './support/programs.js';

/** A file of credentials that tsmqtt-passwd made. */
async function fileOf(users: Readonly<Record<string, string>>): Promise<string> {
  const file = path.join(temporaryFolder(), 'scram');
  writeFileSync(file, '', { mode: 0o600 });
  for (const [user, password] of Object.entries(users)) {
    const { code } = await runProgram('tsmqtt-passwd', ['-H', 'scram-sha-256', '-b', file, user, password]);
    expect(code).toBe(0);
  }
  return file;
}

async function come(port: number, clientId: string, scram: ScramClient): Promise<[SocketPeer, Packet]> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  onTestFinished(() => void socket.destroy());
  const peer = new SocketPeer(socket, 5);
  const properties = authProperties(SCRAM, scram.first);
  peer.send(connectPacket({ protocolVersion: 5, clientId, properties }));
  peer.send(scram.answer(await peer.next(PacketType.AUTH)));
  return [peer, await peer.next(PacketType.CONNACK)];
}

test('users of a file that tsmqtt-passwd made come in by SCRAM, and a reload goes by its new content', async () => {
  const file = await fileOf({ ann: 'one secret', bob: 'another, one' });
  const broker = await startBroker('tsmqtt-broker', { conf: [`scram_file ${file}`] });
  const hangUp = () => process.kill(broker.child.pid, 'SIGHUP');
  const asAnn = new ScramClient('ann', 'one secret');
  const [ann, connack] = await come(broker.port, 'a', asAnn);
  expect(connack).toMatchObject({ reasonCode: 0 });
  expect(authData(connack)).toBe(asAnn.expected);
  const [bob, second] = await come(broker.port, 'b', new ScramClient('bob', 'another, one'));
  expect(second).toMatchObject({ reasonCode: 0 });
  const [, refused] = await come(broker.port, 'c', new ScramClient('ann', 'another secret'));
  expect(refused).toMatchObject({ reasonCode: 0x87 });
  await broker.child.line(/New client connected from \S+ as a \(p5, c1, k0, u'ann'\)\.$/, 'stderr');

  // Bad content is logged and changes nothing (B-1).
  writeFileSync(file, 'ann:secret\n');
  hangUp();
  await broker.child.line(
    /: scram-file: Error: Unable to decode line in SCRAM file '.*'\. \(line 1\)$/,
    'stderr',
  );
  await ann.ping();
  const again = new ScramClient('ann', 'one secret');
  ann.send(authPacket(0x19, SCRAM, again.first));
  ann.send(again.answer(await ann.next(PacketType.AUTH)));
  expect(await ann.next(PacketType.AUTH)).toMatchObject({ reasonCode: 0 });

  writeFileSync(file, '');
  await runProgram('tsmqtt-passwd', ['-H', 'scram-sha-256', '-b', file, 'bob', 'another, one']);
  hangUp();
  await ann.until(() => ann.socket.readableEnded);
  // Made anew of the same password it is another credential, so he has to come again, too.
  await bob.until(() => bob.socket.readableEnded);
  const [, third] = await come(broker.port, 'b', new ScramClient('bob', 'another, one'));
  expect(third).toMatchObject({ reasonCode: 0 });
});

test.each([
  ['ann:secret\n', 3, /^\d+: scram-file: Error: Unable to decode line in SCRAM file '(.*)'\. \(line 1\)$/m],
  [undefined, 13, /^\d+: Error: Unable to open scram file "(.*)"\. \(ENOENT/m],
])('a scram_file of %j ends the start with %i', async (content, code, line) => {
  const file = path.join(temporaryFolder(), 'scram');
  if (content !== undefined) writeFileSync(file, content);
  const conf = path.join(temporaryFolder(), 'conf');
  writeFileSync(conf, `listener 1883 127.0.0.1\nuser root\nscram_file ${file}\n`);
  const ended = await runProgram('tsmqtt-broker', ['-c', conf]);
  expect(ended.code).toBe(code);
  expect(line.exec(ended.stderr)?.[1]).toBe(file);
});

test('mqtt.js comes in by SCRAM', async () => {
  const file = await fileOf({ ann: 'one secret' });
  const broker = await startBroker('tsmqtt-broker', { conf: [`scram_file ${file}`] });
  const scram = new ScramClient('ann', 'one secret');
  const client = mqtt.connect({
    port: broker.port,
    protocolVersion: 5,
    reconnectPeriod: 0,
    properties: { authenticationMethod: SCRAM, authenticationData: Buffer.from(scram.first) },
  });
  onTestFinished(() => void client.end(true));
  client.handleAuth = ({ properties }, answer) => {
    const final = Buffer.from(scram.final(String(properties?.authenticationData)));
    answer(undefined, {
      cmd: 'auth',
      reasonCode: 0x18,
      properties: { authenticationMethod: SCRAM, authenticationData: final },
    });
  };
  const connack = await new Promise<mqtt.IConnackPacket>((resolve) => client.once('connect', resolve));
  expect(String(connack.properties?.authenticationData)).toBe(scram.expected);
  const message = new Promise((resolve) => {
    client.once('message', (topic, payload) => resolve(`${topic} ${payload}`));
  });
  await client.subscribeAsync('a');
  await client.publishAsync('a', 'hello');
  expect(await message).toBe('a hello');
});
