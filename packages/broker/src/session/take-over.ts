import { property, ReasonCode } from '@tsmqtt/protocol';
import type { Engine } from '../engine.js';

/**
 * [MQTT-3.1.4-3] [MQTT311-3.1.4-2]: the same Client Identifier comes again, so whatever it is there by goes, and a will
 * that waits for it is not sent.
 *
 * @param cleanStart The newcomer wants no part of the session.
 */
export function takeOver(engine: Engine, clientId: string, cleanStart: boolean): void {
  const session = engine.sessions.get(clientId);
  const old = session?.connection;
  if (session !== undefined && old !== undefined) {
    const { will, version } = old;
    const ends = cleanStart || !session.persistent;
    old.close('sessionTakenOver', ReasonCode.SESSION_TAKEN_OVER);
    // A will goes out where the session does not go on; one with a delay is dropped by every take-over (broker §9.5).
    if (will !== undefined && ends && (property(will.properties, 'willDelayInterval') ?? 0) === 0) {
      engine.wills.due(session, will, version, 0);
    }
  }
  engine.wills.cancel(clientId);
}
