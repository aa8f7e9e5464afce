export type { AuthClient, AuthMethod, AuthRefusalCode, AuthStep } from './auth/auth-method.js';
export { SecretFileError, type SecretFileRules } from './auth/secret-file.js';
export { type Broker, type BrokerOptions, startBroker } from './broker.js';
export { type Clock, systemClock } from './clock.js';
export type { Counters } from './counters.js';
export type {
  BrokerHooks,
  ConnectChanges,
  Decision,
  HookClient,
  HookConnect,
  HookPublication,
  HookRefusal,
  HookSubscription,
  PublicationChanges,
  SubscriptionChanges,
} from './hooks/hooks.js';
export type { HostMessage, HostPublishOptions, HostSubscribeOptions } from './local/host-client.js';
export { type Log, silentLog } from './log/log.js';
export { MemoryStore } from './persistence/memory-store.js';
export type {
  Batch,
  Store,
  StoredDelivery,
  StoredEntry,
  StoredIdentity,
  StoredMessage,
  StoredReceipt,
  StoredRecord,
  StoredRetained,
  StoredSession,
  StoredSubscription,
} from './persistence/store.js';
export {
  type BrokerSettings,
  DEFAULT_LISTENER,
  DEFAULT_SETTINGS,
  type ListenerSettings,
  type LogSettings,
  type LogType,
  type SecuritySettings,
} from './settings.js';
