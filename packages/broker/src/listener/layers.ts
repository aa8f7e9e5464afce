import type { Engine } from '../engine.js';
import type { BrokerSettings, ListenerSettings } from '../settings.js';
import type { Layer } from './layer.js';
import { proxyLayer } from './proxy-layer.js';

/**
 * The layers of a listener, outermost first; plain TCP has none. Reads the files that its settings name.
 *
 * @throws ListenerError where they cannot be used.
 */
export async function layersOf(settings: ListenerSettings, engine: Engine): Promise<readonly Layer[]> {
  const layers: Layer[] = [];
  if (settings.proxyProtocol !== undefined) layers.push(proxyLayer(settings.proxyProtocol, settings, engine));
  if (settings.protocol === 'websockets') {
    const { websocketLayer } = await loadWebSocket();
    layers.push(websocketLayer(settings, engine));
  } else if (settings.protocol === 'http_api') {
    const { httpLayer } = await loadHttpApi();
    layers.push(httpLayer(settings, engine));
  }
  return layers;
}

/** Loads the code that the layers of these listeners need, while the user may still read it (broker B-13). */
export async function prepareLayers({ listeners }: Pick<BrokerSettings, 'listeners'>): Promise<void> {
  const protocols = new Set(listeners.map(({ protocol }) => protocol));
  if (protocols.has('websockets')) await loadWebSocket();
  if (protocols.has('http_api')) await loadHttpApi();
}

function loadWebSocket(): Promise<typeof import('./websocket-layer.js')> {
  return import('./websocket-layer.js');
}

function loadHttpApi(): Promise<typeof import('../http-api/http-layer.js')> {
  return import('../http-api/http-layer.js');
}
