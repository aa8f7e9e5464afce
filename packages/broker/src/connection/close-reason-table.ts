/** Why a connection ended: what the log says (broker §5), and whether the client's will is sent (broker §9.5). */
// biome-ignore format: one row a line
export const CLOSE_REASONS = {
  disconnected:          { text: '', sendsWill: false },
  disconnectedWithWill:  { text: '', sendsWill: true },
  connectionClosed:      { text: 'connection closed by client', sendsWill: true },
  malformedPacket:       { text: 'malformed packet', sendsWill: true },
  protocolError:         { text: 'protocol error', sendsWill: true },
  notAuthorised:         { text: 'not authorised', sendsWill: true },
  exceededTimeout:       { text: 'exceeded timeout', sendsWill: true },
  oversizePacket:        { text: 'oversize packet', sendsWill: true },
  disallowedFeature:     { text: 'used disallowed feature', sendsWill: true },
  clientIdNotValid:      { text: 'client identifier not valid', sendsWill: false },
  badCredentials:        { text: 'bad username or password', sendsWill: false },
  badAuthMethod:         { text: 'bad authentication method', sendsWill: false },
  serverBusy:            { text: 'server busy', sendsWill: false },
  unsupportedVersion:    { text: 'unsupported protocol version', sendsWill: false },
  sessionTakenOver:      { text: 'session taken over', sendsWill: false },
  topicAliasInvalid:     { text: 'topic alias invalid', sendsWill: true },
  quotaExceeded:         { text: 'quota exceeded', sendsWill: true },
  reauthentication:      { text: 'not authorised', sendsWill: false },
  storeFailed:          { text: 'store failed', sendsWill: true },
  shutdown:              { text: 'broker is shutting down', sendsWill: true },
} as const satisfies Record<string, { readonly text: string; readonly sendsWill: boolean }>;

export type CloseReason = keyof typeof CLOSE_REASONS;
