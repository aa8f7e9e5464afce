import type { IncomingHttpHeaders } from 'node:http';

/** What of an HTTP request decides whether it may become a WebSocket. */
export interface UpgradeRequest {
  readonly method?: string | undefined;
  readonly httpVersion: string;
  readonly headers: IncomingHttpHeaders;
}

/** An HTTP answer instead of the WebSocket (broker B-7). */
export interface UpgradeRefusal {
  readonly status: number;
  /** For the client and the log. */
  readonly reason: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * What MQTT is called as a subprotocol; `mqttv3.1` is of before MQTT 3.1.1 [MQTT-6.0.0-3] [MQTT-6.0.0-4]
 * [MQTT311-6.0.0-3] [MQTT311-6.0.0-4].
 */
const SUBPROTOCOLS = ['mqtt', 'mqttv3.1'];

/** 16 bytes in base64 (RFC 6455, 4.1). */
const KEY = /^[A-Za-z0-9+/]{22}==$/;

/** What is answered to a request that asks for no WebSocket at all (RFC 9110, 15.5.22). */
export const UPGRADE_REQUIRED: UpgradeRefusal = {
  status: 426,
  reason: 'this port speaks MQTT over WebSocket',
  headers: { Upgrade: 'websocket' },
};

/**
 * Whether a request to upgrade is one for MQTT over WebSocket (broker §10.1). Any path will do.
 *
 * @param origins what `Origin` may be, byte for byte; empty: anything. Who sends none is no browser and may in.
 * @returns undefined where it is.
 */
export function refusalOf(request: UpgradeRequest, origins: readonly string[]): UpgradeRefusal | undefined {
  const { headers } = request;
  if (request.method !== 'GET') {
    return { status: 405, reason: 'a WebSocket begins with GET', headers: { Allow: 'GET' } };
  }
  if (request.httpVersion !== '1.1') return { status: 400, reason: 'a WebSocket begins with HTTP/1.1' };
  if (headers.upgrade?.toLowerCase() !== 'websocket') return UPGRADE_REQUIRED;
  if (headers['sec-websocket-version'] !== '13') {
    const known = { 'Sec-WebSocket-Version': '13' };
    return { status: 426, reason: 'Sec-WebSocket-Version is not 13', headers: known };
  }
  if (!KEY.test(headers['sec-websocket-key'] ?? '')) {
    return { status: 400, reason: 'there is no right Sec-WebSocket-Key' };
  }
  if (chooseSubprotocol(headers['sec-websocket-protocol']) === undefined) {
    return { status: 400, reason: 'no subprotocol mqtt is offered' };
  }
  const { origin } = headers;
  if (origins.length > 0 && origin !== undefined && !origins.includes(origin)) {
    return { status: 403, reason: 'non-matching http origin' };
  }
  return undefined;
}

/** The first subprotocol of a comma-separated list that is one of MQTT's (broker T-45). */
export function chooseSubprotocol(offered: string | undefined): string | undefined {
  return offered
    ?.split(',')
    .map((word) => word.trim())
    .find((word) => SUBPROTOCOLS.includes(word));
}
