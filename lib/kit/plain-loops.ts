/**
 * The loops over descriptors in plain TypeScript, for memory that WebAssembly cannot reach: that of devices without an IOMMU,
 * which must not move. They do exactly what rx-code.ts and tx-code.ts do, and are slower: 64-bit words are bigints here.
 */
import { DESCRIPTOR, type RxFormat, type TxFormat } from './ring-format';
import type { Compiled } from './wasm/program';
import { Cell, MOVED, reclaimBatch, type RingPlace, TAIL_SHIFT } from './wasm/ring-code';
import type { FrameLimits } from './wasm/tx-code';

/** The memory of a ring as its loops see it. */
class View {
  readonly u32: Uint32Array;
  readonly u64: BigUint64Array;
  readonly mask: number;

  constructor(private readonly place: RingPlace) {
    ({ u32: this.u32, u64: this.u64 } = place.pool.arena);
    this.mask = place.size * DESCRIPTOR - 1;
  }

  get(address: number): number {
    return this.u32[address >> 2] as number;
  }
  set(address: number, value: number): void {
    this.u32[address >> 2] = value;
  }
  add(cell: number, value: number): void {
    const at = (this.place.cells + cell) >> 3;
    this.u64[at] = (this.u64[at] as bigint) + BigInt(value);
  }
  /** What the device wrote, before anything is read that it says is there. */
  status(index: number): bigint {
    return Atomics.load(this.u64, (this.place.descriptors + index + 8) >> 3);
  }
  handleAt(index: number): number {
    return this.place.handles + (index >> 2);
  }
  fill(index: number, handle: number, word: bigint): void {
    const at = (this.place.descriptors + index) >> 3;
    this.set(this.handleAt(index), handle);
    this.u64[at] = this.place.iova + BigInt(handle);
    this.u64[at + 1] = word;
  }
  addBits(index: number, bits: bigint): void {
    const at = (this.place.descriptors + index + 8) >> 3;
    this.u64[at] = (this.u64[at] as bigint) | bits;
  }
  next(index: number): number {
    return (index + DESCRIPTOR) & this.mask;
  }
}

/** The loop of a receive ring; see rxCode. */
export function plainRx(place: RingPlace, format: RxFormat, notes?: number): Compiled {
  const view = new View(place);
  const { cells, pool } = place;
  const { stack, bufferBytes } = pool;
  const isGood = (status: bigint, length: number): boolean =>
    (status & format.good.mask) === format.good.value && length >= 1 && length <= bufferBytes;

  return (at = 0, max = 0) => {
    let index = view.get(cells + Cell.INDEX);
    let top = view.get(stack.top);
    let spread = view.get(cells + Cell.SPREAD) !== 0;
    const first = index;
    let frames = 0;
    let bytes = 0;
    let moved = false;
    while (frames < max) {
      const status = view.status(index);
      if ((status & format.done) === 0n) break;
      const length = Number((status >> BigInt(format.lengthShift)) & 0xffffn);
      const handle = view.get(view.handleAt(index));
      if (!spread && isGood(status, length)) {
        if (top === stack.start) {
          view.add(Cell.NO_BUFFER, 1);
          break;
        }
        top -= 4;
        view.set(at + 8 * frames, handle);
        view.set(at + 8 * frames + 4, length);
        if (notes !== undefined) {
          view.set(notes + 4 * frames, Number((status >> BigInt(format.noteShift ?? 0)) & 0xffff_ffffn));
        }
        view.fill(index, view.get(top), 0n);
        frames++;
        bytes += length;
        index = view.next(index);
      } else {
        view.fill(index, handle, 0n);
        spread = (status & format.last) === 0n;
        if (!spread) view.add(Cell.ERRORS, 1);
        index = view.next(index);
        // A device that says "done" for ever must not keep us here.
        if (index === first) break;
      }
      moved = true;
    }
    if (!moved && index === first) return 0;
    view.set(cells + Cell.INDEX, index);
    view.set(cells + Cell.SPREAD, spread ? 1 : 0);
    view.set(stack.top, top);
    view.add(Cell.FRAMES, frames);
    view.add(Cell.BYTES, bytes);
    const tail = ((index - DESCRIPTOR) & view.mask) / DESCRIPTOR;
    return MOVED + frames + (tail << TAIL_SHIFT);
  };
}

/** The loop of a transmit ring; see txCode. */
export function plainTx(place: RingPlace, format: TxFormat, limits: FrameLimits): Compiled {
  const view = new View(place);
  const { cells, pool, size } = place;
  const { stack } = pool;
  const batch = reclaimBatch(size) * DESCRIPTOR;

  const reclaim = (index: number): void => {
    let clean = view.get(cells + Cell.CLEAN);
    let top = view.get(stack.top);
    while (((index - clean) & view.mask) >= batch && top + batch / 4 <= stack.end) {
      if ((view.status(clean + batch - DESCRIPTOR) & format.done) === 0n) break;
      for (const end = clean + batch; clean < end; clean += DESCRIPTOR, top += 4) {
        view.set(top, view.get(view.handleAt(clean)));
      }
      clean &= view.mask;
    }
    view.set(cells + Cell.CLEAN, clean);
    view.set(stack.top, top);
  };

  const askReports = (first: number, index: number): void => {
    for (
      let end = first | (batch - DESCRIPTOR);
      ((end - first) & view.mask) < ((index - first) & view.mask);
      end = (end + batch) & view.mask
    ) {
      view.addBits(end, format.report);
    }
    view.addBits((index - DESCRIPTOR) & view.mask, format.report);
  };

  return (at = 0, count = 0) => {
    let index = view.get(cells + Cell.INDEX);
    const first = index;
    reclaim(index);
    const room = ((view.get(cells + Cell.CLEAN) - index - DESCRIPTOR) & view.mask) / DESCRIPTOR;
    const taken = Math.min(count, room);
    for (let i = 0; i < taken; i++) {
      const handle = view.get(at + 8 * i);
      const length = view.get(at + 8 * i + 4);
      if (length < limits.min || length > limits.max) {
        const top = view.get(stack.top);
        view.add(Cell.ERRORS, 1);
        if (top < stack.end) {
          view.set(top, handle);
          view.set(stack.top, top + 4);
        }
        continue;
      }
      let word = format.command;
      for (const shift of format.lengthShifts) word |= BigInt(length) << BigInt(shift);
      view.fill(index, handle, word);
      index = view.next(index);
      view.add(Cell.FRAMES, 1);
      view.add(Cell.BYTES, length);
    }
    if (taken === 0) return 0;
    if (index !== first) askReports(first, index);
    view.set(cells + Cell.INDEX, index);
    return MOVED + taken + ((index / DESCRIPTOR) << TAIL_SHIFT);
  };
}
