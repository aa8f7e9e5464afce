// Every scenario by name: a function of the settings that answers one or more results.

import { fanIn, fanOut, oneToOne, pairs } from './broker.mjs';
import { codec } from './codec.mjs';
import { idle } from './idle.mjs';
import { latency } from './latency.mjs';
import { lines } from './lines.mjs';
import { passwordHash } from './password-hash.mjs';
import { programs } from './programs.mjs';
import { rendering } from './rendering.mjs';
import { retained } from './retained.mjs';
import { subscriptions } from './subscriptions.mjs';

export const scenarios = {
  lines: (settings) => lines(settings, { payload: 8, counts: [1_000_000, 200_000, 200_000] }),
  'lines-256': (settings) => lines(settings, { payload: 256, counts: [500_000, 100_000, 100_000] }),
  'lines-16k': (settings) => lines(settings, { payload: 16_384, counts: [40_000, 20_000, 20_000] }),
  'lines-window': (settings) => lines(settings, { payload: 8, counts: [0, 200_000, 200_000], window: 1000 }),
  'one-to-one': oneToOne,
  'fan-out': fanOut,
  'fan-in': fanIn,
  pairs,
  latency,
  retained,
  subscriptions,
  idle,
  programs,
  rendering,
  codec,
  'password-hash': passwordHash,
};
