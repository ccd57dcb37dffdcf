import assert from 'node:assert/strict';
import { IovaAllocator } from '../../../lib/dma/iova-allocator.js';

const page = 0x1000n;
const top = 0xffff_ffff_ffff_ffffn;
const MiB = 0x10_0000n;

function allocator(...ranges: [start: bigint, last: bigint][]): IovaAllocator {
  const made = new IovaAllocator();
  made.setValid(ranges.map(([start, last]) => ({ start, last })));
  return made;
}

describe('IOVA allocator', () => {
  it('takes the lowest that fits, above the first megabyte', () => {
    const iovas = allocator([0n, top]);
    assert.equal(iovas.take(page, page, top), MiB);
    assert.equal(iovas.take(page, page, top), MiB + page);
    assert.equal(iovas.take(2n * MiB, 2n * MiB, top), 2n * MiB);
    assert.equal(iovas.take(page, page, top), MiB + 2n * page, 'the gap left by alignment is used');
  });

  it('keeps below the last address asked for', () => {
    const iovas = allocator([0n, top]);
    assert.equal(iovas.take(15n * MiB, page, 16n * MiB - 1n), MiB);
    assert.equal(iovas.take(page, page, 16n * MiB - 1n), undefined);
    assert.equal(iovas.take(page, page, 16n * MiB + page - 1n), 16n * MiB);
  });

  it('passes over windows that are reserved', () => {
    const iovas = allocator([0n, 0x1f_ffffn], [0x40_0000n, 0x7f_ffffn]);
    assert.equal(iovas.take(0x10_0000n, page, top), 0x10_0000n);
    assert.equal(iovas.take(0x20_0000n, page, top), 0x40_0000n);
    assert.equal(iovas.take(0x20_0001n, page, top), undefined);
  });

  it('joins what is given back', () => {
    const iovas = allocator([0n, 0x1f_ffffn]);
    const pieces = Array.from({ length: 256 }, () => iovas.take(page, page, top));
    assert.equal(iovas.take(page, page, top), undefined);
    for (const piece of pieces.filter((_, i) => i % 2 === 0)) iovas.release(piece as bigint);
    assert.equal(iovas.take(2n * page, page, top), undefined);
    for (const piece of pieces.filter((_, i) => i % 2 === 1)) iovas.release(piece as bigint);
    assert.equal(iovas.take(MiB, page, top), MiB);
  });

  it('takes an exact range, or says why not', () => {
    const iovas = allocator([0n, 0xfedf_ffffn], [0xfef0_0000n, top]);
    assert.equal(iovas.takeAt(0n, page), undefined, 'the first page, when asked for');
    assert.equal(iovas.takeAt(0n, page), 'overlaps');
    assert.equal(iovas.takeAt(0xfee0_0000n, page), 'outside');
    assert.equal(iovas.takeAt(0xfedf_f000n, 2n * page), 'outside');
    assert.equal(iovas.takeAt(top - page + 1n, page), undefined, 'the very last page');
    assert.equal(iovas.takeAt(top - page + 1n, 2n * page), 'outside');
    assert.deepEqual(iovas.overlapping(0n, page), { start: 0n, size: page });
    assert.equal(iovas.overlapping(page, page), undefined);
  });

  it('takes nothing before it knows what is valid', () => {
    assert.equal(new IovaAllocator().take(page, page, top), undefined);
    assert.equal(new IovaAllocator().takeAt(0n, page), 'outside');
  });

  it('keeps what is taken when the valid ranges narrow', () => {
    const iovas = allocator([0n, top]);
    assert.equal(iovas.take(4n * MiB, MiB, top), MiB);
    iovas.setValid([{ start: 0n, last: 3n * MiB - 1n }]);
    assert.equal(iovas.take(page, page, top), undefined, 'all that is valid is taken');
    iovas.release(MiB);
    assert.equal(iovas.take(2n * MiB, MiB, top), MiB);
    assert.equal(iovas.take(page, page, top), undefined, 'what is no longer valid does not come back');
  });

  it('ignores what was not taken', () => {
    const iovas = allocator([0n, 0x1f_ffffn]);
    iovas.release(MiB);
    assert.equal(iovas.take(MiB, page, top), MiB);
    iovas.release(MiB + page);
    assert.equal(iovas.take(page, page, top), undefined);
  });
});

/** Reproducible random numbers below a limit (mulberry32). */
function random(seed: number): (below: number) => number {
  let state = seed;
  return below => {
    state = (state + 0x6d2b_79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** The same rules, one page at a time: too slow for 2^52 pages, and too simple to be wrong. */
class Model {
  readonly taken = new Map<number, number>();
  constructor(readonly valid: [first: number, last: number][]) {}

  #free(page: number): boolean {
    return ![...this.taken].some(([start, size]) => page >= start && page < start + size);
  }

  why(start: number, size: number): 'outside' | 'overlaps' | undefined {
    if (!this.valid.some(([first, last]) => start >= first && start + size - 1 <= last)) return 'outside';
    return Array.from({ length: size }, (_, i) => start + i).every(one => this.#free(one))
      ? undefined
      : 'overlaps';
  }

  lowest(size: number, align: number, last: number): number | undefined {
    for (let start = 256; start + size - 1 <= last; start++) {
      if (start % align === 0 && this.why(start, size) === undefined) return start;
    }
    return undefined;
  }
}

describe('IOVA allocator, against a model', () => {
  for (let seed = 1; seed <= 20; seed++) {
    it(`does the same in 400 random steps (seed ${seed})`, () => {
      const below = random(seed);
      const valid: [number, number][] = [
        [0, 280 + below(40)],
        [330 + below(20), 380],
        [381 + below(2), 420],
      ];
      const iovas = allocator(
        ...valid.map(
          ([first, last]) => [BigInt(first) * page, BigInt(last + 1) * page - 1n] as [bigint, bigint],
        ),
      );
      const model = new Model(valid);
      for (let i = 0; i < 400; i++) {
        const size = 1 + below(12);
        const taken = [...model.taken.keys()];
        const step = below(3);
        if (step === 0) {
          const align = 2 ** below(5);
          const last = below(4) === 0 ? 300 + below(130) : 430;
          const expected = model.lowest(size, align, last);
          const got = iovas.take(BigInt(size) * page, BigInt(align) * page, BigInt(last + 1) * page - 1n);
          assert.equal(got === undefined ? undefined : Number(got / page), expected, `step ${i}`);
          if (expected !== undefined) model.taken.set(expected, size);
        } else if (step === 1) {
          const start = below(430);
          const expected = model.why(start, size);
          assert.equal(iovas.takeAt(BigInt(start) * page, BigInt(size) * page), expected, `step ${i}`);
          if (expected === undefined) model.taken.set(start, size);
        } else if (taken.length > 0) {
          const start = taken[below(taken.length)] as number;
          model.taken.delete(start);
          iovas.release(BigInt(start) * page);
        }
      }
    });
  }
});
