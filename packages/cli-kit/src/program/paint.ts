import { Chalk } from 'chalk';

/** Only called for terminals: whether stdout and stderr are some is the caller's to know, not chalk's to guess. */
const chalk = new Chalk({ level: 1 });

/** Colours the word that starts an error or warning. */
export function paintErrors(text: string): string {
  return text
    .replace(/^(?:Error|Connection error|Unable to connect)\b/gm, (word) => chalk.red.bold(word))
    .replace(/^Warning\b/gm, (word) => chalk.yellow.bold(word));
}

/** Colours the headings and option names of a help text. */
export function paintHelp(text: string): string {
  return text
    .replace(/^(?=\S).*:$/gm, (heading) => chalk.bold(heading))
    .replace(
      /^( +)(-\S+(?:, --\S+)?)/gm,
      (_line, indent: string, names: string) => indent + chalk.cyan(names),
    );
}
