import type { Tool } from './settings.js';

export interface Synopsis {
  /** One sentence. */
  readonly summary: string;
  /** What follows the program's name in the usage lines. */
  readonly usage: readonly string[];
  /** Command lines without the program's name. */
  readonly examples: readonly string[];
}

/** What help and reference say about a program as a whole. */
export const SYNOPSES: Readonly<Record<Tool, Synopsis>> = {
  pub: {
    summary: 'publish one MQTT message, a file, or a stream of lines.',
    usage: ['-t TOPIC {-m TEXT | -f FILE | -l | -s | -n} [-h HOST] [-p PORT] [-u NAME] [-q QOS] [-r] ...'],
    examples: [
      '-t hello/world -m "Hello, World"',
      '-h 127.0.0.1 -u pi -P 123 -t hello/world -m "Hello, World"',
      '--local -t a/b -l < lines.txt',
    ],
  },
  sub: {
    summary: 'subscribe to MQTT topics and print what arrives.',
    usage: [
      '-t FILTER [-t FILTER ...] [-v] [-h HOST] [-p PORT] [-u NAME] [-q QOS] [-C COUNT] [-W SECONDS] ...',
    ],
    examples: ["-t '#' -v", "-h 127.0.0.1 -u pi -P 123 -t 'hello/+' -q 1 -v", "--local -t 'a/b/#' -C 1"],
  },
  rr: {
    summary: 'publish an MQTT request and print the response.',
    usage: ['-t TOPIC -e TOPIC {-m TEXT | -f FILE | -s | -n} [-h HOST] [-p PORT] [-q QOS] [-W SECONDS] ...'],
    examples: [
      '-t service/time -e answer/me -n -W 5',
      "-h 127.0.0.1 -t lamp/get -e lamp/state -m '' -q 1 -v",
    ],
  },
};
