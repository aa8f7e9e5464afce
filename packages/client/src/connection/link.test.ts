import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { connect } from '../client.js';
import { ClientError } from '../client-error.js';

/** A connector whose duplex was destroyed before anybody could listen. */
const broken = (error?: Error) => async (): Promise<Duplex> => {
  const duplex = new Duplex({ read() {}, write: (_chunk, _encoding, callback) => callback() });
  const gone = new Promise<void>((resolve) => {
    duplex.on('error', () => {}).on('close', resolve);
  });
  duplex.destroy(error);
  await gone;
  return duplex;
};

const explained = new ClientError('tls-failed', 'the server requires a client certificate');

test.each([
  ['without error', undefined, { code: 'connection-lost', message: 'the server closed the connection' }],
  ['with an error', new Error('reset'), { code: 'connection-lost', message: 'reset' }],
  ['with an error that says what it means', explained, explained],
  ['with an error that was caused by one', new Error('alert', { cause: explained }), explained],
])('a connection that broke before anybody listened, %s', async (_title, error, expected) => {
  await expect(connect({ connector: broken(error) })).rejects.toMatchObject(expected);
});
