import { VERSION } from '../version.js';
import { BROKER_ARGUMENTS } from './argument-table.js';

/** Text of `--help`. Its usage line is fixed by contract broker §1.1. */
export function helpText(programName: string): string {
  const terms = BROKER_ARGUMENTS.map(({ names, value }) =>
    [names.join(', '), value].filter((part) => part !== undefined).join(' '),
  );
  const width = Math.max(...terms.map((term) => term.length)) + 2;
  return [
    versionText(programName).trimEnd(),
    '',
    'An MQTT 5.0, 3.1.1 and 3.1 broker that reads mosquitto.conf.',
    '',
    `Usage: ${programName} [-c config_file] [-d] [-h] [-p port] [-v]`,
    `       ${programName} -c config_file --test-config`,
    '',
    ...BROKER_ARGUMENTS.map(({ help }, index) => `  ${terms[index]!.padEnd(width)}${help}`),
    '',
    'Without a configuration file only clients on this machine can connect, to port 1883.',
    '',
  ].join('\n');
}

/** Text of `--version`. */
export function versionText(programName: string): string {
  return `${programName} version ${VERSION}\n`;
}
