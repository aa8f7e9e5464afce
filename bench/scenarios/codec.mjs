// The codec alone, beside mqtt-packet: PUBLISH packets of 8 and 1,024 bytes from bytes to packets and back.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../../scripts/steps.mjs';
import { inTurn, result } from '../measure.mjs';
import { installed } from '../peers.mjs';

const labels = { tsmqtt: '@tsmqtt/protocol', 'mqtt-packet': 'mqtt-packet' };
const PACKETS_A_CHUNK = 1000;
const CHUNKS = 500;

export async function codec({ runs, scale }) {
  const protocol = await import(
    pathToFileURL(path.join(root, 'packages', 'protocol', 'dist', 'lib', 'index.js'))
  );
  const { default: mqttPacket } = installed('mqtt-packet') ? await import('mqtt-packet') : {};
  const names = Object.keys(labels).filter(installed);
  const chunks = Math.max(1, Math.round(CHUNKS * scale));
  const results = [];
  for (const bytes of [8, 1024]) {
    const payload = Buffer.alloc(bytes, 'x');
    const ours = {
      type: protocol.PacketType.PUBLISH,
      topic: 'bench/codec/topic',
      payload,
      qos: 1,
      retain: false,
      dup: false,
      packetId: 7,
      properties: [],
    };
    const theirs = {
      cmd: 'publish',
      topic: ours.topic,
      payload,
      qos: 1,
      retain: false,
      dup: false,
      messageId: 7,
    };
    const one = Buffer.from(protocol.encodePacket(ours, 4));
    const chunk = Buffer.concat(Array.from({ length: PACKETS_A_CHUNK }, () => one));
    const total = chunks * PACKETS_A_CHUNK;
    let seen = 0;
    // What a reader of PUBLISH asks for: its topic, its payload, its Packet Identifier.
    const look = (packet) => {
      seen += packet.topic.length + packet.payload.length;
    };
    const decode = {
      tsmqtt() {
        const sink = {
          packet(packet) {
            look(packet);
            return protocol.Verdict.CONTINUE;
          },
        };
        const stream = new protocol.PacketStream(sink, 2_000_000);
        stream.version = 4;
        for (let index = 0; index < chunks; index += 1) stream.receive(chunk);
      },
      'mqtt-packet'() {
        const parser = mqttPacket.parser({ protocolVersion: 4 });
        parser.on('packet', look);
        for (let index = 0; index < chunks; index += 1) parser.parse(chunk);
      },
    };
    const encode = {
      tsmqtt() {
        for (let index = 0; index < total; index += 1) seen += protocol.encodePacket(ours, 4).length;
      },
      'mqtt-packet'() {
        for (let index = 0; index < total; index += 1)
          seen += mqttPacket.generate(theirs, { protocolVersion: 4 }).length;
      },
    };
    for (const [verb, doers] of Object.entries({ decode, encode })) {
      const taken = await inTurn(names, { runs, warmUp: 2 }, (name) => {
        seen = 0;
        const started = performance.now();
        doers[name]();
        const seconds = (performance.now() - started) / 1000;
        if (seen === 0) throw new Error(`${verb} did nothing`);
        return total / seconds;
      });
      results.push(
        result({
          title: `Codec: ${verb} PUBLISH, QoS 1, ${bytes} bytes of payload`,
          unit: 'packets a second',
          better: 'more',
          rows: labels,
          ...taken,
          notes: [...taken.samples].map(
            ([name, samples]) =>
              `${labels[name]}: ${Math.round((Math.max(...samples) * one.length) / 1e6).toLocaleString('en')} MB/s at most`,
          ),
        }),
      );
    }
  }
  return results;
}
