import { CLOSE_REASONS, type CloseReason } from './close-reason-table.js';
import type { Connection } from './connection.js';

/**
 * What the end of a connection is to everybody else: a line in the log, an end or a pause of its session, its will.
 *
 * @param wasConnected CONNACK had said yes.
 * @param error Of the socket; undefined: it has nothing to do with it.
 */
export function connectionEnded(
  connection: Connection,
  wasConnected: boolean,
  reason: CloseReason,
  error: Error | undefined,
): void {
  const { engine, name, session, will } = connection;
  const { text, sendsWill } = CLOSE_REASONS[reason];
  const why = error === undefined ? text : error.message;
  if (engine.settings.connectionMessages) {
    if (wasConnected) engine.log.notice(`Client ${name} disconnected${why === '' ? '' : `: ${why}`}.`);
    else if (text !== '') engine.log.notice(`Client ${name} disconnected: ${why}.`);
  }
  connection.will = undefined;
  if (wasConnected) engine.hooks?.afterDisconnect(connection, why);
  if (session === undefined || session.connection !== connection) return;
  const lifetime = engine.sessions.lifetime(session);
  // The session goes first: a dead client's own subscription does not get its will (broker §9.5).
  engine.sessions.disconnected(session);
  if (sendsWill && will !== undefined) engine.wills.due(session, will, connection.version, lifetime);
}
