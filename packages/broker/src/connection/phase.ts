/** How far a connection has come. */
export const Phase = {
  /** Nothing but CONNECT is expected [MQTT-3.1.0-1] [MQTT311-3.1.0-1]. */
  NEW: 0,
  /** CONNECT came, its credentials are being checked; what follows it waits. */
  AUTHENTICATING: 1,
  /** CONNECT was answered with AUTH: nothing but AUTH and DISCONNECT is expected [MQTT-3.1.2-30]. */
  CHALLENGED: 2,
  CONNECTED: 3,
  /** Nothing is read any more; what was written is on its way out. */
  CLOSING: 4,
  CLOSED: 5,
} as const;
export type Phase = (typeof Phase)[keyof typeof Phase];

/** A connection without CONNECT is closed after this many milliseconds (broker §9.1). */
export const CONNECT_TIMEOUT = 30_000;
