import { type Auth, ProtocolError, property, ReasonCode, Verdict } from '@tsmqtt/protocol';
import type { Authentication } from '../auth/authentication.js';
import type { Connection } from '../connection/connection.js';
import { Phase } from '../connection/phase.js';

/** AUTH (3.15): the client goes on with an exchange, or wants to prove itself again (4.12, 4.12.1). */
export function handleAuth(connection: Connection, packet: Auth): Verdict {
  const { authentication } = connection;
  // [MQTT-4.12.0-7]
  if (authentication === undefined) {
    throw new ProtocolError('auth-unexpected', 'AUTH without an agreed Authentication Method');
  }
  // [MQTT-4.12.0-5] [MQTT-4.12.1-1]; to leave it out is an error, too (3.15.2.2.2).
  if (property(packet.properties, 'authenticationMethod') !== authentication.methodName) {
    throw new ProtocolError('auth-method', 'AUTH does not name the Authentication Method of CONNECT');
  }
  const data = property(packet.properties, 'authenticationData');
  if (packet.reasonCode === ReasonCode.RE_AUTHENTICATE) {
    reauthenticate(connection, authentication, data);
  } else {
    // [MQTT-4.12.0-3]; 0x00 is the server's to send (3.15.2.1).
    if (packet.reasonCode !== ReasonCode.CONTINUE_AUTHENTICATION || !authentication.waitsForClient) {
      throw new ProtocolError('auth-unexpected', 'AUTH that answers nothing');
    }
    authentication.answer(data);
  }
  return connection.phase === Phase.AUTHENTICATING ? Verdict.PAUSE : Verdict.CONTINUE;
}

/** Other packets go on meanwhile, in both directions (4.12.1). */
function reauthenticate(
  connection: Connection,
  authentication: Authentication,
  data: Uint8Array | undefined,
): void {
  // [MQTT-4.12.1-1]: at any time after CONNACK.
  if (connection.phase !== Phase.CONNECTED || authentication.isUnderWay) {
    throw new ProtocolError('auth-unexpected', 'AUTH begins an exchange within another');
  }
  const { clientId, credentials, peer } = connection;
  const client = {
    clientId,
    username: credentials.username,
    password: undefined,
    address: peer.address,
    port: peer.port,
    isReauthentication: true,
  };
  authentication.begin(client, data, (result) => {
    // Sessions and access rules go by the name, so it stays.
    if (result.result === 'refuse' || result.username !== credentials.username) {
      // [MQTT-4.12.1-2]
      const code = result.result === 'refuse' ? result.reasonCode : undefined;
      connection.close('notAuthorised', code ?? ReasonCode.NOT_AUTHORIZED);
    } else {
      authentication.send(ReasonCode.SUCCESS, result.data);
    }
  });
}
