import { pattern, type Pattern, read, write } from '../pattern.js';

interface Step {
  step: number;
  table?: readonly number[];
}

/** As large as a small integer can be in V8; one more is something else. */
const largest = 2 ** 31 - 1;

/**
 * Compiled code that meets what it was not compiled for goes back to the interpreter, to where nothing has happened yet that
 * must not happen twice. A register that is cleared by reading it has lost its value if a read counts as nothing.
 */
export const surprises: readonly Pattern[] = [
  pattern<Step>({
    title: 'read-to-clear, then an integer that overflows',
    registers: { 0: [5n, 0n] },
    body: (r, o) => r.read32(0) + o.step,
    argument: { step: 1 },
    surprise: { step: largest },
    accesses: [read(32, 0, 5)],
    result: 6,
    surprised: largest + 5,
  }),
  pattern<Step>({
    title: 'read-to-clear of 8 bits, then a string where a number was',
    registers: { 3: [5n, 0n] },
    body: (r, o) => r.read8(3) + o.step,
    argument: { step: 1 },
    surprise: { step: '!' } as unknown as Step,
    accesses: [read(8, 3, 5)],
    result: 6,
    surprised: '5!',
  }),
  pattern<readonly number[]>({
    title: 'read-to-clear of 16 bits, then an index beyond the array',
    registers: { 2: [1n, 0n] },
    body: (r, table) => {
      const index = r.read16(2);
      return table[index];
    },
    argument: [10, 11, 12],
    surprise: [],
    accesses: [read(16, 2, 1)],
    result: 11,
    surprised: undefined,
  }),
  pattern<Step>({
    title: 'read-to-clear, then an object of another shape',
    registers: { 0: [5n, 0n] },
    body: (r, o) => {
      const cause = r.read32(0);
      return o.step + cause;
    },
    argument: { step: 1 },
    surprise: { table: [], step: 2 },
    accesses: [read(32, 0, 5)],
    result: 6,
    surprised: 7,
  }),
  pattern<bigint>({
    title: 'read-to-clear of 64 bits, then a number where a bigint was',
    registers: { 8: [5n, 0n] },
    body: (r, factor) => {
      const count = r.read64(8);
      return Number(count) + Number(factor) * 2;
    },
    argument: 3n,
    surprise: (2 ** 60) as unknown as bigint,
    accesses: [read(64, 8, 5)],
    result: 11,
    surprised: 2 ** 61,
  }),
  pattern<Step>({
    title: 'a write, a read and an overflow in the middle of more of them',
    registers: { 4: [9n, 0n] },
    body: (r, o) => {
      r.write32(0, 1);
      const sum = r.read32(4) + o.step;
      r.write32(0, 2);
      return sum;
    },
    argument: { step: 1 },
    surprise: { step: largest },
    accesses: [write(32, 0, 1), read(32, 4, 9), write(32, 0, 2)],
    result: 10,
    surprised: largest + 9,
  }),
  pattern<Step>({
    title: 'a write, then an overflow: it is not made again',
    body: (r, o) => {
      r.write32(0, 1);
      const sum = o.step + 1;
      r.write32(4, 2);
      return sum;
    },
    argument: { step: 1 },
    surprise: { step: largest },
    accesses: [write(32, 0, 1), write(32, 4, 2)],
    result: 2,
    surprised: largest + 1,
  }),
];
