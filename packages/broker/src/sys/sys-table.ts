import { PacketType } from '@tsmqtt/protocol';
import { VERSION } from '../version.js';
import type { SysRow } from './sys-row.js';

const sum = (counts: Float64Array): number => counts.reduce((total, count) => total + count, 0);

/**
 * Everything that the broker tells about itself (broker §7): the topics below `$SYS/broker/`, `/api/v1/systree` and
 * `/metrics` are these rows. Bridges and the log publish below `$SYS/broker/` too, by themselves.
 */
// biome-ignore format: one row a line
export const SYS_ROWS: readonly SysRow[] = [
  { topics: ['version'], kind: 'text', read: ({ engine }) => `${engine.name} version ${VERSION}`, doc: 'name and version of the broker' },
  { topics: ['uptime'], kind: 'gauge', unit: 'seconds', read: ({ engine, now }) => Math.floor((now - engine.sys.startedAt) / 1000), doc: 'seconds since the broker started' },

  { topics: ['clients/total'], kind: 'gauge', read: ({ engine }) => engine.sessions.size, doc: 'known sessions, connected or not' },
  { topics: ['clients/connected', 'clients/active'], kind: 'gauge', read: ({ engine }) => engine.open, doc: 'open connections, those that have not sent CONNECT too' },
  { topics: ['clients/disconnected', 'clients/inactive'], kind: 'gauge', read: ({ engine, connectedSessions }) => engine.sessions.size - connectedSessions, doc: 'sessions whose client is not connected' },
  { topics: ['clients/maximum'], kind: 'gauge', read: ({ engine: { counters } }) => (counters.mostConnections > 1 ? counters.mostConnections : undefined), doc: 'most connections at a time, from 2 on' },
  { topics: ['clients/expired'], kind: 'counter', read: ({ engine }) => engine.counters.sessionsExpired, doc: 'sessions that ended because their expiry had passed' },

  { topics: ['messages/received'], kind: 'counter', read: ({ engine }) => sum(engine.counters.packetsReceived), doc: 'packets of every type received' },
  { topics: ['messages/sent'], kind: 'counter', read: ({ engine }) => sum(engine.counters.packetsSent), doc: 'packets of every type sent' },
  { topics: ['bytes/received'], kind: 'counter', read: ({ engine }) => engine.counters.bytesReceived, doc: 'bytes of MQTT received' },
  { topics: ['bytes/sent'], kind: 'counter', read: ({ engine }) => engine.counters.bytesSent, doc: 'bytes of MQTT sent' },
  { topics: ['publish/messages/received'], kind: 'counter', read: ({ engine }) => engine.counters.received, doc: 'PUBLISH packets received' },
  { topics: ['publish/messages/sent'], kind: 'counter', read: ({ engine }) => engine.counters.sent, doc: 'PUBLISH packets sent' },
  { topics: ['publish/messages/dropped'], kind: 'counter', read: ({ engine }) => engine.counters.dropped, doc: 'messages that one subscriber did not get because a bound was reached' },
  { topics: ['publish/bytes/received'], kind: 'counter', read: ({ engine }) => engine.counters.payloadReceived, doc: 'bytes of the payloads of PUBLISH packets received' },
  { topics: ['publish/bytes/sent'], kind: 'counter', read: ({ engine }) => engine.counters.payloadSent, doc: 'bytes of the payloads of PUBLISH packets sent' },

  { topics: ['store/messages/count', 'messages/stored'], kind: 'gauge', read: ({ store }) => store.count, doc: 'messages held: retained ones, those of `$SYS` too, and those waiting in sessions' },
  { topics: ['store/messages/bytes'], kind: 'gauge', read: ({ store }) => store.bytes, doc: 'bytes of the payloads of the messages held' },
  { topics: ['subscriptions/count'], kind: 'gauge', read: ({ engine: { tree } }) => tree.size - tree.shared, doc: 'subscriptions that are not shared' },
  { topics: ['shared_subscriptions/count'], kind: 'gauge', read: ({ engine }) => engine.tree.shared, doc: 'shared subscriptions, each member of a group' },
  { topics: ['retained messages/count'], kind: 'gauge', read: ({ engine }) => engine.retained.size, doc: 'retained messages, those of `$SYS` too' },
  { topics: ['heap/current'], kind: 'gauge', read: ({ engine }) => engine.sys.heap, doc: 'bytes of the heap of JavaScript in use, that of the whole process' },
  { topics: ['heap/maximum'], kind: 'gauge', read: ({ engine }) => engine.sys.heapMaximum, doc: 'the most bytes of the heap seen in use so far' },
  { topics: ['packet/out/count'], kind: 'gauge', read: ({ waiting }) => waiting.packets, doc: 'packets that clients have not taken; in proportion to the bytes where part of more than 64 KiB has been taken' },
  { topics: ['packet/out/bytes'], kind: 'gauge', read: ({ waiting }) => waiting.bytes, doc: 'bytes that clients have not taken' },
  { topics: ['connections/socket/count'], kind: 'counter', read: ({ engine }) => engine.counters.sockets, doc: 'sockets accepted' },

  { topics: ['load/messages/received'], kind: 'load', read: ({ engine }) => sum(engine.counters.packetsReceived), doc: 'packets of every type received' },
  { topics: ['load/messages/sent'], kind: 'load', read: ({ engine }) => sum(engine.counters.packetsSent), doc: 'packets of every type sent' },
  { topics: ['load/publish/dropped'], kind: 'load', read: ({ engine }) => engine.counters.dropped, doc: 'messages dropped at a bound' },
  { topics: ['load/publish/received'], kind: 'load', read: ({ engine }) => engine.counters.received, doc: 'PUBLISH packets received' },
  { topics: ['load/publish/sent'], kind: 'load', read: ({ engine }) => engine.counters.sent, doc: 'PUBLISH packets sent' },
  { topics: ['load/bytes/received'], kind: 'load', read: ({ engine }) => engine.counters.bytesReceived, doc: 'bytes of MQTT received' },
  { topics: ['load/bytes/sent'], kind: 'load', read: ({ engine }) => engine.counters.bytesSent, doc: 'bytes of MQTT sent' },
  { topics: ['load/sockets'], kind: 'load', read: ({ engine }) => engine.counters.sockets, doc: 'sockets accepted' },
  { topics: ['load/connections'], kind: 'load', read: ({ engine }) => engine.counters.packetsReceived[PacketType.CONNECT] as number, doc: 'CONNECT packets received' },
];
