/**
 * Lines of Mosquitto 2.0.11's log, as a pattern, and what tsmqtt-broker writes instead: the words of 2.1, which the
 * contract has (broker §5), or more than the reference says.
 */
export interface LogDifference {
  readonly theirs: RegExp;
  readonly ours: string;
  readonly why: string;
}

export const LOG_DIFFERENCES: readonly LogDifference[] = [
  {
    theirs: /^(New client connected .*)\(p2,/,
    ours: '$1(p4,',
    why: '2.1 writes the protocol level of CONNECT',
  },
  {
    theirs: /^Client (\S+) disconnected\.$/,
    ours: 'Client $1 [ADDRESS] disconnected.',
    why: '2.1 names the address',
  },
  {
    theirs: /^Client (\S+) closed its connection\.$/,
    ours: 'Client $1 [ADDRESS] disconnected: connection closed by client.',
    why: '2.1 has one form for all ends',
  },
  {
    theirs: /^Client (\S+) already connected, closing old connection\.$/,
    ours: 'Client $1 [ADDRESS] disconnected: session taken over.',
    why: '2.1 has one form for all ends',
  },
  {
    theirs: /^Client <unknown> disconnected due to (malformed packet|protocol error)\.$/,
    ours: 'Client ADDRESS disconnected: $1.',
    why: '2.1 names the address',
  },
  {
    theirs: /^Client (\S+) disconnected due to (malformed packet|protocol error)\.$/,
    ours: 'Client $1 [ADDRESS] disconnected: $2.',
    why: '2.1 has one form for all ends',
  },
  {
    theirs: /^Bad client (\S+) sending multiple CONNECT messages\.$/,
    ours: 'Protocol error from $1: second CONNECT.',
    why: '2.1 has one form for protocol errors',
  },
];

/** Lines that only tsmqtt-broker writes. */
export const OWN_LINES: readonly RegExp[] = [
  // 2.0.11 says nothing of what broke the protocol, except of a second CONNECT.
  /^Protocol error from (?!.*second CONNECT)/,
  // 2.0.11 sends it without a line.
  /^Sending DISCONNECT to /,
];
