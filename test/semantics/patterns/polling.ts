import { pattern, type Pattern, read, times, write } from '../pattern.js';

const ready = (after: number): bigint[] => times(after, i => (i === after - 1 ? 1n : 0n));

/** Waiting for the device. */
export const polling: readonly Pattern[] = [
  pattern({
    title: 'a poll that ends with the 100th read',
    registers: { 0: ready(100) },
    body: r => {
      let turns = 0;
      while ((r.read32(0) & 1) === 0) turns++;
      return turns;
    },
    accesses: times(100, i => read(32, 0, i === 99 ? 1 : 0)),
    result: 99,
  }),
  pattern({
    title: 'a poll with an empty body',
    registers: { 0: ready(50) },
    body: r => {
      while (r.read8(0) === 0);
    },
    accesses: times(50, i => read(8, 0, i === 49 ? 1 : 0)),
  }),
  pattern({
    title: 'a poll of 64 bits',
    registers: { 8: ready(30) },
    body: r => {
      while (r.read64(8) !== 1n);
    },
    accesses: times(30, i => read(64, 8, i === 29 ? 1 : 0)),
  }),
  pattern({
    title: 'a poll that gives up',
    body: r => {
      for (let i = 0; i < 100; i++) if ((r.read32(0) & 1) !== 0) return true;
      return false;
    },
    accesses: times(100, () => read(32, 0)),
    result: false,
  }),
  pattern({
    title: 'a poll of two registers by turns',
    registers: { 0: ready(20), 4: times(20, () => 0n) },
    body: r => {
      while (r.read32(0) === 0 && r.read32(4) === 0);
    },
    accesses: times(39, i => (i % 2 === 0 ? read(32, 0, i === 38 ? 1 : 0) : read(32, 4))),
  }),
  pattern({
    title: 'a poll of 20,000 turns, which is compiled while it runs',
    registers: { 0: ready(20_000) },
    body: r => {
      let turns = 0;
      while ((r.read32(0) & 1) === 0) turns++;
      return turns;
    },
    once: true,
    accesses: times(20_000, i => read(32, 0, i === 19_999 ? 1 : 0)),
    result: 19_999,
  }),
  pattern({
    title: 'a command and its completion, in a loop',
    registers: { 4: [0n, 0n, 1n, 0n, 1n, 1n] },
    body: r => {
      for (let command = 1; command <= 3; command++) {
        r.write32(0, command);
        while (r.read32(4) === 0);
      }
    },
    accesses: [
      ...[write(32, 0, 1), read(32, 4), read(32, 4), read(32, 4, 1)],
      ...[write(32, 0, 2), read(32, 4), read(32, 4, 1)],
      ...[write(32, 0, 3), read(32, 4, 1)],
    ],
  }),
];
