import type { QoS } from '@tsmqtt/protocol';
import type { AuthMethod } from './auth/auth-method.js';
import { PendingSteps } from './auth/pending-steps.js';
import type { Realms, SecretsByListener } from './auth/realm.js';
import { Reverification } from './auth/reverification.js';
import type { Clock } from './clock.js';
import type { Connection } from './connection/connection.js';
import { FlushScheduler } from './connection/flush-scheduler.js';
import type { WorkQueue } from './connection/work-queue.js';
import { BROKER_CONTROL_TOPIC, brokerEndpoint } from './control/broker-endpoint.js';
import { ControlTopics } from './control/control-topics.js';
import { Counters } from './counters.js';
import type { HookCalls } from './hooks/hook-calls.js';
import type { Log } from './log/log.js';
import { PacketLog } from './log/packet-log.js';
import type { Persistence } from './persistence/persistence.js';
import type { Message } from './routing/message.js';
import { MountPoints } from './routing/mount-point.js';
import { ReplayTurns } from './routing/replay-turns.js';
import { RetainedStore } from './routing/retained-store.js';
import { Router } from './routing/router.js';
import type { Subscription } from './routing/subscription.js';
import { SubscriptionTree } from './routing/subscription-tree.js';
import type { Session } from './session/session.js';
import { SessionRegistry } from './session/session-registry.js';
import { WillStore } from './session/will-store.js';
import type { BrokerSettings } from './settings.js';
import { SysTree } from './sys/sys-tree.js';

/**
 * One broker's state: everything its connections share. It never listens; listeners hand it connections. Brokers in one
 * process share nothing.
 */
export class Engine {
  readonly counters = new Counters();
  readonly scheduler: FlushScheduler;
  readonly work: WorkQueue;
  readonly tree = new SubscriptionTree();
  readonly retained: RetainedStore;
  readonly replayTurns: ReplayTurns;
  readonly mountPoints = new MountPoints();
  readonly control = new ControlTopics(this);
  readonly connections = new Set<Connection>();
  /** Those of them that are not closing. */
  open = 0;
  /** CONNECT packets so far: numbers them. */
  connects = 0;
  /** Sessions at their bound. */
  readonly blockedSessions = new Set<Session>();
  /** What has to survive this process is saved here, from the start on; undefined: nothing has to. */
  persistence: Persistence | undefined;
  readonly sessions: SessionRegistry;
  readonly wills: WillStore;
  readonly router: Router;
  readonly reverification: Reverification;
  readonly sys: SysTree;
  /** Debug lines about packets, if anybody reads them. */
  packetLog: PacketLog | undefined;
  readonly pendingAuthSteps = new PendingSteps();
  /** What the host program wants to say; undefined: nothing. */
  hooks: HookCalls | undefined;

  constructor(
    public settings: BrokerSettings,
    readonly log: Log,
    readonly clock: Clock,
    readonly realms: Realms,
    /** What it calls itself in `$SYS/broker/version`. */
    readonly name = 'tsmqtt-broker',
    /** Of the host program, for all listeners. */
    readonly authMethods: readonly AuthMethod[] = [],
  ) {
    this.scheduler = new FlushScheduler(() => clock.steady?.() ?? performance.now());
    this.work = this.scheduler.work;
    this.replayTurns = new ReplayTurns(this.scheduler);
    this.retained = new RetainedStore(minutes(settings.retainExpiryInterval));
    this.#serveControl();
    this.sessions = new SessionRegistry(this);
    this.wills = new WillStore(this);
    this.router = new Router(this);
    this.reverification = new Reverification(this);
    this.sys = new SysTree(this);
    this.packetLog = PacketLog.of(log);
  }

  /** QoS of a delivery: the lower of publication and subscription [MQTT-3.8.4-8] [MQTT311-3.8.4-6], unless `upgrade_outgoing_qos`. */
  deliveryQoS(message: Message, subscription: Subscription): QoS {
    const published = message.frame.qos;
    return published < subscription.qos && !this.settings.upgradeOutgoingQos ? published : subscription.qos;
  }

  /** New settings and secrets. Clients that would not be let in any more are closed without their will (broker §4.8). */
  async reload(settings: BrokerSettings, secrets: SecretsByListener): Promise<void> {
    this.settings = settings;
    this.packetLog = PacketLog.of(this.log);
    this.realms.update(settings, secrets);
    this.retained.lifetime = minutes(settings.retainExpiryInterval);
    this.#serveControl();
    this.sessions.settingsChanged();
    this.sys.sweep(this.clock.now());
    await this.reverification.start();
  }

  #serveControl(): void {
    const endpoint = this.settings.enableControlApi ? brokerEndpoint(() => this.settings) : undefined;
    this.control.set(BROKER_CONTROL_TOPIC, endpoint);
  }

  /** Once a second: everything that depends on time. */
  sweep(): void {
    const now = this.clock.now();
    for (const connection of this.connections) connection.sweep(now);
    for (const session of this.blockedSessions) session.pressure.sweep(now);
    this.persistence?.journal.sweep();
    this.wills.sweep(now);
    this.sessions.sweep(now);
    this.retained.expire(now);
    this.reverification.goOn();
    this.hooks?.sweep(now);
    this.sys.sweep(now);
  }
}

/** In milliseconds; Infinity: no limit. */
function minutes(count: number | undefined): number {
  return count === undefined ? Number.POSITIVE_INFINITY : count * 60_000;
}
