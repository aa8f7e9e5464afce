import {
  type Acknowledgement,
  InboundFlow,
  PacketType,
  ProtocolError,
  type PublishFrame,
  ReasonCode,
  Verdict,
} from '@tsmqtt/protocol';

/** What inbound messages need of the session. */
export interface InboundHost {
  /** Gives a message to the application. */
  deliver(message: PublishFrame): Verdict;
  acknowledge(type: Acknowledgement['type'], packetId: number, reasonCode: number): void;
}

/** QoS 2 messages, by what was done about them. */
const Held = { DELIVERED: 'delivered', ACKNOWLEDGED: 'acknowledged' } as const;
type QoS2State = PublishFrame | (typeof Held)[keyof typeof Held];

/** An acknowledgement that waits: Packet Identifier, and this bit for PUBREC. */
const PUBREC_BIT = 0x1_0000;

/**
 * The receiver's side of PUBLISH (4.3), in one of two ways that the specification allows:
 *
 *     at once   QoS 1: PUBACK, deliver. QoS 2: keep, PUBREC; on PUBREL deliver, PUBCOMP.
 *     held      QoS 1: deliver; PUBACK when released. QoS 2: deliver, keep the Packet Identifier; PUBREC when released;
 *               on PUBREL PUBCOMP. The sender keeps what was not released, whatever becomes of us (cli P-22).
 *
 * Both deliver a QoS 2 message once however often it is sent, and acknowledge whatever the application makes of it
 * [MQTT-4.5.0-2] [MQTT311-4.5.0-2], in the order of the messages [MQTT-4.6.0-2] [MQTT-4.6.0-3] [MQTT311-4.6.0-2]
 * [MQTT311-4.6.0-3].
 */
export class InboundMessages {
  readonly #host: InboundHost;
  readonly #hold: boolean;
  readonly #receiveMaximum: number;
  readonly #flow = new InboundFlow<QoS2State>();
  /** Acknowledgements that wait for `release()`. Those before `#stale` belong to an earlier connection. */
  #held: number[] = [];
  #heldPubacks = 0;
  #stale = 0;

  /** @param receiveMaximum What we told the server (MQTT 5, 3.1.2.11.3). */
  constructor(host: InboundHost, hold: boolean, receiveMaximum: number) {
    this.#host = host;
    this.#hold = hold;
    this.#receiveMaximum = receiveMaximum;
  }

  /** [MQTT-3.3.4-1] [MQTT-4.3.2-4] [MQTT-4.3.3-8] [MQTT311-3.3.4-1] [MQTT311-4.3.2-2] [MQTT311-4.3.3-2] */
  publish(frame: PublishFrame): Verdict {
    switch (frame.qos) {
      case 0:
        return this.#host.deliver(frame);
      case 1:
        return this.#publishAtQoS1(frame);
      case 2:
        return this.#publishAtQoS2(frame);
    }
  }

  #publishAtQoS1(frame: PublishFrame): Verdict {
    if (this.#hold) {
      this.#held.push(frame.packetId);
      this.#heldPubacks++;
      this.#checkQuota();
    } else {
      // Nothing is remembered of it: the same identifier again is another message [MQTT-4.3.2-5].
      this.#host.acknowledge(PacketType.PUBACK, frame.packetId, ReasonCode.SUCCESS);
    }
    return this.#host.deliver(frame);
  }

  #publishAtQoS2(frame: PublishFrame): Verdict {
    const { packetId } = frame;
    const known = this.#flow.get(packetId);
    if (this.#hold) {
      if (known === Held.ACKNOWLEDGED) {
        this.#host.acknowledge(PacketType.PUBREC, packetId, ReasonCode.SUCCESS);
        return Verdict.CONTINUE;
      }
      this.#held.push(packetId | PUBREC_BIT);
      this.#flow.keep(packetId, Held.DELIVERED);
      this.#checkQuota();
      return known === undefined ? this.#host.deliver(frame) : Verdict.CONTINUE;
    }
    if (known === undefined) this.#flow.keep(packetId, frame.detach());
    this.#checkQuota();
    this.#host.acknowledge(PacketType.PUBREC, packetId, ReasonCode.SUCCESS);
    return Verdict.CONTINUE;
  }

  /** [MQTT-3.3.4-9]: the server sends no more than we said we can hold. */
  #checkQuota(): void {
    if (this.#heldPubacks + this.#flow.size > this.#receiveMaximum) {
      throw new ProtocolError(
        'receive-maximum',
        `more than ${this.#receiveMaximum} messages are unacknowledged`,
        ReasonCode.RECEIVE_MAXIMUM_EXCEEDED,
      );
    }
  }

  pubrel(packetId: number): Verdict {
    const message = this.#flow.release(packetId);
    // [MQTT-4.3.3-11]
    const reasonCode = message === undefined ? ReasonCode.PACKET_IDENTIFIER_NOT_FOUND : ReasonCode.SUCCESS;
    this.#host.acknowledge(PacketType.PUBCOMP, packetId, reasonCode);
    return message === undefined || typeof message === 'string'
      ? Verdict.CONTINUE
      : this.#host.deliver(message);
  }

  /** Acknowledges everything delivered so far. @param live There is a connection to send on. */
  release(live: boolean): void {
    const held = this.#held;
    for (let index = 0; index < held.length; index++) {
      const entry = held[index] as number;
      const packetId = entry & 0xffff;
      const send = live && index >= this.#stale;
      if (entry >= PUBREC_BIT) {
        // A server that sent PUBREL without waiting for PUBREC has released it already.
        if (this.#flow.get(packetId) !== undefined) this.#flow.keep(packetId, Held.ACKNOWLEDGED);
        if (send) this.#host.acknowledge(PacketType.PUBREC, packetId, ReasonCode.SUCCESS);
      } else if (send) {
        this.#host.acknowledge(PacketType.PUBACK, packetId, ReasonCode.SUCCESS);
      }
    }
    this.#forgetHeld();
  }

  /** The server will send again what was not acknowledged on the connection that is gone. */
  connectionLost(): void {
    this.#stale = this.#held.length;
    this.#heldPubacks = 0;
  }

  /** The server has no session for us: nothing will be sent again. */
  clear(): void {
    this.#flow.clear();
    this.#forgetHeld();
  }

  #forgetHeld(): void {
    this.#held = [];
    this.#heldPubacks = 0;
    this.#stale = 0;
  }
}
