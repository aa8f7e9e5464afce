// 100,000 retained messages, then one subscriber to `#`: from SUBSCRIBE to the last of them.
import { pourQoS0 } from '../load/flows.mjs';
import { PINGREQ, publishPacket, subscribePacket } from '../load/raw-packets.mjs';
import { RawSocket } from '../load/raw-socket.mjs';
import { inTurn, result } from '../measure.mjs';
import { installed, residentMiB, withBroker } from '../peers.mjs';

const labels = { tsmqtt: 'tsmqtt-broker', mosquitto: 'mosquitto', aedes: 'aedes' };
const PINGRESP_BYTES = 2;
const SUBACK_BYTES = 5;

export async function retained({ runs, scale }) {
  const count = Math.round(100_000 * scale);
  const packets = Array.from({ length: count }, (_, index) =>
    publishPacket(
      `retained/${String(index % 100).padStart(2, '0')}/${String(index).padStart(7, '0')}`,
      '12345678',
      {
        retain: true,
      },
    ),
  );
  const all = Buffer.concat(packets);
  const taken = await inTurn(Object.keys(labels).filter(installed), { runs }, (name) =>
    withBroker(name, [], async ({ port, pid }) => {
      const publisher = await RawSocket.open(port, 'publisher');
      const before = residentMiB(pid);
      await pourQoS0(publisher, all, 1);
      const stored = publisher.bytes(PINGRESP_BYTES);
      publisher.socket.write(PINGREQ);
      await stored;
      const subscriber = await RawSocket.open(port, 'subscriber');
      const received = subscriber.bytes(SUBACK_BYTES + all.length);
      const started = performance.now();
      subscriber.socket.write(subscribePacket(['retained/#'], 0));
      await received;
      const ms = performance.now() - started;
      const memory = ((residentMiB(pid) - before) * 1024 * 1024) / count;
      publisher.close();
      subscriber.close();
      return { ms, memory };
    }),
  );
  const title = `${count.toLocaleString('en')} retained messages`;
  return [
    result({ title: `${title} to one subscriber`, unit: 'ms', key: 'ms', rows: labels, ...taken }),
    result({ title: `${title}, memory of each`, unit: 'bytes', key: 'memory', rows: labels, ...taken }),
  ];
}
