import type { Settings } from '@tsmqtt/cli-kit';
import { type Client, ClientError } from '@tsmqtt/client';
import type { Property } from '@tsmqtt/protocol';

/** Says goodbye after everything was delivered; a connection that goes before that takes nothing back. */
export async function endQuietly(
  client: Client,
  { properties }: Settings,
  ...more: readonly Property[]
): Promise<void> {
  try {
    await client.end({ properties: [...properties.DISCONNECT, ...more] });
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
  }
}
