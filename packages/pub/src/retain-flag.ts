import type { Settings } from '@tsmqtt/cli-kit';
import type { Client } from '@tsmqtt/client';
import { property } from '@tsmqtt/protocol';

/** `-r`, unless the broker said that it keeps nothing (cli §3.3). */
export function retainFlag(settings: Settings, client: Client): boolean {
  return settings.retain && property(client.connack.properties, 'retainAvailable') !== 0;
}
