import type { Engine } from '../engine.js';
import type { ListenerSettings } from '../settings.js';
import type { Layer } from './layer.js';

/**
 * The layers of a listener, outermost first; plain TCP has none. Reads the files that its settings name.
 *
 * @throws ListenerError where they cannot be used.
 */
export async function layersOf(_settings: ListenerSettings, _engine: Engine): Promise<readonly Layer[]> {
  return [];
}
