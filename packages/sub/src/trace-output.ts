import { type ConnectionHandlers, type Output, type Settings, Trace } from '@tsmqtt/cli-kit';
import { type Packet, PacketType } from '@tsmqtt/protocol';

/** `-d`: every packet on stdout, in order with the messages (cli §16). */
export function traceTo(output: Output, settings: Settings): ConnectionHandlers {
  if (!settings.debug) return {};
  const trace = new Trace();
  let scheduled = false;
  return {
    onPacket: (direction, packet) => {
      output.text(trace.lines(direction, packet));
      if (direction === 'received' && !settings.quiet) output.text(subscribedLine(packet));
      // What does not stand in a received batch is flushed at the end of this turn.
      if (scheduled) return;
      scheduled = true;
      setImmediate(() => {
        scheduled = false;
        output.flush();
      });
    },
  };
}

function subscribedLine(packet: Packet): string {
  if (packet.type !== PacketType.SUBACK) return '';
  return `Subscribed (mid: ${packet.packetId}): ${packet.reasonCodes.join(', ')}\n`;
}
