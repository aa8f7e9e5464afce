import { ConfError } from './conf-error.js';
import type { ListenerDraft } from './settings-draft.js';

/** Options of TLS that do not go together (contract broker §2.3). @throws ConfError */
export function checkTlsOptions({ settings, options }: ListenerDraft): void {
  const { certFile, keyFile, caFile, caPath, pskHint } = settings;
  const refuse = (text: string, option: string): never => {
    throw new ConfError(`Error: ${text}`, options.get(option));
  };
  if (pskHint !== undefined && (certFile !== undefined || keyFile !== undefined)) {
    refuse('Cannot use both certificate and psk encryption in a single listener.', 'psk_hint');
  }
  if ((certFile === undefined) !== (keyFile === undefined)) {
    const given = certFile === undefined ? 'keyfile' : 'certfile';
    refuse('Both certfile and keyfile must be provided to enable a TLS listener.', given);
  }
  if (certFile !== undefined) return;
  if (caFile !== undefined) refuse('cafile specified without certfile and keyfile.', 'cafile');
  if (caPath !== undefined) refuse('capath specified without certfile and keyfile.', 'capath');
}
