import {
  type Connect,
  encodePacket,
  InboundTopicAliases,
  NO_PROPERTIES,
  OutboundTopicAliases,
  PacketType,
  type Property,
  property,
  ReasonCode,
  Verdict,
} from '@tsmqtt/protocol';
import type { AuthMethod } from '../auth/auth-method.js';
import { type AuthVerdict, authenticate } from '../auth/authenticate.js';
import { Authentication } from '../auth/authentication.js';
import { Identity } from '../auth/identity.js';
import { NO_IDENTITY, provedUsername } from '../auth/proved-username.js';
import type { Connection } from '../connection/connection.js';
import { Phase } from '../connection/phase.js';
import { isRefusal } from '../hooks/hook-calls.js';
import type { ConnectChanges, HookRefusal } from '../hooks/hooks.js';
import { NEVER, UNLIMITED_WINDOW, windowOf3 } from '../session/session.js';
import { takeOver } from '../session/take-over.js';
import { type Admission, admit } from './admission.js';
import { connackProperties, logAccepted } from './connack.js';
import { REFUSALS, type Refusal } from './connect-refusal-table.js';

/** CONNECT (3.1.4): checks in the order of broker §9.2, then credentials, then the session. */
export function handleConnect(connection: Connection, packet: Connect): Verdict {
  connection.version = packet.protocolVersion;
  connection.order = ++connection.engine.connects;
  connection.writer.maximumPacketSize =
    property(packet.properties, 'maximumPacketSize') ?? Number.POSITIVE_INFINITY;
  connection.receiveMaximum = connection.engine.settings.maxInflightMessages;
  connection.maximumQoS = connection.listener.maxQos;
  connection.mountPoint = connection.engine.mountPoints.of(connection.listener.mountPoint);
  if (!connection.listener.protocolVersions.includes(packet.protocolVersion)) {
    return refuse(connection, packet, REFUSALS.version);
  }
  const admission = admit(connection, packet);
  if ('reason' in admission) return refuse(connection, packet, admission);
  connection.clientId = admission.clientId;
  const proved = provedUsername(connection.listener, connection.peer);
  if (proved === NO_IDENTITY) return refuse(connection, packet, REFUSALS.identity);
  if (admission.method !== undefined) {
    // Whom a certificate names is nobody else (broker T-14).
    if (proved !== undefined) return refuse(connection, packet, REFUSALS.authMethod);
    return exchange(connection, admission, admission.method);
  }
  connection.credentials =
    proved === undefined
      ? { username: packet.username, password: packet.password }
      : { username: proved, password: undefined, proved: true };
  return verify(connection, admission);
}

/** Enhanced authentication (4.12): the method says who it is, after as many AUTH packets as it takes. */
function exchange(connection: Connection, admission: Admission, method: AuthMethod): Verdict {
  const { packet, clientId } = admission;
  const { username, password, properties } = packet;
  const { address, port } = connection.peer;
  const client = { clientId, username, password, address, port, isReauthentication: false };
  connection.authentication = new Authentication(connection, method.name);
  connection.authentication.begin(client, property(properties, 'authenticationData'), (result) => {
    if (result.result === 'refuse') {
      const { reasonCode: v5 = ReasonCode.NOT_AUTHORIZED } = result;
      // [MQTT-4.12.0-4]
      refuse(
        connection,
        packet,
        v5 === ReasonCode.SERVER_BUSY ? REFUSALS.busy : { ...REFUSALS.credentials, v5 },
      );
      return;
    }
    connection.credentials = { username: result.username, password: undefined };
    askHost(connection, admission, result.data);
  });
  return connection.phase === Phase.AUTHENTICATING ? Verdict.PAUSE : Verdict.CONTINUE;
}

function verify(connection: Connection, admission: Admission): Verdict {
  const { secrets } = connection.realm;
  const verdict = authenticate(connection, connection.credentials);
  if (typeof verdict === 'string') return finish(connection, admission, verdict);
  // What follows CONNECT waits for the verdict (broker §4.2).
  connection.phase = Phase.AUTHENTICATING;
  verdict.then((late) => {
    if (connection.phase !== Phase.AUTHENTICATING) return;
    // Other passwords may have come into force meanwhile.
    if (connection.realm.secrets === secrets) finish(connection, admission, late);
    else verify(connection, admission);
    connection.resume();
  });
  return Verdict.PAUSE;
}

function refuse(connection: Connection, packet: Connect, refusal: Refusal): Verdict {
  const reasonCode = packet.protocolVersion === 5 ? refusal.v5 : refusal.v3;
  if (reasonCode !== undefined) {
    const { maximumQoS } = connection;
    // The one property that a refusal has (broker §9.3).
    const properties: Property[] = maximumQoS < 2 ? [{ name: 'maximumQoS', value: maximumQoS }] : [];
    // [MQTT-3.2.2-6] [MQTT311-3.2.2-4]; an identifier that is refused [MQTT311-3.1.3-9]
    connection.send({ type: PacketType.CONNACK, sessionPresent: false, reasonCode, properties });
  }
  // [MQTT-3.1.4-2] [MQTT-3.1.4-6] [MQTT-3.2.2-7] [MQTT-4.13.2-1] [MQTT311-3.1.4-5] [MQTT311-3.2.2-5]
  connection.close(refusal.reason);
  return Verdict.PAUSE;
}

function finish(connection: Connection, admission: Admission, verdict: AuthVerdict): Verdict {
  if (verdict === 'accepted') return askHost(connection, admission, undefined);
  return refuse(connection, admission.packet, verdict === 'busy' ? REFUSALS.busy : REFUSALS.credentials);
}

/** The host program may refuse whom everybody else lets in. What follows CONNECT waits for it. */
function askHost(connection: Connection, admission: Admission, authData: Uint8Array | undefined): Verdict {
  const decision = connection.engine.hooks?.beforeConnect(connection, admission);
  if (!(decision instanceof Promise)) return decided(connection, admission, authData, decision ?? undefined);
  const { secrets } = connection.realm;
  connection.phase = Phase.AUTHENTICATING;
  void decision.then((late) => {
    if (connection.phase !== Phase.AUTHENTICATING) return;
    decided(connection, admission, authData, late ?? undefined);
    // A reload in between left it out, for it was not connected yet.
    if (connection.realm.secrets !== secrets) void connection.engine.reverification.check(connection);
    connection.resume();
  });
  return Verdict.PAUSE;
}

function decided(
  connection: Connection,
  admission: Admission,
  authData: Uint8Array | undefined,
  decision: HookRefusal | ConnectChanges | undefined,
): Verdict {
  if (decision === undefined) return accept(connection, admission, authData);
  if (isRefusal(decision)) {
    return refuse(connection, admission.packet, { ...REFUSALS.credentials, v5: decision.refuse });
  }
  const { username = connection.credentials.username, sessionExpiryInterval } = decision;
  connection.credentials = { ...connection.credentials, username };
  const isTold = admission.packet.protocolVersion === 5;
  const keepAlive = (isTold ? decision.keepAlive : undefined) ?? admission.keepAlive;
  return accept(connection, { ...admission, keepAlive, sessionExpiryInterval }, authData);
}

/**
 * Everybody knows now who it is. What is left is whether there is a place for it.
 *
 * @param authData Authentication Data of CONNACK, where a method accepted the client.
 */
function accept(connection: Connection, admission: Admission, authData: Uint8Array | undefined): Verdict {
  const { packet, keepAlive } = admission;
  const { engine } = connection;
  const { clientIdPrefix, globalMaxClients } = engine.settings;
  const clientId = finalClientId(connection, admission);
  // The prefix is that of the identifier before a username replaces it.
  if (clientId === '' || !admission.clientId.startsWith(clientIdPrefix ?? '')) {
    return refuse(connection, packet, REFUSALS.credentials);
  }
  if (
    globalMaxClients > 0 &&
    engine.sessions.size >= globalMaxClients &&
    engine.sessions.get(clientId) === undefined
  ) {
    return refuse(connection, packet, REFUSALS.tooManyClients);
  }
  connection.clientId = clientId;
  // What was changed while its credentials were checked is none of its business.
  connection.gate?.begin();
  const holder = engine.sessions.get(clientId)?.connection;
  if (holder !== undefined && holder.order > connection.order) {
    // Its password took longer than that of a later CONNECT, which has taken it over by that (broker §9.4).
    connection.close('sessionTakenOver');
    return Verdict.PAUSE;
  }
  const properties =
    packet.protocolVersion === 5
      ? connackProperties(connection, { ...admission, clientId }, authData)
      : NO_PROPERTIES;
  const connack = {
    type: PacketType.CONNACK,
    sessionPresent: false,
    reasonCode: ReasonCode.SUCCESS,
    properties,
  };
  // [MQTT-3.1.2-24]: nothing larger may be sent, and without CONNACK there is no connection.
  if (encodePacket(connack, packet.protocolVersion).length > connection.writer.maximumPacketSize) {
    return refuse(connection, packet, REFUSALS.packetTooSmall);
  }
  takeOver(engine, clientId, packet.cleanStart);
  const { session, present } = engine.sessions.open(clientId, packet.cleanStart);
  connection.phase = Phase.CONNECTED;
  connection.session = session;
  // [MQTT-3.2.2-22]
  connection.keepAlive = keepAlive;
  // [MQTT-3.1.2-7] [MQTT311-3.1.2-8]; undefined without the Will Flag [MQTT311-3.1.2-12]
  connection.will = admission.will;
  // The bridge bit is of 3.x; with MQTT 5 it says nothing (broker §9.2).
  connection.bridge = packet.bridge && packet.protocolVersion !== 5;
  session.begin(
    admission.sessionExpiryInterval ?? expiryOf(packet),
    new Identity(connection.realm, clientId, connection.credentials.username, engine.log),
    packet.protocolVersion,
  );
  const { maxTopicAlias, maxTopicAliasBroker } = connection.listener;
  connection.inboundAliases = new InboundTopicAliases(packet.protocolVersion === 5 ? maxTopicAlias : 0);
  connection.writer.aliases = new OutboundTopicAliases(
    Math.min(property(packet.properties, 'topicAliasMaximum') ?? 0, maxTopicAliasBroker),
  );
  logAccepted(connection, packet, keepAlive);
  engine.packetLog?.will(admission.will);
  // Before anything else, once [MQTT-3.1.4-5] [MQTT-3.2.0-1] [MQTT-3.2.0-2] [MQTT311-3.1.4-4] [MQTT311-3.2.0-1]; Session
  // Present [MQTT-3.2.2-2] [MQTT-3.2.2-3] [MQTT311-3.2.2-1] [MQTT311-3.2.2-2] [MQTT311-3.2.2-3]
  connection.send({ ...connack, sessionPresent: present });
  session.attach(connection, windowOf(connection, packet), present);
  engine.hooks?.afterConnect(connection, present);
  return Verdict.CONTINUE;
}

/** With `use_username_as_clientid` the username, which is then needed; '': it has none (broker §9.3). */
function finalClientId({ listener, credentials }: Connection, { clientId }: Admission): string {
  return listener.useUsernameAsClientId ? (credentials.username ?? '') : clientId;
}

/** Session Expiry Interval in seconds: MQTT 5 says it, 3.x has none or for ever (broker §9.4). */
function expiryOf(packet: Connect): number {
  if (packet.protocolVersion === 5) return property(packet.properties, 'sessionExpiryInterval') ?? 0;
  return packet.cleanStart ? 0 : NEVER;
}

/** How many unacknowledged messages the client takes at a time (broker §9.10) [MQTT-3.3.4-9] [MQTT-4.9.0-1]. */
function windowOf(connection: Connection, packet: Connect): number {
  if (packet.protocolVersion === 5) return property(packet.properties, 'receiveMaximum') ?? UNLIMITED_WINDOW;
  return windowOf3(connection.engine.settings);
}
