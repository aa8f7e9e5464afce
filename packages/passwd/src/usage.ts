import { VERSION } from '@tsmqtt/cli-kit/program';
import { OPTIONS, SYNOPSES } from './option-table.js';

/** The line that `--version` prints (cli §1.4). */
export function versionText(programName: string): string {
  return `${programName} version ${VERSION} running on @tsmqtt/credentials ${VERSION}.\n`;
}

/** The text of `--help`, also the answer to a wrong number of arguments. */
export function usageText(programName: string): string {
  const rows = OPTIONS.map(({ name, value, help }) => [
    value === undefined ? name : `${name} ${value}`,
    help,
  ]);
  const width = Math.max(...rows.map(([option]) => option!.length));
  return [
    `${programName} manages the password files of MQTT brokers.\n`,
    versionText(programName),
    '\nUsage:\n',
    ...SYNOPSES.map((synopsis) => `  ${programName} ${synopsis}\n`),
    '\nOptions, which must stand before FILE:\n',
    ...rows.map(([option, help]) => `  ${option!.padEnd(width)}  ${help}\n`),
    '\nThe password is asked for, twice, unless -b or --stdin is given.\n',
  ].join('');
}
