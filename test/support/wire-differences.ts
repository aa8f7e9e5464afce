import type { ProtocolVersion } from '@tsmqtt/protocol';
import type { WireSession } from './wire.js';

/** What tsmqtt-broker answers and mosquitto 2.0.11 does not, or the reverse, and why. */
export interface WireDifference {
  /** Row of the contract, which describes 2.1.2. */
  readonly row: string;
  readonly what: string;
  /** Title of the group of sessions. */
  readonly group: string;
  /** Titles of the sessions. */
  readonly at: RegExp;
  readonly versions: readonly ProtocolVersion[];
  /** Our answer, made of theirs. */
  readonly ours: (theirs: string, session: WireSession) => string;
}

const ALL = [3, 4, 5] as const;
const OLD = [3, 4] as const;
const NEW = [5] as const;

type Ours = WireDifference['ours'];

const is =
  (answer: string): Ours =>
  () =>
    answer;
/** One answer instead of another, and no difference from anything else. */
const instead =
  (theirs: string, ours: string): Ours =>
  (answer) =>
    answer === theirs ? ours : answer;
const replace =
  (pattern: RegExp, replacement: string): Ours =>
  (theirs) =>
    theirs.replace(pattern, replacement);

const CLOSED = 'a: closed';
const disconnect = (code: string): string => `a: e0 01 ${code}; ${CLOSED}`;
const refuse = (code: string): string => `a: 20 03 00 ${code} 00; ${CLOSED}`;
const WELCOME = /^a: 20 (02 00 00|0e 00 00 0b 22 00 0a 27 00 1e 84 80 21 00 14)$/;

const refusedOrClosed: Ours = (theirs, { version }) =>
  version === 5 ? theirs.replace(WELCOME, refuse('82')) : theirs.replace(WELCOME, CLOSED);
/** An error that 2.0.11 lets pass, whatever it answers. */
const refused: Ours = (_, { version, code }) => (version === 5 ? disconnect(code ?? '') : CLOSED);

/** Sessions as they are. */
// biome-ignore format: one row a line
const SESSIONS: readonly Omit<WireDifference, 'group'>[] = [
  { row: '§9.3', what: 'Keep Alive 0 gets no Server Keep Alive 65535', at: /^Keep Alive 0$/, versions: NEW, ours: replace(/^a: 20 11 00 00 0e 22 00 0a 13 ff ff /, 'a: 20 0e 00 00 0b 22 00 0a ') },
  { row: '§9.2 will topic', what: 'a will below $CONTROL is refused', at: /^a will to \$CONTROL$/, versions: ALL, ours: replace(WELCOME, CLOSED) },
  { row: '§9.2 empty will topic', what: 'said by CONNACK', at: /^an empty will topic$/, versions: NEW, ours: instead(CLOSED, refuse('82')) },
  { row: '§9.2 property errors', what: 'said by CONNACK', at: /^Receive Maximum 0$/, versions: NEW, ours: instead(CLOSED, refuse('82')) },
  { row: '§9.10 acknowledgements', what: 'a wrong one is answered with a code', at: /^PUB(ACK|REC|COMP) for a QoS [12] message$/, versions: NEW, ours: instead('b: closed', 'b: e0 01 82; b: closed') },
  { row: '§9.7 topic', what: 'too many separators are malformed, not a protocol error', at: /^a topic of 200 separators/, versions: NEW, ours: instead(disconnect('82'), disconnect('81')) },
  { row: '§9.9 Topic Aliases to the client', what: '2.0.11 uses none: the first use', at: /^Topic Aliases to the client$/, versions: NEW, ours: (theirs) => theirs.replace(/32 07 00 01 (78|79) 00 0([12]) 00 6d$/, '32 0a 00 01 $1 00 0$2 03 23 00 0$2 6d') },
  { row: '§9.9 Topic Aliases to the client', what: '2.0.11 uses none: later uses', at: /^Topic Aliases to the client$/, versions: NEW, ours: (theirs) => theirs.replace(/32 07 00 01 (78|79) 00 0([356]) 00 6d$/, (_, topic, id) => `32 09 00 00 00 0${id} 03 23 00 0${topic === '78' ? 1 : 2} 6d`) },
  { row: '§9.10 in-flight limit', what: '2.0.11 sends more than Receive Maximum after the first acknowledgement', at: /^Receive Maximum of the client$/, versions: NEW, ours: replace(/; b: 32 07 00 01 78 00 04 00 34$/, '') },
  { row: '§9.10 in-flight limit', what: '... and so has nothing left after the second', at: /^Receive Maximum of the client$/, versions: NEW, ours: instead('', 'b: 32 07 00 01 78 00 04 00 34') },
  { row: '§9.10 in-flight limit', what: '2.0.11 sends more than max_inflight_messages after the first acknowledgement', at: /^max_inflight_messages towards a client$/, versions: OLD, ours: replace(/; b: 32 07 00 01 78 00 16 32 31; b: 32 07 00 01 78 00 17 32 32$/, '') },
  { row: '§9.10 in-flight limit', what: '... and so has nothing left after the next two', at: /^max_inflight_messages towards a client$/, versions: OLD, ours: instead('', 'b: 32 07 00 01 78 00 16 32 31; b: 32 07 00 01 78 00 17 32 32') },
  { row: '§9.8 RH', what: 'shared subscriptions get no retained messages', at: /^shared subscriptions get no retained/, versions: ALL, ours: replace(/; b: 31 .*/, '') },
  { row: '§9.9 order of properties', what: 'Subscription Identifier comes last, retained too', at: /^a retained message with properties and an identifier$/, versions: NEW, ours: replace(/0b 05 03 00 01 63/, '03 00 01 63 0b 05') },
  { row: '§9.4 take-over', what: 'the old connection is told 0x8E', at: /take-over/, versions: NEW, ours: replace(/([ab]): closed; /, '$1: e0 01 8e; $1: closed; ') },
  { row: '§9.5, T-24', what: 'DISCONNECT with an error sends the will', at: /^a will and DISCONNECT with 128$/, versions: NEW, ours: instead(CLOSED, `b: 30 08 00 01 77 00 67 6f 6e 65; ${CLOSED}`) },
];

// biome-ignore format: one row a line
const LIMITS: readonly Omit<WireDifference, 'group'>[] = [
  { row: '§9.2 keepalive', what: 'before MQTT 5, Keep Alive above max_keepalive is refused', at: /^Keep Alive/, versions: OLD, ours: instead('a: 20 02 00 00', `a: 20 02 00 02; ${CLOSED}`) },
  { row: '§9.3 order of properties', what: 'Server Keep Alive comes first', at: /^Keep Alive/, versions: NEW, ours: replace(/22 00 02 13 00 32/, '13 00 32 22 00 02') },
];

// biome-ignore format: one row a line
const QUEUES: readonly Omit<WireDifference, 'group'>[] = [
  { row: '§9.10 in-flight limit, T-28', what: 'in MQTT 5 the client\'s Receive Maximum counts alone', at: /^max_queued_messages of an offline session$/, versions: NEW, ours: (theirs) => theirs.replace(/32 07 00 01 78 00 02 00 32$/, '$&; b: 32 07 00 01 78 00 03 00 33') },
  { row: '§9.10 in-flight limit, T-28', what: '... and so nothing is left', at: /^max_queued_messages of an offline session$/, versions: NEW, ours: instead('b: 32 07 00 01 78 00 03 00 33', '') },
];

/** Titles are those of packages/protocol/vectors/malformed.json. */
// biome-ignore format: one row a line
const MALFORMED: readonly Omit<WireDifference, 'group'>[] = [
  { row: '§9.1, §9.2', what: '2.0.11 closes where 2.1 says why: CONNACK', at: /./, versions: NEW, ours: (theirs, { code }) => (theirs === CLOSED ? refuse(code ?? '') : theirs) },
  { row: '§9.1', what: '2.0.11 closes where 2.1 says why: DISCONNECT', at: /./, versions: NEW, ours: (theirs, { code }) => (theirs === CLOSED ? disconnect(code ?? '') : theirs) },
  { row: '§9.1 packets of a server', what: '2.0.11 closes, whatever is in them', at: /CONNACK|Connect Acknowledge|SUBACK|PINGRESP|Assigned|Server|Response Information|Reason String|Shared|Wildcard|Maximum|Retain Available|Authentication/, versions: NEW, ours: (theirs) => (theirs === CLOSED ? disconnect('82') : theirs) },
  { row: '§9.1 packets of a server', what: '2.0.11 takes no notice of some', at: /PINGRESP|SUBACK/, versions: ALL, ours: (theirs, { version }) => (theirs !== '' ? theirs : version === 5 ? disconnect('82') : CLOSED) },
  { row: '§9.1 flags', what: '2.0.11 does not look at them in every packet', at: /^(PINGREQ|PUBACK|PUBREC|PUBCOMP|SUBSCRIBE|UNSUBSCRIBE) with flags/, versions: ALL, ours: refused },
  { row: '§9.1 PINGREQ', what: 'a body is refused', at: /^PINGREQ with a body$/, versions: ALL, ours: is(CLOSED) },
  { row: '§9.1 acknowledgements', what: 'their length is checked', at: /^(PUB(ACK|REC|REL|COMP)|UNSUBACK) of (three|four) bytes, which|^UNSUBACK with a code, which|^a byte after PUB(ACK|REC|REL|COMP)$/, versions: ALL, ours: refused },
  { row: '§9.10 acknowledgements', what: 'codes of another packet are refused', at: /^Reason Code 0x\w\w is not for PUB(ACK|REC|REL|COMP)/, versions: NEW, ours: refused },
  { row: '§9.7 DUP', what: 'DUP with QoS 0 is refused', at: /^DUP with QoS 0/, versions: ALL, ours: refused },
  { row: '§9.1 remaining length', what: 'only its shortest form is right, 5:1.5.5-1', at: /^Remaining Length \d in \w+ bytes: not the shortest form/, versions: NEW, ours: is(CLOSED) },
  { row: '§9.2', what: 'a field that its flag announces is missing', at: /^CONNECT ends before (User Name|Password)$/, versions: [3], ours: replace(WELCOME, CLOSED) },
  { row: '§9.2 will', what: 'will QoS and will retain without a will', at: /^Will (QoS \d|Retain) without Will Flag/, versions: [3], ours: replace(WELCOME, CLOSED) },
  { row: '§9.2 level, T-56', what: 'an unknown level is answered in the form of MQTT 5', at: /^Protocol Level 0x|^MQIsdp with level 6$/, versions: ALL, ours: instead(`a: 20 02 00 01; ${CLOSED}`, refuse('84')) },
  { row: '§9.1 properties, §9.2', what: 'more is checked in CONNECT and its will', at: /^Authentication Data without|^Payload Format Indicator 0x\w\w in WILL|Response Topic .*in WILL/, versions: NEW, ours: refusedOrClosed },
  { row: '§9.1 properties', what: 'more is checked in PUBLISH', at: /^Payload Format Indicator 0x\w\w in PUBLISH|Response Topic .*in PUBLISH|^Subscription Identifier 0 in PUBLISH$/, versions: NEW, ours: instead('a: 40 03 00 01 10', disconnect('82')) },
  { row: '§9.1 properties', what: 'one that is not for PUBLISH is a protocol error', at: / in PUBLISH$|^Topic Alias 0 /, versions: NEW, ours: instead(disconnect('81'), disconnect('82')) },
  { row: '§9.8 shared subscriptions', what: 'names that are none are refused', at: /^SUBSCRIBE to \$share\/|^No Local on a Shared Subscription/, versions: ALL, ours: refused },
  { row: '§9.7 topic', what: 'a topic that is none is malformed, not a protocol error', at: /^Topic Name .*(has a wildcard|of 201 separators)/, versions: NEW, ours: instead(disconnect('82'), disconnect('81')) },
  { row: '§9.1', what: 'bytes after the properties of DISCONNECT are malformed', at: /^a byte after the properties of DISCONNECT$/, versions: NEW, ours: instead(disconnect('82'), disconnect('81')) },
];

export const WIRE_DIFFERENCES: readonly WireDifference[] = [
  ...SESSIONS.map((row) => ({ group: 'as it is', ...row })),
  ...LIMITS.map((row) => ({ group: 'limits of a listener', ...row })),
  ...QUEUES.map((row) => ({ group: 'queues', ...row })),
  ...MALFORMED.map((row) => ({ group: 'malformed packets', ...row })),
];
