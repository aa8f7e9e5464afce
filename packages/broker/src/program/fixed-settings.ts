import { CONF_OPTIONS } from '../conf/option-table.js';
import type { BrokerSettings, ListenerSettings } from '../settings.js';
import { DEFAULT_TLS } from '../tls-settings.js';

const FIXED = CONF_OPTIONS.filter(({ hup }) => hup === 'N');

/**
 * New settings of a running broker, with what only a restart changes as it was (contract broker §3, N).
 *
 * @param read New settings, with the listeners in the order of those that are open.
 * @param changed told the options whose change has to wait.
 */
export function withFixed(
  running: BrokerSettings,
  read: BrokerSettings,
  changed: (option: string) => void,
): BrokerSettings {
  const told = new Set<string>();
  const keep = <Settings>(kind: 'broker' | 'listener', before: Settings, after: Settings): Settings => {
    const kept = { ...after };
    for (const { name, sets } of FIXED) {
      const key = (sets as { readonly [K in typeof kind]?: keyof Settings } | undefined)?.[kind];
      if (key === undefined || after[key] === before[key]) continue;
      told.add(name);
      kept[key] = before[key];
    }
    return kept;
  };
  const listeners = read.listeners.map((after, index) => {
    const before = running.listeners[index] ?? after;
    const kept = keep('listener', before, after);
    return sameKindOfTls(before, after) ? kept : { ...kept, ...tlsOf(before) };
  });
  const settings = keep('broker', running, { ...read, listeners });
  for (const name of told) changed(name);
  return settings;
}

/** A listener goes from certificates to keys, or back, at a restart and as a whole: anything else may leave it without either. */
function sameKindOfTls(one: ListenerSettings, other: ListenerSettings): boolean {
  return (one.pskHint === undefined) === (other.pskHint === undefined);
}

function tlsOf(listener: ListenerSettings): Partial<ListenerSettings> {
  const keys = Object.keys(DEFAULT_TLS) as (keyof ListenerSettings)[];
  return Object.fromEntries(keys.map((key) => [key, listener[key]]));
}
