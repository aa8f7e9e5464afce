export { Cancellation, type CancelSignal } from './cancellation.js';
export { Client, connect, type EndOptions, type RequestOptions } from './client.js';
export {
  CLIENT_ERROR_CODES,
  ClientError,
  type ClientErrorCode,
  type ClientErrorDetails,
} from './client-error.js';
export { type ConnectOptions, Delivery, type DeliveryVerdict } from './connect-options.js';
export type { FailureHandler, PublishBatch } from './publish-batch.js';
export type { PublishResult } from './publish-one.js';
export type { PublishSettings } from './session/publish-head.js';
export type { Subscription } from './subscription-options.js';
export type { Connector } from './transport/connector.js';
export { type ProxyAddress, type ProxyUrlErrorCode, parseProxyUrl } from './transport/proxy-url.js';
export { type SocksOptions, socks } from './transport/socks.js';
export { type SrvOptions, type SrvTarget, srv } from './transport/srv.js';
export { type TcpOptions, tcp } from './transport/tcp.js';
export {
  type FilePath,
  pskFromHex,
  type TlsHandshakeOptions,
  type TlsOptions,
  type TlsPskOptions,
  type TlsVersion,
  tls,
  tlsPsk,
} from './transport/tls.js';
export { type UnixOptions, unix } from './transport/unix.js';
export { type WebSocketOptions, websocket } from './transport/websocket.js';
