import { address64, coded, instanceOf, integer, options as checkOptions, powerOfTwo } from '../validate';
import { Arena } from './arena';

/** How a pool is made. */
export interface PoolOptions {
  /** How many buffers. */
  count: number;
  /** Bytes of each, a power of two from 256 to 16,384. Default 2,048, which holds any Ethernet frame that is not jumbo. */
  bufferBytes?: number;
  /** Checks every handle that is given back or sent: see {@link BufferPool}. Default false. */
  debug?: boolean;
}

/**
 * Buffers for frames, all of one size, in an arena. A buffer is known by its handle, the offset of its first byte in the
 * arena: `arena.u8[handle + 12]` is byte 12 of the frame in it. Taking and giving back is a stack of handles; nothing is
 * allocated.
 *
 * Whoever has a handle owns the buffer: it came from {@link take} or from receiving, and goes by {@link give} or by sending.
 * Giving back what one does not own corrupts other frames, though no memory outside the pool. With `debug` the pool keeps
 * books on who owns what and throws instead; without, that costs nothing.
 */
export class BufferPool {
  readonly arena: Arena;
  readonly count: number;
  readonly bufferBytes: number;
  /** The offset of the first buffer; they lie one behind the other. */
  readonly start: number;
  /** @internal Where the offset of the first free slot of the stack is kept, and the limits of that offset. */
  readonly stack: { readonly top: number; readonly start: number; readonly end: number };
  /** @internal */
  readonly owners: Uint8Array | undefined;
  readonly #views: (Uint8Array | undefined)[] = [];

  constructor(arena: Arena, options: PoolOptions) {
    this.arena = instanceOf(arena, Arena, 'arena');
    checkOptions(options, 'options', ['count', 'bufferBytes', 'debug']);
    this.count = integer(options.count, 'options.count', 1, 2 ** 22);
    this.bufferBytes = powerOfTwo(options.bufferBytes ?? 2048, 'options.bufferBytes', 256, 16384);
    const top = arena.alloc(64);
    const stack = arena.alloc(4 * this.count, 4096);
    this.stack = { top, start: stack, end: stack + 4 * this.count };
    this.start = arena.alloc(this.count * this.bufferBytes, 4096);
    const { u32 } = arena;
    // The first buffers lie on top.
    for (let i = 0; i < this.count; i++) {
      u32[(stack >> 2) + i] = this.start + (this.count - 1 - i) * this.bufferBytes;
    }
    u32[top >> 2] = this.stack.end;
    this.owners = options.debug === true ? new Uint8Array(this.count) : undefined;
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
    const first = address64(iova, 'iova') + BigInt(this.start);
    const [lo, hi] = [new Uint32Array(this.count), new Uint32Array(this.count)];
    for (let i = 0; i < this.count; i++) {
      const address = first + BigInt(i * this.bufferBytes);
      lo[i] = Number(address & 0xffff_ffffn);
      hi[i] = Number(address >> 32n);
    }
    return { lo, hi };
  }

  /** Which of the pool's buffers a handle is. @throws RangeError `ERR_VFIO_NOT_YOURS` when it is none */
  indexOf(handle: number): number {
    const index = (integer(handle, 'handle', 0, 2 ** 31) - this.start) / this.bufferBytes;
    if (Number.isInteger(index) && index >= 0 && index < this.count) return index;
    throw notYours(
      handle,
      `the buffers of this pool start at ${this.start}, every ${this.bufferBytes} bytes, ${this.count} of them`,
    );
  }

  /** @internal In debug mode: the application gives a buffer to a ring. */
  lend(handle: number): void {
    this.#disown(handle, Owner.DEVICE);
  }

  /** @internal In debug mode: a ring gives a buffer to the application. */
  own(handle: number): void {
    if (this.owners !== undefined) this.owners[this.indexOf(handle)] = Owner.APPLICATION;
  }

  /** @internal In debug mode: refuses what cannot be sent, before anything is. */
  checkSending(handle: number, earlier: ReadonlySet<number>): void {
    const owner = this.owners?.[this.indexOf(handle)] as Owner | undefined;
    if (owner !== Owner.APPLICATION) throw notYours(handle, `it is ${ownerNames[owner ?? Owner.FREE]}`);
    if (earlier.has(handle)) throw notYours(handle, 'it is in the burst twice');
  }

  #disown(handle: number, to: Owner): void {
    if (this.owners === undefined) return;
    const index = this.indexOf(handle);
    const owner = this.owners[index] as Owner;
    if (owner !== Owner.APPLICATION) throw notYours(handle, `it is ${ownerNames[owner]}`);
    this.owners[index] = to;
  }
}

/** @internal Who has a buffer, in debug mode. */
export const Owner = { FREE: 0, APPLICATION: 1, DEVICE: 2 } as const;
export type Owner = (typeof Owner)[keyof typeof Owner];
const ownerNames = ['free already', 'yours', 'with a device or came back from one'] as const;

function notYours(handle: number, why: string): RangeError {
  return coded(new RangeError(`buffer ${handle} is not the caller's to give: ${why}`), 'ERR_VFIO_NOT_YOURS');
}
