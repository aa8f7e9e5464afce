import { describe, expect, test } from 'vitest';
import type { Acknowledgement } from '../wire/packet.js';
import { PacketType } from '../wire/packet-type.js';
import { DELIVERY_TABLE, DeliveryAction, DeliveryEvent, DeliveryState } from './delivery-table.js';
import { OutboundFlow } from './outbound-flow.js';
import { OutboundMessage } from './outbound-message.js';

class Message extends OutboundMessage {
  constructor(readonly qos: 1 | 2) {
    super();
  }
}

const acknowledgement = (type: Acknowledgement['type'], reasonCode = 0): Acknowledgement => ({
  type,
  packetId: 1,
  reasonCode,
  properties: [],
});

/** What each event looks like on the wire. */
const EVENTS = {
  PUBACK: acknowledgement(PacketType.PUBACK),
  'PUBACK 0x10': acknowledgement(PacketType.PUBACK, 0x10),
  'PUBACK 0x87': acknowledgement(PacketType.PUBACK, 0x87),
  PUBREC: acknowledgement(PacketType.PUBREC),
  'PUBREC 0x10': acknowledgement(PacketType.PUBREC, 0x10),
  'PUBREC 0x80': acknowledgement(PacketType.PUBREC, 0x80),
  'PUBREC 0x97': acknowledgement(PacketType.PUBREC, 0x97),
  PUBCOMP: acknowledgement(PacketType.PUBCOMP),
  'PUBCOMP 0x92': acknowledgement(PacketType.PUBCOMP, 0x92),
};
type Event = keyof typeof EVENTS;
type State = keyof typeof DeliveryState;
type Action = keyof typeof DeliveryAction;

/** Every state with every event (4.3.2, 4.3.3; the first block: broker §9.10). */
// biome-ignore format: one row a line
const ROWS: readonly (readonly [State, Event, Action])[] = [
  ['NONE', 'PUBACK', 'IGNORE'],
  ['NONE', 'PUBACK 0x10', 'IGNORE'],
  ['NONE', 'PUBACK 0x87', 'IGNORE'],
  ['NONE', 'PUBREC', 'RELEASE'],
  ['NONE', 'PUBREC 0x10', 'RELEASE'],
  ['NONE', 'PUBREC 0x80', 'IGNORE'],
  ['NONE', 'PUBREC 0x97', 'IGNORE'],
  ['NONE', 'PUBCOMP', 'IGNORE'],
  ['NONE', 'PUBCOMP 0x92', 'IGNORE'],
  ['AWAIT_PUBACK', 'PUBACK', 'SETTLE'],
  ['AWAIT_PUBACK', 'PUBACK 0x10', 'SETTLE'],
  ['AWAIT_PUBACK', 'PUBACK 0x87', 'SETTLE'],
  ['AWAIT_PUBACK', 'PUBREC', 'VIOLATION'],
  ['AWAIT_PUBACK', 'PUBREC 0x10', 'VIOLATION'],
  ['AWAIT_PUBACK', 'PUBREC 0x80', 'VIOLATION'],
  ['AWAIT_PUBACK', 'PUBREC 0x97', 'VIOLATION'],
  ['AWAIT_PUBACK', 'PUBCOMP', 'VIOLATION'],
  ['AWAIT_PUBACK', 'PUBCOMP 0x92', 'VIOLATION'],
  ['AWAIT_PUBREC', 'PUBACK', 'VIOLATION'],
  ['AWAIT_PUBREC', 'PUBACK 0x10', 'VIOLATION'],
  ['AWAIT_PUBREC', 'PUBACK 0x87', 'VIOLATION'],
  ['AWAIT_PUBREC', 'PUBREC', 'RELEASE'],
  ['AWAIT_PUBREC', 'PUBREC 0x10', 'RELEASE'],
  ['AWAIT_PUBREC', 'PUBREC 0x80', 'SETTLE'],
  ['AWAIT_PUBREC', 'PUBREC 0x97', 'SETTLE'],
  ['AWAIT_PUBREC', 'PUBCOMP', 'VIOLATION'],
  ['AWAIT_PUBREC', 'PUBCOMP 0x92', 'VIOLATION'],
  ['AWAIT_PUBCOMP', 'PUBACK', 'VIOLATION'],
  ['AWAIT_PUBCOMP', 'PUBACK 0x10', 'VIOLATION'],
  ['AWAIT_PUBCOMP', 'PUBACK 0x87', 'VIOLATION'],
  ['AWAIT_PUBCOMP', 'PUBREC', 'RELEASE'],
  ['AWAIT_PUBCOMP', 'PUBREC 0x10', 'RELEASE'],
  ['AWAIT_PUBCOMP', 'PUBREC 0x80', 'VIOLATION'],
  ['AWAIT_PUBCOMP', 'PUBREC 0x97', 'VIOLATION'],
  ['AWAIT_PUBCOMP', 'PUBCOMP', 'SETTLE'],
  ['AWAIT_PUBCOMP', 'PUBCOMP 0x92', 'SETTLE'],
];

/** A flow whose Packet Identifier 1 is in `state`, and what it asks for from then on. */
function flowIn(state: State) {
  const asked: string[] = [];
  const flow = new OutboundFlow<Message>({
    publish: (_message, packetId) => asked.push(`PUBLISH ${packetId}`) > 0,
    pubrel: (packetId) => asked.push(`PUBREL ${packetId}`),
    settled: (message, packet) => asked.push(`settled ${message.packetId} ${packet.reasonCode}`),
  });
  flow.connected(20, true);
  if (state !== 'NONE') flow.send(new Message(state === 'AWAIT_PUBACK' ? 1 : 2));
  if (state === 'AWAIT_PUBCOMP') flow.acknowledge(EVENTS.PUBREC);
  asked.length = 0;
  return { flow, asked };
}

describe('an acknowledgement', () => {
  test.each(ROWS)('in %s: %s is %s', (state, event, action) => {
    const { flow, asked } = flowIn(state);
    const before = flow.inFlight;
    expect(flow.acknowledge(EVENTS[event])).toBe(DeliveryAction[action]);
    expect(asked).toEqual(
      action === 'RELEASE'
        ? ['PUBREL 1']
        : action === 'SETTLE'
          ? [`settled 1 ${EVENTS[event].reasonCode}`]
          : [],
    );
    expect(flow.inFlight).toBe(action === 'SETTLE' ? before - 1 : before);
  });

  test.each(ROWS.filter(([, , action]) => action === 'VIOLATION'))(
    'in %s: %s leaves the message as it was',
    (state, event) => {
      const { flow, asked } = flowIn(state);
      flow.acknowledge(EVENTS[event]);
      if (state === 'AWAIT_PUBREC') flow.acknowledge(EVENTS.PUBREC);
      flow.acknowledge(state === 'AWAIT_PUBACK' ? EVENTS.PUBACK : EVENTS.PUBCOMP);
      expect(asked.at(-1)).toBe('settled 1 0');
      expect(flow.pending).toBe(0);
    },
  );
});

test('the table has a row for each state and a column for each event', () => {
  expect(DELIVERY_TABLE).toHaveLength(Object.keys(DeliveryState).length);
  const actions: readonly number[] = Object.values(DeliveryAction);
  for (const row of DELIVERY_TABLE) {
    expect(row).toHaveLength(Object.keys(DeliveryEvent).length);
    for (const action of row) expect(actions).toContain(action);
  }
  const combinations = new Set(ROWS.map(([state, event]) => `${state} ${event}`));
  expect(combinations.size).toBe(Object.keys(DeliveryState).length * Object.keys(EVENTS).length);
});
