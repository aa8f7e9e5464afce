/** Version of the programs and of the library they run on; a test holds it to the package's. */
export const VERSION = '0.1.0';

/** What `--version` prints (cli §1.4). */
export function versionLine(programName: string): string {
  return `${programName} version ${VERSION} running on @tsmqtt/client ${VERSION}.\n`;
}
