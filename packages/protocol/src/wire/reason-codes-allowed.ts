import { lazily } from '../lazily.js';
import { PACKET_NAMES, type PacketName, type PacketType } from './packet-type.js';
import { REASON_CODES } from './reason-code-table.js';

const byType = lazily((): readonly ReadonlySet<number>[] =>
  PACKET_NAMES.map(
    (name) =>
      new Set(
        REASON_CODES.filter((row) => (row.packets as readonly PacketName[]).includes(name)).map(
          (row) => row.code,
        ),
      ),
  ),
);

/** Whether a Reason Code may stand in packets of this type (2.4, table 2-6). */
export function hasReasonCode(type: PacketType, code: number): boolean {
  return (byType()[type] as ReadonlySet<number>).has(code);
}
