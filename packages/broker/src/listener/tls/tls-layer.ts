import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket, type TLSSocketOptions } from 'node:tls';
import type { PeerIdentity } from '../../connection/peer.js';
import type { ListenerSettings } from '../../settings.js';
import type { Layer } from '../layer.js';
import type { LayerContext } from '../layers.js';
import { certificateIdentity } from './certificate-identity.js';
import { tlsContext } from './tls-context.js';
import { tlsFailureText, verificationFailure } from './tls-failure.js';

/**
 * TLS by certificates or pre-shared keys (broker §3.3, §10.4). Reads the listener's files.
 *
 * @throws ListenerError where they cannot be used.
 */
export function tlsLayer(settings: ListenerSettings, { engine, realm, keyLog }: LayerContext): Layer {
  const { secureContext, authorities, revocationLists } = tlsContext(settings);
  if (settings.tlsVersion === 'tlsv1.1') {
    engine.log.warning(
      'Warning: tls_version tlsv1.1 is insecure; TLS 1.2 and 1.3 are what clients should use.',
    );
  }
  const requestCert = settings.requireCertificate && settings.certFile !== undefined;
  const options: TLSSocketOptions = {
    isServer: true,
    secureContext,
    requestCert,
    // The handshake fails without a certificate; whether it is a good one is asked afterwards.
    rejectUnauthorized: requestCert,
  };
  const dateless = settings.disableClientCertDateChecks
    ? () => ({ authorities, revocationLists, now: engine.clock.now() })
    : undefined;
  return ({ socket, peer }, pass) => {
    const refuse = (reason: string): void => {
      engine.log.notice(`Client ${peer.address}:${peer.port} disconnected: ${reason}.`);
      socket.destroy();
    };
    afterFirstBytes(socket, refuse, () => {
      const keys =
        settings.pskHint === undefined
          ? undefined
          : new KeyExchange(settings.pskHint, (identity) => realm.secrets.preSharedKeys?.get(identity));
      // The type wants the system's own socket; any stream will do, as for tls.Server's 'connection' event.
      const secured = new TLSSocket(socket as Socket, { ...options, ...keys?.options });
      secured.disableRenegotiation();
      if (keyLog !== undefined) secured.on('keylog', keyLog);
      untilSecure(secured, refuse, () => {
        const failure = requestCert ? verificationFailure(secured, dateless) : undefined;
        if (failure !== undefined) {
          refuse(failure);
          return;
        }
        const identity = requestCert ? certificateIdentity(secured) : keys?.identity;
        // The version of a cipher is the first that had it.
        const version = secured.getProtocol() ?? 'TLS';
        const encryption = { version, cipher: secured.getCipher().standardName };
        pass({ socket: secured, peer: { ...peer, identity, encryption } });
      });
    });
  };
}

/** A socket costs a tenth of what TLS does, so those that send nothing get no TLS. */
function afterFirstBytes(socket: Duplex, refuse: (reason: string) => void, then: () => void): void {
  const ended = (): void => refuse('connection closed by client');
  socket.once('end', ended);
  socket.on('readable', function look() {
    const bytes: Buffer | null = socket.read();
    // At the end of the stream there is nothing to read either.
    if (bytes === null) return;
    socket.off('readable', look);
    socket.off('end', ended);
    socket.unshift(bytes);
    then();
  });
}

/** Calls `then` after the handshake, `refuse` where it fails. */
function untilSecure(secured: TLSSocket, refuse: (reason: string) => void, then: () => void): void {
  let established = false;
  let refused = false;
  const fail = (reason: string): void => {
    if (refused) return;
    refused = true;
    refuse(reason);
  };
  const ended = (): void => fail('connection closed by client');
  // Stays: after the handshake the connection has its own beside it.
  secured.on('error', (error) => {
    if (!established) fail(tlsFailureText(error));
  });
  secured.once('end', ended);
  // What tls.Server goes by as well; 'secureConnection' and 'secureConnect' are of servers and clients.
  secured.once('secure', () => {
    established = true;
    secured.off('end', ended);
    then();
  });
}

/** One exchange of a pre-shared key: remembers which identity the client claimed. */
class KeyExchange {
  /** What the key proves once the handshake is over. */
  identity: PeerIdentity | undefined;
  readonly options: TLSSocketOptions;

  constructor(hint: string, find: (identity: string) => Uint8Array | undefined) {
    this.options = {
      pskIdentityHint: hint,
      pskCallback: (_socket: TLSSocket, identity: string) => {
        this.identity = { commonName: identity, subject: undefined };
        return find(identity) ?? null;
      },
    } as TLSSocketOptions;
  }
}
