import type { ProtocolVersion, QoS } from '@tsmqtt/protocol';
import type { ConnectOptions, PublishOptions, Skill, SubscribeOptions } from './client-driver.js';

/** One line of a script: who does what, or what has to come. */
export type ScriptStep =
  /** `present`: what CONNACK says of the session. */
  | readonly [does: 'connects', client: string, options?: ConnectOptions, present?: boolean]
  | readonly [does: 'subscribes', client: string, filters: readonly string[], options: SubscribeOptions]
  | readonly [does: 'unsubscribes', client: string, filters: readonly string[]]
  | readonly [does: 'publishes', client: string, topic: string, payload: string, options?: PublishOptions]
  /** The next messages: `topic q1 retain: payload {properties}`. */
  | readonly [does: 'receives', client: string, ...messages: readonly string[]]
  | readonly [does: 'disconnects', client: string, options?: { readonly expiry?: number }]
  | readonly [does: 'breaks', client: string]
  /** The broker closes its connection. */
  | readonly [does: 'is closed', client: string];

export interface ClientScript {
  readonly title: string;
  readonly versions: readonly ProtocolVersion[];
  readonly needs: readonly Skill[];
  readonly steps: readonly ScriptStep[];
}

const ALL = [3, 4, 5] as const;
const KEPT: ConnectOptions = { clean: false, expiry: 100 };
const QOS = [0, 1, 2] as const;

const script = (
  title: string,
  versions: readonly ProtocolVersion[],
  needs: readonly Skill[],
  ...steps: readonly ScriptStep[]
): ClientScript => ({ title, versions, needs, steps });

/** A payload that fills several reads. */
const LARGE = 'large '.repeat(30_000);

export const CLIENT_SCRIPTS: readonly ClientScript[] = [
  script(
    'messages at every QoS to a wildcard',
    ALL,
    [],
    ['connects', 'a'],
    ['connects', 'b'],
    ['subscribes', 'b', ['x/+', 'y/#'], { qos: 2 }],
    ...QOS.flatMap((qos): ScriptStep[] => [
      ['publishes', 'a', 'x/ü', `small ${qos}`, { qos }],
      ['publishes', 'a', 'y', LARGE, { qos }],
      ['publishes', 'a', 'none', 'nobody', { qos }],
      ['receives', 'b', `x/ü q${qos}: small ${qos}`, `y q${qos}: ${LARGE}`],
    ]),
    ['publishes', 'a', 'y/a/b', '', { qos: 2 }],
    ['receives', 'b', 'y/a/b q2: '],
    ['disconnects', 'b'],
    ['disconnects', 'a'],
  ),
  ...QOS.map((qos: QoS) =>
    script(
      `messages to a subscription at QoS ${qos}`,
      ALL,
      [],
      ['connects', 'a'],
      ['connects', 'b'],
      ['subscribes', 'b', ['x'], { qos }],
      ...QOS.map((published): ScriptStep => ['publishes', 'a', 'x', String(published), { qos: published }]),
      ['receives', 'b', ...QOS.map((published) => `x q${Math.min(qos, published)}: ${published}`)],
      ['disconnects', 'b'],
    ),
  ),
  script(
    'both publish and subscribe in one connection',
    ALL,
    ['one connection'],
    ['connects', 'a'],
    ['connects', 'b'],
    ['subscribes', 'a', ['to/a'], { qos: 2 }],
    ['subscribes', 'b', ['to/b', 'to/a'], { qos: 1 }],
    ['publishes', 'a', 'to/b', 'hello', { qos: 2 }],
    ['receives', 'b', 'to/b q1: hello'],
    ['publishes', 'b', 'to/a', 'hello back', { qos: 2 }],
    ['receives', 'a', 'to/a q2: hello back'],
    ['receives', 'b', 'to/a q1: hello back'],
    ['unsubscribes', 'b', ['to/a', 'nothing']],
    ['publishes', 'a', 'to/a', 'own', { qos: 1 }],
    ['receives', 'a', 'to/a q1: own'],
    ['publishes', 'a', 'to/b', 'last'],
    ['receives', 'b', 'to/b q0: last'],
  ),
  script(
    'retained messages',
    ALL,
    [],
    ['connects', 'a'],
    ['publishes', 'a', 'r/1', 'old', { retain: true, qos: 1 }],
    ['publishes', 'a', 'r/1', 'kept', { retain: true, qos: 2 }],
    ['connects', 'b'],
    ['subscribes', 'b', ['r/#'], { qos: 1 }],
    ['receives', 'b', 'r/1 q1 retain: kept'],
    ['publishes', 'a', 'r/1', 'live', { retain: true, qos: 1 }],
    ['publishes', 'a', 'r/1', '', { retain: true, qos: 1 }],
    ['receives', 'b', 'r/1 q1: live', 'r/1 q1: '],
    ['disconnects', 'b'],
    ['connects', 'c'],
    ['subscribes', 'c', ['r/#'], { qos: 1 }],
    ['publishes', 'a', 'r/2', 'first of all'],
    ['receives', 'c', 'r/2 q0: first of all'],
  ),
  script(
    'a session that waits',
    ALL,
    [],
    ['connects', 'a'],
    ['connects', 'b', KEPT],
    ['subscribes', 'b', ['x'], { qos: 2 }],
    ['disconnects', 'b'],
    ['publishes', 'a', 'x', '0', { qos: 0 }],
    ['publishes', 'a', 'x', '1', { qos: 1 }],
    ['publishes', 'a', 'x', '2', { qos: 2 }],
    ['connects', 'b', KEPT],
    ['receives', 'b', 'x q1: 1', 'x q2: 2'],
    ['publishes', 'a', 'x', '3', { qos: 2 }],
    ['receives', 'b', 'x q2: 3'],
    ['disconnects', 'b'],
  ),
  script(
    'what CONNACK says of a session',
    [4, 5],
    ['session present'],
    ['connects', 'b', KEPT, false],
    ['disconnects', 'b'],
    ['connects', 'b', KEPT, true],
    ['breaks', 'b'],
    ['connects', 'b', KEPT, true],
    ['disconnects', 'b'],
    ['connects', 'b', { clean: true }, false],
    ['disconnects', 'b'],
    ['connects', 'b', KEPT, false],
  ),
  script(
    'a will',
    ALL,
    [],
    ['connects', 'a'],
    ['subscribes', 'a', ['w/#'], { qos: 2 }],
    ['connects', 'b', { will: { topic: 'w/b', payload: 'gone', qos: 2, retain: true } }],
    ['subscribes', 'b', ['x'], { qos: 0 }],
    ['breaks', 'b'],
    ['receives', 'a', 'w/b q2: gone'],
    ['connects', 'c'],
    ['subscribes', 'c', ['w/#'], { qos: 1 }],
    ['receives', 'c', 'w/b q1 retain: gone'],
    ['publishes', 'c', 'w/b', '', { retain: true }],
    ['receives', 'a', 'w/b q0: '],
    ['receives', 'c', 'w/b q0: '],
  ),
  // mosquitto_sub wants its will to be sent when it is ended.
  script(
    'a will that is not sent',
    ALL,
    ['one connection'],
    ['connects', 'a'],
    ['subscribes', 'a', ['w/#'], { qos: 2 }],
    ['connects', 'b', { will: { topic: 'w/c', payload: 'not sent', qos: 1, retain: false } }],
    ['disconnects', 'b'],
    ['publishes', 'a', 'w/d', 'next'],
    ['receives', 'a', 'w/d q0: next'],
  ),
  script(
    'a shared subscription',
    ALL,
    [],
    ['connects', 'a'],
    ['connects', 'b'],
    ['connects', 'c'],
    ['subscribes', 'b', ['$share/g/x/#'], { qos: 1 }],
    ['subscribes', 'c', ['$share/g/x/#'], { qos: 1 }],
    ...['1', '2', '3', '4'].map((payload): ScriptStep => ['publishes', 'a', 'x/y', payload, { qos: 1 }]),
    ['receives', 'b', 'x/y q1: 1', 'x/y q1: 3'],
    ['receives', 'c', 'x/y q1: 2', 'x/y q1: 4'],
  ),
  script(
    'take-over',
    ALL,
    ['take-over'],
    ['connects', 'a', KEPT],
    ['subscribes', 'a', ['x'], { qos: 1 }],
    ['connects', 'a', KEPT],
    ['is closed', 'a'],
    ['publishes', 'a', 'x', 'm', { qos: 1 }],
    ['receives', 'a', 'x q1: m'],
  ),
  script(
    'properties of messages',
    [5],
    [],
    ['connects', 'a'],
    ['connects', 'b'],
    ['subscribes', 'b', ['x'], { qos: 1 }],
    [
      'publishes',
      'a',
      'x',
      'm',
      {
        qos: 1,
        properties: {
          contentType: 'text/plain',
          responseTopic: 'r/1',
          correlationData: 'c-1',
          payloadFormat: 1,
          user: [
            ['k', 'v'],
            ['k', 'w'],
          ],
        },
      },
    ],
    [
      'receives',
      'b',
      'x q1: m {"contentType":"text/plain","responseTopic":"r/1","correlationData":"c-1","payloadFormat":1,"user":[["k","v"],["k","w"]]}',
    ],
  ),
  script(
    'Subscription Identifiers, No Local, Retain As Published',
    [5],
    ['one connection', 'subscribe options'],
    ['connects', 'a'],
    ['connects', 'b'],
    ['subscribes', 'b', ['x/#'], { qos: 1, identifier: 7, retainAsPublished: true }],
    ['subscribes', 'a', ['x/1'], { qos: 1, noLocal: true, identifier: 300 }],
    ['publishes', 'a', 'x/1', 'm', { qos: 1, retain: true }],
    ['receives', 'b', 'x/1 q1 retain: m {"subscriptionIdentifiers":[7]}'],
    ['publishes', 'b', 'x/1', 'n', { qos: 1 }],
    ['receives', 'a', 'x/1 q1: n {"subscriptionIdentifiers":[300]}'],
    ['receives', 'b', 'x/1 q1: n {"subscriptionIdentifiers":[7]}'],
    ['publishes', 'b', 'x/1', '', { retain: true }],
    ['receives', 'b', 'x/1 q0 retain:  {"subscriptionIdentifiers":[7]}'],
    ['receives', 'a', 'x/1 q0:  {"subscriptionIdentifiers":[300]}'],
  ),
  script(
    'Topic Aliases from the client',
    [5],
    ['one connection', 'aliases from the client'],
    ['connects', 'a'],
    ['connects', 'b'],
    ['subscribes', 'b', ['x/#'], { qos: 1 }],
    ['publishes', 'a', 'x/1', '1', { qos: 1, properties: { topicAlias: 3 } }],
    ['publishes', 'a', '', '2', { qos: 1, properties: { topicAlias: 3 } }],
    ['publishes', 'a', 'x/2', '3', { properties: { topicAlias: 3 } }],
    ['publishes', 'a', '', '4', { qos: 1, properties: { topicAlias: 3 } }],
    ['receives', 'b', 'x/1 q1: 1', 'x/1 q1: 2', 'x/2 q0: 3', 'x/2 q1: 4'],
  ),
  script(
    'Topic Aliases to the client',
    [5],
    ['aliases to the client'],
    ['connects', 'a'],
    ['connects', 'b', { aliases: 1 }],
    ['subscribes', 'b', ['x/#'], { qos: 1 }],
    ...['x/1', 'x/1', 'x/2', 'x/1'].map(
      (topic, at): ScriptStep => ['publishes', 'a', topic, String(at), { qos: 1 }],
    ),
    ['receives', 'b', 'x/1 q1: 0', 'x/1 q1: 1', 'x/2 q1: 2', 'x/1 q1: 3'],
  ),
  script(
    'Session Expiry Interval',
    [5],
    ['session present', 'expiry at the end'],
    ['connects', 'b', { clean: true, expiry: 100 }, false],
    ['disconnects', 'b'],
    ['connects', 'b', { clean: false, expiry: 100 }, true],
    ['disconnects', 'b', { expiry: 0 }],
    ['connects', 'b', { clean: false, expiry: 100 }, false],
    ['disconnects', 'b'],
    ['connects', 'b', { clean: false }, true],
    ['disconnects', 'b'],
    ['connects', 'b', { clean: false }, false],
  ),
];
