import { type Benchmark, cProgram, ourProgram } from '../benchmark.js';

const SECONDS = '2';

/** How long a forwarder is away from its rings, while something else is busy 200 µs of each millisecond. */
function away(name: string, about: string, where: 'loop' | 'worker'): Benchmark {
  return {
    name,
    about,
    place: 'host',
    ours: ourProgram('pauses', where, SECONDS),
    references: [cProgram('pauses', SECONDS)],
    figures: [
      { name: 'p50', label: `${about}: time between polls, median` },
      { name: 'p999', label: `${about}: p99.9` },
      { name: 'p9999', label: `${about}: p99.99` },
      { name: 'max', label: `${about}: longest` },
    ],
  };
}

export const pauses: readonly Benchmark[] = [
  away('pauses-worker', 'polling in a worker, event loop busy', 'worker'),
  away('pauses-loop', 'polling on the busy event loop', 'loop'),
];
