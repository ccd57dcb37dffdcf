import { read, write } from './pattern.js';

/** The accesses of the instrument's own probes (tracer/probe.cc), on memory that holds zeroes: the test of the test. */
export const probes: readonly { title: string; accesses: readonly string[] }[] = [
  {
    title: 'the instrument sees moves of each width',
    accesses: [8, 16, 32, 64]
      .map(bits => read(bits, 0))
      .concat([8, 16, 32, 64].map(bits => write(bits, 0, 0))),
  },
  {
    title: 'the instrument sees extending moves and constants',
    accesses: [
      ...[read(8, 0), read(16, 0), read(8, 0), read(16, 0), read(32, 0), read(32, 0)],
      ...[write(8, 0, 1), write(16, 0, 1), write(32, 0, 1), write(64, 0, 1)],
    ],
  },
  {
    title: 'the instrument tells an instruction that reads and writes from one that does either',
    accesses: [
      ...[write(32, 0, 0), write(32, 0, 0), write(32, 0, 0), write(8, 0, 0)].map(text => `read and ${text}`),
      ...[read(32, 0), read(32, 0)],
    ],
  },
  {
    title: 'the instrument admits what it does not know',
    accesses: ['an access at 0x0 by an unknown instruction'],
  },
];
