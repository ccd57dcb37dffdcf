import { Dma } from '../dma/dma';
import { PhysicalDma } from '../dma/physical-dma';
import {
  address64,
  coded,
  instanceOf,
  integer,
  options as checkOptions,
  powerOfTwo,
  propertyOf,
  typeError,
} from '../validate';
import { Arena } from './arena';
import { handleOf, layout, type Layout, PAGE } from './buffer-layout';
import type { Burst } from './burst';

const MOST_BUFFERS = 2 ** 22;
const DEFAULT_BYTES = 2048;

/** How a pool is made. */
export interface PoolOptions {
  /** How many buffers. */
  count: number;
  /**
   * Bytes of each, a power of two from 256 to 16,384. Default 2,048, which holds any Ethernet frame that is not jumbo. It takes
   * up to twice as many of the arena: {@link BufferPool.bytesFor}.
   */
  bufferBytes?: number;
  /** Checks every handle that is given back or sent: see {@link BufferPool}. Default false. */
  debug?: boolean;
}

/** A pool, or a part of one, on its way to another thread: plain data. See {@link BufferPool.adopt}. */
export interface SharedPool {
  readonly pool: Layout & {
    readonly count: number;
    readonly bufferBytes: number;
    readonly start: number;
    readonly stack: { readonly top: number; readonly start: number; readonly end: number };
    /** Where the books are, in debug mode. */
    readonly owners: number | undefined;
  };
}

/**
 * Buffers for frames, all of one size, in an arena. A buffer is known by its handle, the offset of its first byte in the
 * arena: `arena.u8[handle + 12]` is byte 12 of the frame in it. Taking and giving back is a stack of handles; nothing is
 * allocated.
 *
 * Whoever has a handle owns the buffer: it came from {@link take} or from receiving, and goes by {@link give} or by sending.
 * Giving back what one does not own corrupts other frames, though no memory outside the pool. With `debug` the pool keeps
 * books on who owns what and throws instead; without, that costs nothing.
 *
 * A pool belongs to one thread. For several threads it is divided into parts ({@link part}), each with a stack of its own, so
 * that none waits for another. All parts know all buffers of the pool: those that come to a thread in frames, by a
 * {@link Lane}, are its to send or to give back, and just as many go home.
 */
export class BufferPool {
  readonly arena: Arena;
  /** How many buffers, of all parts together. */
  readonly count: number;
  readonly bufferBytes: number;
  /** The offset of the first buffer. */
  readonly start: number;
  /** Bytes of the arena for each buffer, more than {@link bufferBytes}: buffer `i` is within those from `start + i * stride`. */
  readonly stride: number;
  /** @internal Where the offset of the first free slot of the stack is kept, and the limits of that offset. */
  readonly stack: { readonly top: number; readonly start: number; readonly end: number };
  /** @internal */
  readonly owners: Uint8Array | undefined;
  readonly #views: (Uint8Array | undefined)[] = [];

  readonly #place: SharedPool['pool'];

  constructor(arena: Arena, options: PoolOptions);
  /** @internal */
  constructor(arena: Arena, options: undefined, place: SharedPool['pool']);
  constructor(arena: Arena, options?: PoolOptions, place?: SharedPool['pool']) {
    this.arena = instanceOf(arena, Arena, 'arena');
    this.#place = place ?? fill(arena, options);
    ({
      count: this.count,
      bufferBytes: this.bufferBytes,
      start: this.start,
      stride: this.stride,
      stack: this.stack,
    } = this.#place);
    const { owners } = this.#place;
    this.owners = owners === undefined ? undefined : arena.u8.subarray(owners, owners + this.count);
  }

  /**
   * How many bytes an arena needs for a pool, in debug mode too; rings and parts of the pool need more.
   *
   * @param count how many buffers
   * @param bufferBytes bytes of each
   * @param dma of the device that the arena is for ({@link Arena.for}): without an IOMMU it takes less
   */
  static bytesFor(count: number, bufferBytes = DEFAULT_BYTES, dma?: Dma): number {
    integer(count, 'count', 1, MOST_BUFFERS);
    powerOfTwo(bufferBytes, 'bufferBytes', 256, 16384);
    if (dma !== undefined) instanceOf(dma, Dma, 'dma');
    const { stride } = layout(bufferBytes, dma instanceof PhysicalDma);
    // Each with its place on the stack and in the books; the arena's own page, and what three places are rounded up by.
    return count * (stride + 4 + 1) + 4 * PAGE;
  }

  /**
   * A pool, or a part of one, that another thread shared, in this one.
   *
   * @param arena the arena it is in, adopted
   * @param shared what {@link share} returned
   */
  static adopt(arena: Arena, shared: SharedPool): BufferPool {
    const place = propertyOf(shared, 'pool');
    if (typeof place !== 'object' || place === null) {
      throw typeError('shared', 'what share() of a BufferPool returned', shared);
    }
    return new BufferPool(arena, undefined, shared.pool);
  }

  /**
   * Lets another thread have it: {@link BufferPool.adopt} makes a pool of the result there, from its arena. From then on only
   * that thread may take and give, and use the rings made of it; {@link free} still tells how things are there.
   */
  share(): SharedPool {
    return { pool: this.#place };
  }

  /**
   * A part of the pool, with a stack of its own, to be used by one thread while others use other parts. Each of them may hold
   * any buffer of the pool.
   *
   * @param count how many free buffers go over to it
   * @throws RangeError when so many are not free, or the arena has no room for the stack: four bytes for each of {@link count}
   */
  part(count: number): BufferPool {
    integer(count, 'count', 1, this.free);
    const stack = makeStack(this.arena, this.count);
    this.arena.u32[stack.top >> 2] = stack.start;
    const part = new BufferPool(this.arena, undefined, { ...this.#place, stack });
    part.#move(this, count);
    return part;
  }

  /**
   * Takes all free buffers of a part back, once its thread has ended its work.
   *
   * @returns how many
   * @throws TypeError when it is not of the same pool
   */
  join(part: BufferPool): number {
    if (part.arena !== this.arena || part.start !== this.start || part === this) {
      throw typeError('part', 'another part of the same pool', part);
    }
    const count = part.free;
    this.#move(part, count);
    return count;
  }

  /** How many buffers are free. */
  get free(): number {
    return ((this.arena.u32[this.stack.top >> 2] as number) - this.stack.start) >> 2;
  }

  /** Takes a buffer; 0 when there is none. Its contents are whatever was in it last. */
  take(): number {
    const { u32 } = this.arena;
    const top = u32[this.stack.top >> 2] as number;
    if (top === this.stack.start) return 0;
    u32[this.stack.top >> 2] = top - 4;
    const handle = u32[(top - 4) >> 2] as number;
    this.own(handle);
    return handle;
  }

  /**
   * Gives a buffer back.
   *
   * @throws RangeError `ERR_VFIO_NOT_YOURS` with `debug` when it is free already, with a device, or no buffer of this pool;
   *   without `debug` only when the pool would have more buffers than it is made of
   */
  give(handle: number): void {
    this.#disown(handle, Owner.FREE);
    const { u32 } = this.arena;
    const top = u32[this.stack.top >> 2] as number;
    if (top === this.stack.end) throw notYours(handle, 'all buffers of the pool are free already');
    u32[top >> 2] = handle;
    u32[this.stack.top >> 2] = top + 4;
  }

  /** A buffer as an array of its own, for code that is not on the path of each packet: made once for each buffer. */
  bytes(handle: number): Uint8Array {
    const index = this.indexOf(handle);
    return (this.#views[index] ??= this.arena.u8.subarray(handle, handle + this.bufferBytes));
  }

  /**
   * The device's addresses of all buffers, by {@link indexOf}, as lower and upper halves: for drivers that write descriptors
   * of a format of their own, without ever making a bigint.
   *
   * @param iova where the device sees the arena's first byte: `arena.mapFor(device.dma)`
   */
  addressTable(iova: bigint): { readonly lo: Uint32Array; readonly hi: Uint32Array } {
    address64(iova, 'iova');
    const [lo, hi] = [new Uint32Array(this.count), new Uint32Array(this.count)];
    for (let i = 0; i < this.count; i++) {
      const address = iova + BigInt(handleOf(this.#place, i));
      lo[i] = Number(address & 0xffff_ffffn);
      hi[i] = Number(address >> 32n);
    }
    return { lo, hi };
  }

  /** Which of the pool's buffers a handle is. @throws RangeError `ERR_VFIO_NOT_YOURS` when it is none */
  indexOf(handle: number): number {
    const index = Math.floor((integer(handle, 'handle', 0, 2 ** 31) - this.start) / this.stride);
    if (index >= 0 && index < this.count && handle === handleOf(this.#place, index)) return index;
    throw notYours(handle, `it is none of the ${this.count} that this pool has from ${this.start} on`);
  }

  /** @internal In debug mode: the application gives a buffer to a ring. */
  lend(handle: number): void {
    this.#disown(handle, Owner.DEVICE);
  }

  /** @internal In debug mode: a ring gives a buffer to the application. */
  own(handle: number): void {
    if (this.owners !== undefined) this.owners[this.indexOf(handle)] = Owner.APPLICATION;
  }

  /** @internal In debug mode: refuses frames of a burst that cannot be sent, before any is. */
  checkSending(burst: Burst, from: number, end: number): void {
    const earlier = new Set<number>();
    for (let i = from; i < end; i++) {
      const handle = burst.handle(i);
      const owner = this.owners?.[this.indexOf(handle)] as Owner | undefined;
      if (owner !== Owner.APPLICATION) throw notYours(handle, `it is ${ownerNames[owner ?? Owner.FREE]}`);
      if (earlier.has(handle)) throw notYours(handle, 'it is in the burst twice');
      earlier.add(handle);
    }
  }

  /** Moves free buffers over from another stack. */
  #move(from: BufferPool, count: number): void {
    const { u32 } = this.arena;
    const top = (u32[from.stack.top >> 2] as number) - 4 * count;
    const to = u32[this.stack.top >> 2] as number;
    u32.copyWithin(to >> 2, top >> 2, (top >> 2) + count);
    u32[from.stack.top >> 2] = top;
    u32[this.stack.top >> 2] = to + 4 * count;
  }

  #disown(handle: number, to: Owner): void {
    if (this.owners === undefined) return;
    const index = this.indexOf(handle);
    const owner = this.owners[index] as Owner;
    if (owner !== Owner.APPLICATION) throw notYours(handle, `it is ${ownerNames[owner]}`);
    this.owners[index] = to;
  }
}

/** Finds room for a pool, and puts its buffers on its stack: the first on top. */
function fill(arena: Arena, options: PoolOptions | undefined): SharedPool['pool'] {
  const given = checkOptions(options, 'options', ['count', 'bufferBytes', 'debug']);
  const count = integer(given.count, 'options.count', 1, MOST_BUFFERS);
  const bufferBytes = powerOfTwo(given.bufferBytes ?? DEFAULT_BYTES, 'options.bufferBytes', 256, 16384);
  const { stride, beginnings } = layout(bufferBytes, arena.memory === undefined);
  const stack = makeStack(arena, count);
  const start = arena.alloc(count * stride, PAGE);
  const owners = given.debug === true ? arena.alloc(count) : undefined;
  const place = { count, bufferBytes, stride, beginnings, start, stack, owners };
  const { u32 } = arena;
  for (let i = 0; i < count; i++) u32[(stack.start >> 2) + i] = handleOf(place, count - 1 - i);
  u32[stack.top >> 2] = stack.end;
  return place;
}

function makeStack(arena: Arena, count: number): SharedPool['pool']['stack'] {
  const top = arena.alloc(64);
  const start = arena.alloc(4 * count, PAGE);
  return { top, start, end: start + 4 * count };
}

/** @internal Who has a buffer, in debug mode. */
export const Owner = { FREE: 0, APPLICATION: 1, DEVICE: 2 } as const;
export type Owner = (typeof Owner)[keyof typeof Owner];
const ownerNames = ['free already', 'yours', 'with a device or came back from one'] as const;

function notYours(handle: number, why: string): RangeError {
  return coded(new RangeError(`buffer ${handle} is not the caller's to give: ${why}`), 'ERR_VFIO_NOT_YOURS');
}
