import type { IovaRange } from '../iommu-info';

/**
 * Which I/O virtual addresses are free: a sorted list of inclusive ranges, first fit from the bottom. Addresses stay low,
 * so the upper half of most is 0, and freed ranges are joined again.
 *
 * The lowest megabyte is handed out only when asked for by address: devices and drivers like to take IOVA 0 for "none".
 */
export class IovaAllocator {
  static readonly lowest = 0x10_0000n;

  #valid: readonly IovaRange[] = [];
  #free: { start: bigint; last: bigint }[] = [];
  readonly #taken = new Map<bigint, bigint>();

  /** The ranges the IOMMU accepts. */
  get valid(): readonly IovaRange[] {
    return this.#valid;
  }

  /** Takes over new valid ranges, as attaching a group may narrow them; what is taken stays taken. */
  setValid(ranges: readonly IovaRange[]): void {
    this.#valid = ranges;
    this.#free = ranges.map(({ start, last }) => ({ start, last }));
    for (const [start, size] of this.#taken) this.#carve(start, start + size - 1n);
  }

  /**
   * A free range.
   *
   * @param size bytes, more than 0
   * @param align a power of two
   * @param last the highest address any byte of it may have
   * @param first the lowest
   * @returns its first address, or `undefined` when nothing fits
   */
  take(size: bigint, align: bigint, last: bigint, first = IovaAllocator.lowest): bigint | undefined {
    for (const range of this.#free) {
      const from = range.start < first ? first : range.start;
      const start = (from + align - 1n) & ~(align - 1n);
      const end = start + size - 1n;
      if (end > last) return undefined;
      if (end > range.last) continue;
      this.#carve(start, end);
      this.#taken.set(start, size);
      return start;
    }
    return undefined;
  }

  /** Takes exactly that range. Says why it cannot, or nothing. */
  takeAt(start: bigint, size: bigint): 'outside' | 'overlaps' | undefined {
    const end = start + size - 1n;
    if (!this.#valid.some(range => start >= range.start && end <= range.last)) return 'outside';
    if (!this.#free.some(range => start >= range.start && end <= range.last)) return 'overlaps';
    this.#carve(start, end);
    this.#taken.set(start, size);
    return undefined;
  }

  /** What overlaps `[start, start + size)`, if anything. */
  overlapping(start: bigint, size: bigint): { start: bigint; size: bigint } | undefined {
    for (const [at, length] of this.#taken) {
      if (at < start + size && start < at + length) return { start: at, size: length };
    }
    return undefined;
  }

  /** Gives a taken range back. */
  release(start: bigint): void {
    const size = this.#taken.get(start);
    if (size === undefined) return;
    this.#taken.delete(start);
    this.#insert(start, start + size - 1n);
  }

  #carve(start: bigint, end: bigint): void {
    this.#free = this.#free.flatMap(range => {
      if (end < range.start || start > range.last) return [range];
      const rest: { start: bigint; last: bigint }[] = [];
      if (start > range.start) rest.push({ start: range.start, last: start - 1n });
      if (end < range.last) rest.push({ start: end + 1n, last: range.last });
      return rest;
    });
  }

  /** Only what the IOMMU accepts becomes free again: the valid ranges may have narrowed meanwhile. */
  #insert(start: bigint, last: bigint): void {
    for (const valid of this.#valid) {
      const from = start > valid.start ? start : valid.start;
      const to = last < valid.last ? last : valid.last;
      if (from <= to) this.#free.push({ start: from, last: to });
    }
    this.#free.sort((a, b) => (a.start < b.start ? -1 : 1));
    this.#free = this.#free.reduce<{ start: bigint; last: bigint }[]>((joined, range) => {
      const before = joined.at(-1);
      if (
        before !== undefined &&
        before.last + 1n === range.start &&
        this.#together(before.start, range.last)
      ) {
        before.last = range.last;
      } else joined.push(range);
      return joined;
    }, []);
  }

  #together(start: bigint, last: bigint): boolean {
    return this.#valid.some(range => start >= range.start && last <= range.last);
  }
}
