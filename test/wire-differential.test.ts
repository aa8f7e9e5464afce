import path from 'node:path';
import { expect, test } from 'vitest';
import { connectPacket } from '../packages/broker/test/raw-client.js';
import { malformedVectors, vectorBytes } from '../packages/protocol/test/packet-vectors.js';
import { type BrokerName, startBrokerProcess } from './support/brokers.js';
import { temporaryFolder, writeFiles } from './support/folder.js';
import { freePort } from './support/free-port.js';
import { describePeer } from './support/peers.js';
import { playSession, type WireSession } from './support/wire.js';
import { WIRE_DIFFERENCES } from './support/wire-differences.js';
import { WIRE_GROUPS, type WireGroup } from './support/wire-sessions.js';

const CONNECT_BYTE = 0x10;

/** The codec's malformed packets: as the first packet where they are CONNECT, or else after it. */
const MALFORMED: WireGroup = {
  title: 'malformed packets',
  conf: ['allow_anonymous true'],
  sessions: malformedVectors.map(({ why, version, hex, code }) => {
    const bytes = vectorBytes(hex);
    const first = ((bytes[0] as number) & 0xf0) === CONNECT_BYTE;
    const connect = connectPacket({ protocolVersion: version, clientId: 'a', keepAlive: 60 });
    return {
      title: why,
      version,
      steps: first
        ? [['a', bytes]]
        : [
            ['a', connect],
            ['a', bytes],
          ],
      ...(code === undefined ? {} : { code: code.slice(2) }),
    };
  }),
};

/** Ends the sessions that a scripted one has left, and clears its retained messages. */
const CLEANUP: WireSession = {
  title: 'clean-up',
  version: 4,
  steps: [
    ...['a', 'b', 'c'].map((clientId) => [clientId, connectPacket({ clientId, keepAlive: 9 })] as const),
    ...['w', 'x', 'x/y'].map(
      (topic) =>
        ['a', `31 0${topic.length + 2} 000${topic.length} ${Buffer.from(topic).toString('hex')}`] as const,
    ),
  ],
};

/** Always the same: what both brokers choose by chance is made alike. */
const GENERATED = / 61 75 74 6f 2d( [0-9a-f]{2}){36}/g;

/** A broker with one listener that the group's lines are for. */
async function start(name: BrokerName, group: WireGroup): Promise<number> {
  const folder = temporaryFolder();
  const port = await freePort();
  const lines = [
    // Root would become a user who may not read the test's files.
    ...(process.getuid?.() === 0 ? ['user root'] : []),
    'sys_interval 0',
    ...(name === 'mosquitto' ? ['set_tcp_nodelay true'] : []),
    // 2.1 has a limit where 2.0.11 has none, and names it in every CONNACK.
    ...(group.conf.some((line) => line.startsWith('max_packet_size')) ? [] : ['max_packet_size 2000000']),
    `listener ${port} 127.0.0.1`,
    ...group.conf,
  ].map((line) => `${line.replaceAll('{dir}', folder)}\n`);
  writeFiles(folder, { 'mosquitto.conf': lines.join(''), ...group.files });
  const child = startBrokerProcess(name, ['-c', path.join(folder, 'mosquitto.conf')]);
  await child.line(/version \S+ running$/, 'stderr');
  return port;
}

describePeer('mosquitto', 'tsmqtt-broker and mosquitto 2.0.11 answer the same packets', () => {
  test.each([...WIRE_GROUPS, MALFORMED])('$title', { timeout: 120_000 }, async (group) => {
    const ports = await Promise.all([start('mosquitto', group), start('tsmqtt-broker', group)]);
    const listed = WIRE_DIFFERENCES.filter((row) => row.group === group.title);
    const used = new Set<unknown>();
    const unexpected: string[] = [];
    let exchanges = 0;
    for (const session of group.sessions) {
      const [theirs, ours] = (await Promise.all(
        ports.map(async (port) => {
          const outcome = await playSession(port, session);
          if (group !== MALFORMED) await playSession(port, CLEANUP);
          return outcome.map((packets) => packets.join('; ').replaceAll(GENERATED, ' (generated)'));
        }),
      )) as [string[], string[]];
      for (const [at, answer] of theirs.entries()) {
        exchanges++;
        if (ours[at] === answer) continue;
        const row = listed.find(
          (one) =>
            one.at.test(session.title) &&
            one.versions.includes(session.version) &&
            one.ours(answer, session) === ours[at],
        );
        if (row === undefined)
          unexpected.push(`v${session.version} ${session.title}, step ${at + 1}\n  ${answer}\n  ${ours[at]}`);
        else used.add(row);
      }
    }
    expect(unexpected.join('\n')).toBe('');
    expect(exchanges).toBeGreaterThanOrEqual(group.sessions.length);
    // A difference that is gone leaves the list.
    expect(listed.filter((row) => !used.has(row)).map(({ what }) => what)).toEqual([]);
  });
});
