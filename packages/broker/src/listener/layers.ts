import type { Realm } from '../auth/realm.js';
import type { Engine } from '../engine.js';
import { type BrokerSettings, isEncrypted, type ListenerSettings } from '../settings.js';
import type { Layer } from './layer.js';
import { proxyLayer } from './proxy-layer.js';

/** What layers work with, apart from the listener's settings. */
export interface LayerContext {
  readonly engine: Engine;
  /** Of the listener; a reload changes what it holds. */
  readonly realm: Realm;
  /** Takes lines of the NSS key log (`--tls-keylog`). */
  readonly keyLog: ((line: Buffer) => void) | undefined;
}

/**
 * The layers of a listener, outermost first; plain TCP has none. Reads the files that its settings name.
 *
 * @param broker What is in force with them: at a reload not what the engine goes by yet.
 * @throws ListenerError where they cannot be used.
 */
export async function layersOf(
  settings: ListenerSettings,
  broker: BrokerSettings,
  context: LayerContext,
): Promise<readonly Layer[]> {
  const layers: Layer[] = [];
  const { engine } = context;
  if (settings.proxyProtocol !== undefined) layers.push(proxyLayer(settings.proxyProtocol, settings, engine));
  if (isEncrypted(settings)) {
    const { tlsLayer } = await loadTls();
    layers.push(tlsLayer(settings, context));
  }
  if (settings.protocol === 'websockets') {
    const { websocketLayer } = await loadWebSocket();
    layers.push(websocketLayer(settings, broker, engine));
  } else if (settings.protocol === 'http_api') {
    const { httpLayer } = await loadHttpApi();
    layers.push(httpLayer(settings, context));
  }
  return layers;
}

/** Loads the code of all layers, while the user may still read it (broker B-13). */
export async function prepareLayers(): Promise<void> {
  await Promise.all([loadTls(), loadWebSocket(), loadHttpApi()]);
}

function loadTls(): Promise<typeof import('./tls/tls-layer.js')> {
  return import('./tls/tls-layer.js');
}

function loadWebSocket(): Promise<typeof import('./websocket-layer.js')> {
  return import('./websocket-layer.js');
}

function loadHttpApi(): Promise<typeof import('../http-api/http-layer.js')> {
  return import('../http-api/http-layer.js');
}
