/** What a program without a connection needs: an entry of its own, so that nothing of a client is bundled with it. */
export { byteText } from './program/byte-text.js';
export type { ExitCode, HandledSignal, Io, Run } from './program/io.js';
export { LineEditor } from './program/line-editor.js';
export { runProgram } from './program/process.js';
export { Reporter } from './program/reporter.js';
export { systemErrorText } from './program/system-error.js';
export { VERSION } from './program/version.js';
