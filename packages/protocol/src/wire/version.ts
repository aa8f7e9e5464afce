/** Protocol Level byte of CONNECT: 3 is MQTT 3.1, 4 is MQTT 3.1.1, 5 is MQTT 5.0 (3.1.2.2). */
export type ProtocolVersion = 3 | 4 | 5;

/** Quality of Service level (4.3). */
export type QoS = 0 | 1 | 2;
