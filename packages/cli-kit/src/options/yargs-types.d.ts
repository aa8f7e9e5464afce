/** The little of yargs that help and completion use; the package brings no types. */
declare module 'yargs' {
  export interface Yargs {
    scriptName(name: string): Yargs;
    usage(text: string): Yargs;
    epilogue(text: string): Yargs;
    help(enabled: false): Yargs;
    version(enabled: false): Yargs;
    locale(locale: 'en'): Yargs;
    wrap(columns: number): Yargs;
    exitProcess(enabled: false): Yargs;
    option(
      name: string,
      description: {
        alias?: string;
        describe: string;
        group: string;
        type?: 'boolean';
        requiresArg?: boolean;
        choices?: readonly string[];
        defaultDescription?: string;
      },
    ): Yargs;
    completion(command: string, description: false): Yargs;
    getHelp(): Promise<string>;
    getCompletion(words: readonly string[]): Promise<string[]>;
    parse(words: readonly string[], done: (error: unknown, argv: unknown, output: string) => void): unknown;
  }
  function yargs(words: readonly string[]): Yargs;
  // biome-ignore lint/style/noDefaultExport: that is how yargs exports itself
  export default yargs;
}
