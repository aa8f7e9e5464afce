// MQTT 3.1.1 packets as bytes, just enough for a load generator: nothing is parsed that need not be.

/** Remaining Length (2.2.3). */
function length(value) {
  const bytes = [];
  let rest = value;
  do {
    const more = rest > 127 ? 0x80 : 0;
    bytes.push((rest & 0x7f) | more);
    rest >>= 7;
  } while (rest > 0);
  return bytes;
}

function text(string) {
  const bytes = Buffer.from(string);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes]);
}

function packet(firstByte, ...parts) {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([firstByte, ...length(body.length)]), body]);
}

const id = (number) => Buffer.from([number >> 8, number & 0xff]);

/** Clean session, keep alive 600 s. */
export const connectPacket = (clientId) =>
  packet(0x10, text('MQTT'), Buffer.from([4, 2, 2, 0x58]), text(clientId));

export const subscribePacket = (filters, qos, packetId = 1) =>
  packet(0x82, id(packetId), ...filters.flatMap((filter) => [text(filter), Buffer.from([qos])]));

export const publishPacket = (topic, payload, { qos = 0, packetId = 0, retain = false } = {}) =>
  packet(
    0x30 | (qos << 1) | (retain ? 1 : 0),
    text(topic),
    qos > 0 ? id(packetId) : Buffer.alloc(0),
    Buffer.from(payload),
  );

export const PINGREQ = Buffer.from([0xc0, 0]);
export const CONNACK_BYTES = 4;
export const PUBACK_BYTES = 4;
