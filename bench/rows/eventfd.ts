import { type Benchmark, executable, ourProgram, pair } from '../benchmark.js';

/** One eventfd, signalled by another process, with the receiver idle for a while before each signal or not at all. */
function latency(name: string, about: string, gapNs: number, shots: number): Benchmark {
  return {
    name,
    about,
    place: 'host',
    ...pair('eventfd-latency', tools => executable('signaller', tools), String(shots), String(gapNs)),
    figures: [
      { name: 'latency-p50', label: `${about}, median`, goal: '≤ 1.2 ×' },
      { name: 'latency-p99', label: `${about}, p99` },
    ],
  };
}

export const eventfdLatency: readonly Benchmark[] = [
  latency('eventfd-pingpong', 'eventfd → callback, one after the other', 0, 8000),
  latency('eventfd-latency', 'eventfd → callback, 50 µs apart', 50_000, 6000),
];

const vectorCounts = [1, 64, 2048];
const bursts = [20_000, 2000, 200];

/** Many vectors at once: what one costs when there is much to do. */
export const eventfdBurst: Benchmark = {
  name: 'eventfd-burst',
  about: 'vectors that fire together, cost of each',
  place: 'host',
  ...pair('eventfd-burst', ...vectorCounts.flatMap((count, i) => [String(count), String(bursts[i])])),
  figures: [
    ...vectorCounts.map(count => ({
      name: `edges-${count}`,
      label: `${count} firing together, without counts, per event`,
      ...(count === 2048 ? { goal: '≤ 100 ns' } : {}),
    })),
    ...vectorCounts.map(count => ({
      name: `counts-${count}`,
      label: `${count} firing together, with counts, per event`,
    })),
  ],
};

/** The same next to an addon that has a poll handle for each eventfd, as most have. */
export const eventfdHandles: Benchmark = {
  name: 'eventfd-handles',
  about: 'vectors that fire together, next to a handle each',
  place: 'host',
  ours: ourProgram('eventfd-burst', '2048', '200'),
  references: [
    {
      ...ourProgram('handle-each', tools => executable('handle-each.node', tools), '2048', '200'),
      name: 'handle each',
    },
  ],
  figures: [
    {
      name: 'edges-2048',
      label: '2048 firing together, next to a handle each, per event',
      goal: '≤ 0.17 (6 ×)',
    },
  ],
};
