import type { Engine } from '../engine.js';
import { isEncrypted, type ListenerProtocol, type ListenerSettings } from '../settings.js';
import { SYS_ROWS } from '../sys/sys-table.js';
import { VERSION } from '../version.js';
import { type Answer, success } from './answer.js';
import { metricsText } from './metrics.js';

const JSON_TYPE = 'application/json';
/** The format that Prometheus asks for. */
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Paths that the broker answers itself (broker §10.5); everything else is a file. */
export const ROUTES: Readonly<Record<string, (engine: Engine) => Answer>> = {
  '/api/v1/version': () => success(VERSION),
  '/api/v1/systree': (engine) => success(JSON.stringify(systree(engine)), JSON_TYPE),
  '/api/v1/listeners': (engine) => success(JSON.stringify({ listeners: listeners(engine) }), JSON_TYPE),
  '/metrics': (engine) => success(metricsText(engine), METRICS_TYPE),
};

/** Every number below `$SYS/broker/` but the averages, by its whole topic. */
function systree(engine: Engine): Record<string, number> {
  const values = engine.sys.values(engine.clock.now());
  const tree: Record<string, number> = {};
  for (const { topics, kind, read } of SYS_ROWS) {
    if (kind === 'load') continue;
    const value = read(values);
    if (typeof value !== 'number') continue;
    for (const topic of topics) tree[`$SYS/broker/${topic}`] = value;
  }
  return tree;
}

const PROTOCOL_NAMES: Readonly<Record<ListenerProtocol, string>> = {
  mqtt: 'mqtt',
  websockets: 'websockets',
  http_api: 'httpapi',
};

function listeners(engine: Engine): object[] {
  return engine.settings.listeners.map((listener: ListenerSettings) => ({
    ...(listener.path === undefined ? { port: listener.port } : { path: listener.path }),
    protocol: PROTOCOL_NAMES[listener.protocol],
    tls: isEncrypted(listener),
    mtls: listener.requireCertificate,
    allow_anonymous: engine.realms.of(listener).anonymous,
  }));
}
