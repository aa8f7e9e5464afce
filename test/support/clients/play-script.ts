import type { ProtocolVersion } from '@tsmqtt/protocol';
import { expect } from 'vitest';
import type { ClientDriver, DrivenClient, Endpoint, ReceivedMessage } from './client-driver.js';
import type { ClientScript, ScriptStep } from './client-scripts.js';

/** Plays a script with the clients of one driver; fails where something else comes. */
export async function playScript(
  driver: ClientDriver,
  endpoint: Endpoint,
  version: ProtocolVersion,
  script: ClientScript,
): Promise<void> {
  const clients = new Map<string, DrivenClient>();
  const replaced = new Map<string, DrivenClient>();
  for (const step of script.steps) {
    const [does, name] = step;
    const old = clients.get(name);
    if (does === 'connects') {
      clients.set(name, await connects(driver, endpoint, version, step, script.title));
      if (old !== undefined) replaced.set(name, old);
    } else if (does === 'is closed') await replaced.get(name)?.ended();
    else {
      await performs(old as DrivenClient, step);
      if (does === 'disconnects' || does === 'breaks') clients.delete(name);
    }
  }
  for (const [name, client] of clients) {
    expect(client.left, `${name} has got more`).toEqual([]);
    await client.disconnect({});
  }
}

async function connects(
  driver: ClientDriver,
  endpoint: Endpoint,
  version: ProtocolVersion,
  [, name, options = {}, present]: Extract<ScriptStep, readonly ['connects', ...unknown[]]>,
  title: string,
): Promise<DrivenClient> {
  const client = await driver.connect(endpoint, version, `${name} of ${title}`, options);
  if (present !== undefined) expect(client.sessionPresent, 'session present').toBe(present);
  return client;
}

async function performs(client: DrivenClient, step: ScriptStep): Promise<void> {
  switch (step[0]) {
    case 'subscribes': {
      const granted = await client.subscribe(step[2], step[3]);
      expect(granted).toEqual(step[2].map(() => step[3].qos));
      return;
    }
    case 'unsubscribes':
      return client.unsubscribe(step[2]);
    case 'publishes':
      return client.publish(step[2], step[3], step[4] ?? {});
    case 'receives': {
      const [, , ...messages] = step;
      expect((await client.receive(messages.length)).map(messageText)).toEqual(messages);
      return;
    }
    case 'disconnects':
      return client.disconnect(step[2] ?? {});
    case 'breaks':
      return client.drop();
    default:
      throw new Error(`not a step of one client: ${step[0]}`);
  }
}

const ORDER = [
  'contentType',
  'responseTopic',
  'correlationData',
  'payloadFormat',
  'user',
  'subscriptionIdentifiers',
] as const;

function messageText({ topic, payload, qos, retain, properties = {} }: ReceivedMessage): string {
  const present = ORDER.filter((name) => properties[name] !== undefined).map((name) => [
    name,
    properties[name],
  ]);
  const text = present.length === 0 ? '' : ` ${JSON.stringify(Object.fromEntries(present))}`;
  return `${topic} q${qos}${retain ? ' retain' : ''}: ${payload}${text}`;
}
