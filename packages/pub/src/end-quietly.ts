import { type Client, ClientError } from '@tsmqtt/client';

/** Says goodbye after everything was delivered; a connection that goes before that takes nothing back. */
export async function endQuietly(client: Client): Promise<void> {
  try {
    await client.end();
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
  }
}
