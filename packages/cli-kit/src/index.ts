export { byteText } from './program/byte-text.js';
export type { ExitCode, HandledSignal, Io, Run } from './program/io.js';
export { ArgumentBytesError, argumentBytes, processIo, runProgram } from './program/process.js';
export { VERSION } from './program/version.js';
