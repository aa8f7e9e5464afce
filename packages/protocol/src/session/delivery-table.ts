/** What a message that was sent waits for (4.3.2, 4.3.3). */
export const DeliveryState = { NONE: 0, AWAIT_PUBACK: 1, AWAIT_PUBREC: 2, AWAIT_PUBCOMP: 3 } as const;
export type DeliveryState = (typeof DeliveryState)[keyof typeof DeliveryState];

/** What the receiver answered; PUBREC with a Reason Code of 0x80 and above is an event of its own. */
export const DeliveryEvent = { PUBACK: 0, PUBREC: 1, PUBREC_FAILED: 2, PUBCOMP: 3 } as const;
export type DeliveryEvent = (typeof DeliveryEvent)[keyof typeof DeliveryEvent];

/** What the sender does. */
export const DeliveryAction = {
  /** An acknowledgement for something that is long over. */
  IGNORE: 0,
  /** The message is delivered or refused; its Packet Identifier is free, and nobody sends it again [MQTT-4.4.0-2]. */
  SETTLE: 1,
  /** Answer with PUBREL and wait for PUBCOMP [MQTT-4.3.3-4] [MQTT-4.3.3-5] [MQTT311-4.3.3-1]. */
  RELEASE: 2,
  /** The receiver broke the protocol. */
  VIOLATION: 3,
} as const;
export type DeliveryAction = (typeof DeliveryAction)[keyof typeof DeliveryAction];

const { IGNORE, SETTLE, RELEASE, VIOLATION } = DeliveryAction;

/** The sender's half of QoS 1 and 2. Row: state; column: event (broker §9.10 for the first row). */
export const DELIVERY_TABLE: readonly (readonly [
  puback: DeliveryAction,
  pubrec: DeliveryAction,
  pubrecFailed: DeliveryAction,
  pubcomp: DeliveryAction,
])[] = [
  // biome-ignore format: a table
  /* NONE          */ [IGNORE,    RELEASE,   IGNORE,    IGNORE],
  // biome-ignore format: a table
  /* AWAIT_PUBACK  */ [SETTLE,    VIOLATION, VIOLATION, VIOLATION],
  // biome-ignore format: a table
  /* AWAIT_PUBREC  */ [VIOLATION, RELEASE,   SETTLE,    VIOLATION],
  // biome-ignore format: a table
  /* AWAIT_PUBCOMP */ [VIOLATION, RELEASE,   VIOLATION, SETTLE],
];
