import type { Peer } from '../connection/peer.js';
import type { Engine } from '../engine.js';
import type { ListenerSettings } from '../settings.js';
import type { Layer } from './layer.js';
import { type ProxyHeader, ProxyHeaderReader } from './proxy-header.js';
import { ProxyHeaderError } from './proxy-header-error.js';

/**
 * The header of a proxy in front (broker §10.3): from there on the client is where the header says, not at the proxy.
 * With version 2 the proxy also speaks for the client's TLS and certificate.
 */
export function proxyLayer(version: 1 | 2, listener: ListenerSettings, engine: Engine): Layer {
  return ({ socket, peer }, pass) => {
    const reader = new ProxyHeaderReader(version);
    const reject = (at: Peer, why: string): void => {
      const where = version === 1 ? '' : ` from ${at.address}:${at.port}`;
      engine.log.notice(`Connection${where} rejected, ${why}.`);
      socket.destroy();
    };
    const read = (): void => {
      const chunk: Buffer | null = socket.read();
      if (chunk === null) return;
      let found: ReturnType<ProxyHeaderReader['receive']>;
      try {
        found = reader.receive(chunk);
      } catch (error) {
        if (!(error instanceof ProxyHeaderError)) throw error;
        reject(peer, 'corrupt PROXY header');
        return;
      }
      if (found === undefined) return;
      const { header, rest } = found;
      socket.off('readable', read);
      socket.off('end', ended);
      if (header.healthCheck) {
        socket.destroy();
        return;
      }
      const client = peerOf(header, peer);
      const objection = version === 2 ? objectionTo(header, listener) : undefined;
      if (objection !== undefined) {
        reject(client, objection);
        return;
      }
      logTls(header, client, engine);
      if (rest.length > 0) socket.unshift(rest);
      pass({ socket, peer: client });
    };
    const ended = (): void => void socket.destroy();
    socket.on('readable', read);
    socket.on('end', ended);
  };
}

function peerOf({ source, tls }: ProxyHeader, peer: Peer): Peer {
  const { address, port } = source ?? peer;
  // With a certificate or without: who asked for an identity gets it from the proxy alone (broker T-53).
  const identity = tls?.verified === true ? { commonName: tls.commonName, subject: undefined } : undefined;
  return { address, port, identity };
}

function objectionTo({ tls }: ProxyHeader, listener: ListenerSettings): string | undefined {
  if (listener.proxyProtocolV2RequireTls && tls?.secure !== true) return 'client did not connect using TLS';
  if (listener.requireCertificate && tls?.verified !== true) return 'client did not provide a certificate';
  return undefined;
}

function logTls({ tls }: ProxyHeader, { address, port }: Peer, engine: Engine): void {
  if (tls?.version === undefined || tls.cipher === undefined || !engine.settings.connectionMessages) return;
  engine.log.notice(`Connection from ${address}:${port} negotiated ${tls.version} cipher ${tls.cipher}`);
}
