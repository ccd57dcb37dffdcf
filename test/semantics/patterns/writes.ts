import { pattern, type Pattern, read, times, write } from '../pattern.js';

/** Writes, and how they stand to each other and to reads. */
export const writes: readonly Pattern[] = [
  pattern({
    title: 'one write of each width, with the highest bit set',
    body: r => {
      r.write8(0, 0x81);
      r.write16(2, 0x8002);
      r.write32(4, 0x8000_0003);
      r.write64(8, 2n ** 63n + 4n);
    },
    accesses: [
      write(8, 0, 0x81),
      write(16, 2, 0x8002),
      write(32, 4, 0x8000_0003),
      write(64, 8, 2n ** 63n + 4n),
    ],
  }),
  pattern({
    title: 'signed results of bit operations',
    body: (r, bit) => {
      r.write32(0, ~bit);
      r.write32(4, bit << 31);
      r.write32(8, -1);
    },
    argument: 1,
    accesses: [write(32, 0, 0xffff_fffe), write(32, 4, 0x8000_0000), write(32, 8, 0xffff_ffff)],
  }),
  pattern({
    title: 'the same value twice, in each width',
    body: r => {
      r.write8(0, 5);
      r.write8(0, 5);
      r.write16(2, 5);
      r.write16(2, 5);
      r.write32(4, 5);
      r.write32(4, 5);
      r.write64(8, 5n);
      r.write64(8, 5n);
    },
    accesses: [8, 16, 32, 64].flatMap(bits => times(2, () => write(bits, bits === 8 ? 0 : bits / 8, 5))),
  }),
  pattern({
    title: 'a write that the next one covers',
    body: r => {
      r.write32(0, 1);
      r.write32(0, 2);
      r.write64(0, 3n);
      r.write8(0, 4);
    },
    accesses: [write(32, 0, 1), write(32, 0, 2), write(64, 0, 3), write(8, 0, 4)],
  }),
  pattern({
    title: 'adjacent writes: eight of 8 bits, four of 16, two of 32, upwards',
    body: r => {
      for (let i = 0; i < 8; i++) r.write8(i, i);
      r.write16(8, 1);
      r.write16(10, 2);
      r.write16(12, 3);
      r.write16(14, 4);
      r.write32(16, 5);
      r.write32(20, 6);
    },
    accesses: [
      ...times(8, i => write(8, i, i)),
      ...times(4, i => write(16, 8 + 2 * i, i + 1)),
      ...times(2, i => write(32, 16 + 4 * i, i + 5)),
    ],
  }),
  pattern({
    title: 'adjacent writes downwards',
    body: r => {
      r.write8(3, 1);
      r.write8(2, 2);
      r.write8(1, 3);
      r.write8(0, 4);
      r.write32(12, 5);
      r.write32(8, 6);
    },
    accesses: [...times(4, i => write(8, 3 - i, i + 1)), ...[write(32, 12, 5), write(32, 8, 6)]],
  }),
  pattern({
    title: 'a ring of doorbells: a register written in a loop',
    body: r => {
      for (let tail = 0; tail < 64; tail++) r.write32(0x18, tail);
    },
    accesses: times(64, tail => write(32, 0x18, tail)),
  }),
  pattern({
    title: 'a value that is the same in each turn of a loop',
    body: r => {
      for (let i = 0; i < 16; i++) r.write16(0x20, 0x55);
    },
    accesses: times(16, () => write(16, 0x20, 0x55)),
  }),
  pattern({
    title: 'a table, filled',
    body: r => {
      for (let at = 0; at < 0x80; at += 4) r.write32(0x100 + at, 0);
    },
    accesses: times(32, i => write(32, 0x100 + 4 * i, 0)),
  }),
  pattern({
    title: 'a write is not what a read after it gets',
    registers: { 0: [0x77n], 8: [0x88n] },
    body: r => {
      r.write32(0, 1);
      r.write64(8, 2n);
      return [r.read32(0), r.read64(8)];
    },
    accesses: [write(32, 0, 1), write(64, 8, 2), read(32, 0, 0x77), read(64, 8, 0x88)],
    result: [0x77, 0x88n],
  }),
  pattern({
    title: 'a read between two writes, which flushes the first',
    body: r => {
      r.write32(0, 1);
      r.read32(8);
      r.write32(0, 2);
      r.read32(8);
      r.write32(4, 3);
    },
    accesses: [write(32, 0, 1), read(32, 8), write(32, 0, 2), read(32, 8), write(32, 4, 3)],
  }),
  pattern({
    title: 'set and clear bits: read, modify, write',
    registers: { 0: [0x10n], 4: [0xffn] },
    body: r => {
      r.write32(0, r.read32(0) | 1);
      r.write8(4, r.read8(4) & ~0x80 & 0xff);
    },
    accesses: [read(32, 0, 0x10), write(32, 0, 0x11), read(8, 4, 0xff), write(8, 4, 0x7f)],
  }),
  pattern({
    title: 'a 64-bit register as two halves, low before high',
    body: (r, iova) => {
      r.write32(0x38, Number(iova & 0xffff_ffffn));
      r.write32(0x3c, Number(iova >> 32n));
    },
    argument: 0x1_2345_6789n,
    accesses: [write(32, 0x38, 0x2345_6789), write(32, 0x3c, 1)],
  }),
  pattern({
    title: 'writes on both sides of an exception',
    body: r => {
      try {
        r.write32(0, 1);
        r.write32(2, 2);
        r.write32(4, 3);
      } catch {
        r.write32(8, 4);
      }
    },
    accesses: [write(32, 0, 1), write(32, 8, 4)],
  }),
];
