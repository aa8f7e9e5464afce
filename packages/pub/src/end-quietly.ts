import type { Settings } from '@tsmqtt/cli-kit';
import { type Client, ClientError } from '@tsmqtt/client';

/** Says goodbye after everything was delivered; a connection that goes before that takes nothing back. */
export async function endQuietly(client: Client, { properties }: Settings): Promise<void> {
  try {
    await client.end({ properties: properties.DISCONNECT });
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
  }
}
