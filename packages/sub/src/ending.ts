import type { ExitCode } from '@tsmqtt/cli-kit';

/** How a run ends. */
export interface Ending {
  readonly exitCode: ExitCode;
  /** For stderr, `--quiet` hides it. */
  readonly text?: string | Uint8Array;
  /** From outside: nothing is waited for, and the broker is asked to publish the will (cli §12.8). */
  readonly interrupted?: boolean;
}
