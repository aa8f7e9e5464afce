/** The program `tsmqtt-passwd`. */
export { run } from './run.js';
