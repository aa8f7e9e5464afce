// Every scenario by name: what it is about, and a function of the settings that answers one or more results.

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
  lines: {
    about: 'lines of 8 bytes through pub, broker and sub; QoS 0, 1, 2',
    run: (settings) => lines(settings, { payload: 8, qualities: [0, 1, 2] }),
  },
  'lines-256': {
    about: 'the same with lines of 256 bytes',
    run: (settings) => lines(settings, { payload: 256, qualities: [0, 1, 2] }),
  },
  'lines-16k': {
    about: 'the same with lines of 16 KiB',
    run: (settings) => lines(settings, { payload: 16_384, qualities: [0, 1, 2] }),
  },
  'lines-window': {
    about: 'QoS 1 and 2 with 1,000 unacknowledged messages at a time',
    run: (settings) => lines(settings, { payload: 8, qualities: [1, 2], window: 1000 }),
  },
  'one-to-one': { about: 'a broker with one publisher and one subscriber', run: oneToOne },
  'fan-out': { about: 'a broker with one publisher and 100 subscribers', run: fanOut },
  'fan-in': { about: 'a broker with 100 publishers and one subscriber', run: fanIn },
  pairs: { about: 'a broker with 100 publishers, each with its subscriber', run: pairs },
  latency: { about: 'from publisher to subscriber at 10,000 messages a second', run: latency },
  retained: { about: '100,000 retained messages to one subscriber', run: retained },
  subscriptions: {
    about: 'a publish beside 10 to 100,000 subscriptions that do not match',
    run: subscriptions,
  },
  idle: { about: 'memory of 5,000 connections that say nothing', run: idle },
  programs: { about: 'each program from start to end, beside `node -e 0`', run: programs },
  rendering: { about: 'how fast sub -F prints', run: rendering },
  codec: { about: 'PUBLISH decoded and encoded, beside mqtt-packet', run: codec },
  'password-hash': { about: 'one check of a password, for each kind of hash', run: passwordHash },
};
