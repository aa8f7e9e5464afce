import { runProgram } from '@tsmqtt/cli-kit';
import { run } from '../run.js';

runProgram(run);
