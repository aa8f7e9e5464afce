import { availableParallelism } from 'node:os';
import process from 'node:process';
import { runProgram } from '@tsmqtt/cli-kit/program';
import { run } from '../run.js';

// Before anything uses Node's thread pool: its four threads are too few for --import and -U on a larger machine.
process.env.UV_THREADPOOL_SIZE ??= String(Math.max(4, availableParallelism()));

runProgram(run);
