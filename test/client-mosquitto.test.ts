import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Client, type ConnectOptions, connect, Delivery, tcp } from '@tsmqtt/client';
import type { ProtocolVersion, QoS, SubscriptionRequest } from '@tsmqtt/protocol';
import { build } from 'esbuild';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startBroker } from './support/brokers.js';
import { startChild } from './support/child.js';
import { describePeer } from './support/peers.js';
import { workspaceRoot } from './support/workspace.js';

const VERSIONS: readonly ProtocolVersion[] = [3, 4, 5];
const QUALITIES: readonly QoS[] = [0, 1, 2];

function subscription(filter: string, qos: QoS): SubscriptionRequest {
  return { filter, qos, noLocal: false, retainAsPublished: false, retainHandling: 0 };
}

async function join(port: number, options: Partial<ConnectOptions> = {}): Promise<Client> {
  const client = await connect({ connector: tcp({ host: '127.0.0.1', port }), ...options });
  onTestFinished(() => client.destroy());
  return client;
}

/** Collects messages; `count` of them are there when `all` resolves. */
function inbox(count: number): {
  onMessage: NonNullable<ConnectOptions['onMessage']>;
  all: Promise<string[]>;
} {
  const seen: string[] = [];
  let finish: (seen: string[]) => void = () => {};
  const all = new Promise<string[]>((resolve) => {
    finish = resolve;
  });
  return {
    all,
    onMessage: ({ topic, payload, qos, retain }) => {
      seen.push(`${topic} ${Buffer.from(payload)} ${qos}${retain ? 'r' : ''}`);
      if (seen.length === count) finish(seen);
      return Delivery.CONTINUE;
    },
  };
}

describePeer('mosquitto', 'the client against mosquitto', () => {
  describe.each(VERSIONS)('version %i', (protocolVersion) => {
    test('every QoS there and back', async () => {
      const { port } = await startBroker('mosquitto');
      const { onMessage, all } = inbox(3);
      const subscriber = await join(port, { protocolVersion, clientId: 'sub', onMessage });
      const { reasonCodes } = await subscriber.subscribe(
        QUALITIES.map((qos) => subscription(`t/${qos}`, qos)),
      );
      expect(reasonCodes).toEqual([0, 1, 2]);
      const publisher = await join(port, { protocolVersion, clientId: 'pub' });
      for (const qos of QUALITIES) {
        expect(await publisher.publish(`t/${qos}`, 'hello', { qos })).toMatchObject({ reasonCode: 0 });
      }
      expect(await all).toEqual(['t/0 hello 0', 't/1 hello 1', 't/2 hello 2']);
      await subscriber.unsubscribe(['t/0', 't/1']);
      await Promise.all([subscriber.end(), publisher.end()]);
    });

    test.each(QUALITIES)('20,000 messages of a batch at QoS %i, in order', async (qos) => {
      const { port } = await startBroker('mosquitto', {
        conf: ['allow_anonymous true', 'max_queued_messages 0'],
      });
      const count = 20_000;
      const { onMessage, all } = inbox(count);
      const subscriber = await join(port, { protocolVersion, clientId: 'sub', onMessage });
      await subscriber.subscribe([subscription('t', qos)]);
      const publisher = await join(port, { protocolVersion, clientId: 'pub' });
      const batch = publisher.batch('t', { qos });
      for (let index = 0; index < count; index++) {
        const line = Buffer.from(String(index));
        if (!batch.write(line, 0, line.length)) await batch.drained();
      }
      await batch.finish();
      expect(batch).toMatchObject({ accepted: count, settled: count, failed: 0 });
      const seen = await all;
      expect(seen).toEqual(Array.from({ length: count }, (_, index) => `t ${index} ${qos}`));
      await Promise.all([subscriber.end(), publisher.end()]);
    });

    test('a kept session gives again what was not acknowledged', async () => {
      const { port } = await startBroker('mosquitto');
      const options = { protocolVersion, clientId: 'kept', cleanStart: false } as const;
      const lasting =
        protocolVersion === 5 ? { properties: [{ name: 'sessionExpiryInterval', value: 60 }] as const } : {};
      let left = 3;
      const first = promise();
      const subscriber = await join(port, {
        ...options,
        ...lasting,
        holdAcknowledgements: true,
        onMessage: () => (--left > 0 ? Delivery.CONTINUE : Delivery.PAUSE),
        onBatchEnd: () => {
          if (left === 0) first.keep();
        },
      });
      await subscriber.subscribe([subscription('t', 2)]);
      const publisher = await join(port, { protocolVersion, clientId: 'pub' });
      await Promise.all(
        ['1', '2', '3', '4', '5'].map((payload) => publisher.publish('t', payload, { qos: 2 })),
      );
      await first.kept;
      subscriber.acknowledge();
      await subscriber.end();

      const { onMessage, all } = inbox(2);
      const again = await join(port, { ...options, ...lasting, onMessage });
      expect(await all).toEqual(['t 4 2', 't 5 2']);
      await Promise.all([again.end(), publisher.end()]);
    });

    test('a will comes when the client is destroyed and not when it ends', async () => {
      const { port } = await startBroker('mosquitto');
      const { onMessage, all } = inbox(1);
      const subscriber = await join(port, { protocolVersion, clientId: 'sub', onMessage });
      await subscriber.subscribe([subscription('will/#', 1)]);
      const will = (topic: string) =>
        ({ topic, payload: Buffer.from('gone'), qos: 1, retain: false, properties: [] }) as const;
      const polite = await join(port, { protocolVersion, clientId: 'a', will: will('will/polite') });
      await polite.end();
      const rude = await join(port, { protocolVersion, clientId: 'b', will: will('will/rude') });
      rude.destroy();
      expect(await all).toEqual(['will/rude gone 1']);
    });
  });

  test('retained messages, topic alias, an assigned id, a refusal', async () => {
    const { port } = await startBroker('mosquitto');
    const publisher = await join(port);
    expect(publisher.clientId).toMatch(/^auto-/);
    const properties = [{ name: 'topicAlias', value: 2 }] as const;
    await publisher.publish('long/topic', '1', { retain: true, properties });
    await publisher.publish('long/topic', '2', { retain: true, properties });
    await publisher.publish('other', '3', { qos: 1, retain: true, properties });
    const { onMessage, all } = inbox(2);
    const subscriber = await join(port, { onMessage });
    await subscriber.subscribe([subscription('#', 1)]);
    expect((await all).sort()).toEqual(['long/topic 2 0r', 'other 3 1r']);
    const other = await startBroker('mosquitto', { conf: ['allow_anonymous false'] });
    await expect(join(other.port)).rejects.toMatchObject({ code: 'refused', reasonCode: 0x87 });
    await expect(join(other.port, { protocolVersion: 4 })).rejects.toMatchObject({
      code: 'refused',
      reasonCode: 5,
    });
  });

  test('a broker that is taken away and comes back', async () => {
    const first = await startBroker('mosquitto');
    const back = promise();
    const lost = promise();
    const publisher = await join(first.port, {
      protocolVersion: 4,
      clientId: 'pub',
      cleanStart: false,
      reconnect: () => 20,
      onConnectionLost: () => lost.keep(),
      onReconnected: () => back.keep(),
    });
    await first.child.kill('SIGKILL');
    await lost.kept;
    const batch = publisher.batch('t', { qos: 1 });
    for (let index = 0; index < 100; index++) batch.write(Buffer.from(String(index)), 0, 1);
    const again = startChild('mosquitto', ['-c', path.join(first.folder, 'mosquitto.conf')]);
    onTestFinished(async () => {
      await again.kill('SIGKILL');
    });
    await back.kept;
    await batch.finish();
    expect(batch.settled).toBe(100);
    await publisher.end();
  });

  test('a process ends by itself after end(), and stays as long as it is connected', async () => {
    const { port } = await startBroker('mosquitto');
    const folder = mkdtempSync(path.join(tmpdir(), 'tsmqtt-client-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const source = path.join(folder, 'program.mjs');
    writeFileSync(
      source,
      `import { connect, tcp, Delivery } from '@tsmqtt/client';
       const connector = tcp({ host: '127.0.0.1', port: ${port} });
       let subscriber;
       subscriber = await connect({ connector, onMessage: () => { void subscriber.end(); return Delivery.CONTINUE; } });
       await subscriber.subscribe([{ filter: 't', qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 }]);
       console.log('subscribed');
       await subscriber.closed;
       await connect({ connector, signal: AbortSignal.abort() }).catch(({ code }) => console.log(code));
       const other = await connect({ connector, reconnect: () => 3600000, keepAlive: 1 });
       await other.publish('t', 'x', { qos: 2 });
       other.destroy();
       console.log(await other.closed.then(({ code }) => code));`,
    );
    const outfile = path.join(folder, 'bundle.mjs');
    await build({
      entryPoints: [source],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      conditions: ['@tsmqtt/source'],
      nodePaths: [path.join(workspaceRoot, 'node_modules')],
      logLevel: 'silent',
    });
    const program = startChild(process.execPath, [outfile]);
    await program.line('subscribed');
    const publisher = await join(port);
    await publisher.publish('t', '');
    const { code, stdout, stderr } = await program.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.toString()).toBe('subscribed\naborted\nclosed\n');
    await publisher.end();
  });
});

function promise(): { readonly kept: Promise<void>; readonly keep: () => void } {
  let keep = (): void => {};
  const kept = new Promise<void>((resolve) => {
    keep = resolve;
  });
  return { kept, keep };
}
