// `npm test`: install, then everything that `pnpm check` runs.
import { install } from './steps.mjs';

const code = await install();
if (code !== 0) process.exit(code);
await import('./check.mjs');
