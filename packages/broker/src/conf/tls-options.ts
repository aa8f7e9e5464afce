import { ConfError } from './conf-error.js';
import type { ListenerDraft } from './settings-draft.js';

/** Options of TLS that do not go together (contract broker §2.3). @throws ConfError */
export function checkTlsOptions({ settings, options }: ListenerDraft): void {
  const { certFile, keyFile, caFile, caPath, pskHint, proxyProtocol } = settings;
  const refuse = (text: string, option: string): never => {
    throw new ConfError(`Error: ${text}`, options.get(option));
  };
  // The proxy had the TLS; what it tells of the certificate is its Common Name.
  if (proxyProtocol === 2) {
    if (settings.useSubjectAsUsername) {
      const text = 'use_subject_as_username cannot be used with `enable_proxy_protocol 2`.';
      refuse(text, 'use_subject_as_username');
    }
    if (certFile !== undefined || keyFile !== undefined) {
      const text = 'certfile and keyfile cannot be used with `enable_proxy_protocol 2`.';
      refuse(text, certFile === undefined ? 'keyfile' : 'certfile');
    }
  }
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
