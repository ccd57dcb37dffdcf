import { pattern, type Pattern, read, times } from '../pattern.js';

/** Reads whose value is used, and reads that are made for their effect on the device. */
export const reads: readonly Pattern[] = [
  pattern({
    title: 'one read of each width, with the highest bit set',
    registers: { 0: [0x81n], 2: [0x8002n], 4: [0x8000_0003n], 8: [0x8000_0000_0000_0004n] },
    body: r => [r.read8(0), r.read16(2), r.read32(4), r.read64(8)],
    accesses: [read(8, 0, 0x81), read(16, 2, 0x8002), read(32, 4, 0x8000_0003), read(64, 8, 2n ** 63n + 4n)],
    result: [0x81, 0x8002, 0x8000_0003, 2n ** 63n + 4n],
  }),
  pattern({
    title: 'dead reads: statements of their own, one of each width',
    body: r => {
      r.read8(1);
      r.read16(2);
      r.read32(4);
      r.read64(8);
    },
    accesses: [read(8, 1), read(16, 2), read(32, 4), read(64, 8)],
  }),
  pattern({
    title: 'a dead read by void',
    body: r => {
      void r.read32(4);
      void r.read64(8);
    },
    accesses: [read(32, 4), read(64, 8)],
  }),
  pattern({
    title: 'a dead read whose value is named, masked or compared',
    registers: { 4: [7n] },
    body: r => {
      const unused = r.read32(4);
      const masked = r.read32(4) & 0;
      if (r.read32(4) === 7) return masked;
      return unused;
    },
    accesses: times(3, () => read(32, 4, 7)),
    result: 0,
  }),
  pattern({
    title: 'two reads of the same register, of which the second has another value',
    registers: { 0: [1n, 2n], 8: [3n, 4n], 16: [5n, 6n], 24: [7n, 8n] },
    body: r => [
      r.read32(0) ^ r.read32(0),
      r.read8(8) + r.read8(8),
      r.read16(16) + r.read16(16),
      r.read64(24) + r.read64(24),
    ],
    accesses: [
      ...[read(32, 0, 1), read(32, 0, 2), read(8, 8, 3), read(8, 8, 4)],
      ...[read(16, 16, 5), read(16, 16, 6), read(64, 24, 7), read(64, 24, 8)],
    ],
    result: [3, 7, 11, 15n],
  }),
  pattern({
    title: 'four dead reads of the same register',
    body: r => {
      r.read32(0);
      r.read32(0);
      r.read32(0);
      r.read32(0);
    },
    accesses: times(4, () => read(32, 0)),
  }),
  pattern({
    title: 'adjacent reads: four of 8 bits, two of 16, two of 32',
    registers: times(4, i => [BigInt(i + 1)]),
    body: r => [
      r.read8(0) | (r.read8(1) << 8) | (r.read8(2) << 16) | (r.read8(3) << 24),
      r.read16(4) | (r.read16(6) << 16),
      r.read32(8) + r.read32(12),
    ],
    accesses: [
      ...[read(8, 0, 1), read(8, 1, 2), read(8, 2, 3), read(8, 3, 4)],
      ...[read(16, 4), read(16, 6), read(32, 8), read(32, 12)],
    ],
    result: [0x0403_0201, 0, 0],
  }),
  pattern({
    title: 'the same bytes in different widths',
    registers: { 0: [0x11n, 0x2222n, 0x3333_3333n, 0x4444_4444_4444_4444n] },
    body: r => [r.read8(0), r.read16(0), r.read32(0), r.read64(0)],
    accesses: [
      read(8, 0, 0x11),
      read(16, 0, 0x2222),
      read(32, 0, 0x3333_3333),
      read(64, 0, 0x4444_4444_4444_4444n),
    ],
    result: [0x11, 0x2222, 0x3333_3333, 0x4444_4444_4444_4444n],
  }),
  pattern({
    title: 'a read before a loop, and again in each turn of it',
    registers: { 0: times(5, i => BigInt(i)) },
    body: r => {
      let sum = r.read32(0);
      for (let i = 0; i < 4; i++) sum += r.read32(0);
      return sum;
    },
    accesses: times(5, i => read(32, 0, i)),
    result: 10,
  }),
  pattern({
    title: 'a read that nothing in a loop depends on',
    body: r => {
      for (let i = 0; i < 16; i++) r.read32(8);
    },
    accesses: times(16, () => read(32, 8)),
  }),
  pattern({
    title: 'reads at offsets that come from a read',
    registers: { 0: [0x40n], 0x40: [0x80n] },
    body: r => r.read32(r.read32(r.read8(0))),
    accesses: [read(8, 0, 0x40), read(32, 0x40, 0x80), read(32, 0x80)],
    result: 0,
  }),
  pattern({
    title: 'reads in a conditional, an argument list and a template',
    registers: { 0: [1n], 4: [2n], 8: [3n] },
    body: r => (r.read32(0) !== 0 ? Math.max(r.read32(4), r.read32(8)) : r.read32(12)).toFixed(r.read8(16)),
    accesses: [read(32, 0, 1), read(32, 4, 2), read(32, 8, 3), read(8, 16)],
    result: '3',
  }),
  pattern({
    title: 'a read in a finally, after one whose block was left',
    body: r => {
      try {
        return r.read32(0);
      } finally {
        r.read32(4);
      }
    },
    accesses: [read(32, 0), read(32, 4)],
    result: 0,
  }),
];
