import { closedError } from '../errors/vfio-error';
import { integer } from '../validate';
import type { Arena } from './arena';
import type { BufferPool } from './buffer-pool';
import type { Burst } from './burst';
import type { Bell } from './doorbell';
import { plainTx } from './plain-loops';
import {
  checkShared,
  countedIn,
  placeRing,
  readCell,
  type RingOptions,
  type RingSpot,
  spotOf,
  wrongBurst,
} from './ring';
import { DESCRIPTOR, type TxFormat } from './ring-format';
import { compileOne } from './wasm/program';
import { Cell, INDEX_MASK as MASK, Link, type RingPlace, TAIL_SHIFT } from './wasm/ring-code';
import { txCode } from './wasm/tx-code';

// On the path of frames an imported name would be looked up each time.
const [INDEX_MASK, TAIL] = [MASK, TAIL_SHIFT];

/** How a transmit ring is made. */
export interface TxRingOptions extends RingOptions {
  format: TxFormat;
  /** The shortest frame the device takes. Default 17: what most pad to Ethernet's 60 bytes. */
  minFrame?: number;
  /** The longest, without CRC. Default 1,518, with a VLAN tag; at most the pool's buffers have room for. */
  maxFrame?: number;
}

/** A transmit ring on its way to another thread: plain data, for `postMessage()` or `workerData`. See {@link TxRing.adopt}. */
export interface SharedTxRing {
  readonly ring: 'tx';
  /** @internal */
  readonly spot: RingSpot;
  /** @internal */
  readonly format: TxFormat;
  readonly minFrame: number;
  readonly maxFrame: number;
}

/**
 * A ring of transmit descriptors. As with {@link RxRing} its loop is compiled for this very ring.
 *
 * Buffers of frames that were sent go back to the pool when {@link burst} is called again, up to 32 at a time: that many
 * may stay behind for as long as nothing is sent.
 */
export class TxRing {
  declare readonly pool: BufferPool;
  declare readonly size: number;
  /** Where the device finds the descriptors. */
  declare readonly iova: bigint;
  /** Where they are in the arena. */
  declare readonly offset: number;
  declare readonly minFrame: number;
  declare readonly maxFrame: number;
  /** @internal */
  declare readonly place: RingPlace;
  /** @internal */
  declare readonly format: TxFormat;
  /** @internal */
  declare readonly bell: Bell;
  /** @internal */
  declare readonly arena: Arena;
  /** @internal */
  declare send: (at: number, count: number) => number;
  /** @internal The last one that a {@link TxSender} put into the ring. */
  context: readonly [bigint, bigint] | undefined = undefined;
  /** @internal */
  declare readonly debug: boolean;

  readonly #adopted: boolean;

  /**
   * @param adopted not for users: {@link TxRing.adopt}
   * @throws RangeError when the arena has no room
   */
  constructor(options: TxRingOptions, adopted?: RingSpot) {
    const place = adopted === undefined ? placeRing(options) : { ...adopted, pool: options.pool };
    this.#adopted = adopted !== undefined;
    this.place = place;
    this.format = options.format;
    this.bell = options.bell;
    this.arena = place.pool.arena;
    this.pool = place.pool;
    this.size = place.size;
    this.offset = place.descriptors;
    this.iova = place.iova + BigInt(place.descriptors);
    this.debug = this.pool.owners !== undefined;
    const { bufferBytes } = this.pool;
    this.maxFrame = integer(
      options.maxFrame ?? Math.min(1518, bufferBytes),
      'options.maxFrame',
      1,
      bufferBytes,
    );
    this.minFrame = integer(options.minFrame ?? 17, 'options.minFrame', 1, this.maxFrame);
    const limits = { min: this.minFrame, max: this.maxFrame };
    this.send =
      this.arena.memory === undefined
        ? plainTx(place, options.format, limits)
        : compileOne(this.arena.memory, txCode(place, options.format, limits));
  }

  /** The ring that another thread made and shared, in this one: see {@link RxRing.adopt}. */
  static adopt(shared: SharedTxRing, { pool, bell }: Pick<TxRingOptions, 'pool' | 'bell'>): TxRing {
    checkShared(shared, 'tx');
    const { format, minFrame, maxFrame, spot } = shared;
    return new TxRing({ pool, bell, format, minFrame, maxFrame, size: spot.size, iova: spot.iova }, spot);
  }

  /** Lets another thread have it: see {@link RxRing.share}. */
  share(): SharedTxRing {
    const { format, minFrame, maxFrame } = this;
    return { ring: 'tx', spot: spotOf(this.place), format, minFrame, maxFrame };
  }

  /**
   * Sends frames of a burst and tells the device, all at once. Never waits. The frames taken belong to the ring; those that
   * did not fit stay the caller's, to be sent again or given back. With `count` 0 it only takes back what was sent.
   *
   * Frames shorter or longer than the device takes are counted ({@link errors}) and given back to the pool.
   *
   * @param from the first frame's index in the burst
   * @returns how many were taken, from the first on
   */
  burst(burst: Burst, count: number, from = 0): number {
    const end = from + count;
    if (burst.arena !== this.arena || from >>> 0 !== from || count >>> 0 !== count || end > burst.capacity) {
      throw wrongBurst(this.arena, burst, end, Infinity);
    }
    if (this.debug) this.pool.checkSending(burst, from, end);
    const result = this.send(burst.offset + 8 * from, count);
    if (result === 0) return 0;
    this.bell.ring((result >>> TAIL) & INDEX_MASK);
    const taken = result & 0xffff;
    if (this.debug) for (let i = from; i < from + taken; i++) this.pool.lend(burst.handle(i));
    return taken;
  }

  /** @internal */
  get closed(): boolean {
    return this.send === closed;
  }

  /** Whether the device has frames it has not sent. */
  get pending(): boolean {
    if (this.inFlight === 0) return false;
    const { u64 } = this.arena;
    const index = this.arena.u32[(this.place.cells + Cell.INDEX) >> 2] as number;
    const last = (index - DESCRIPTOR) & (this.size * DESCRIPTOR - 1);
    return (Atomics.load(u64, (this.offset + last + 8) >> 3) & this.format.done) === 0n;
  }

  /**
   * How many frames the device has not said to have sent: up to 31 more than it has still to send, as it speaks of several at once
   * ({@link TxFormat.report}), but 0 exactly when all are out. It sends in order, so the newest are looked at until one was
   * sent. The context of a {@link TxSender} counts as one.
   */
  get unsent(): number {
    const { inFlight } = this;
    const { u64 } = this.arena;
    const index = this.arena.u32[(this.place.cells + Cell.INDEX) >> 2] as number;
    let count = 0;
    while (count < inFlight) {
      const newest = (index - (count + 1) * DESCRIPTOR) & (this.size * DESCRIPTOR - 1);
      if ((Atomics.load(u64, (this.offset + newest + 8) >> 3) & this.format.done) !== 0n) break;
      count++;
    }
    return count;
  }

  /** Descriptors whose frames have not come back. */
  get inFlight(): number {
    const { u32 } = this.pool.arena;
    const index = u32[(this.place.cells + Cell.INDEX) >> 2] as number;
    const clean = u32[(this.place.cells + Cell.CLEAN) >> 2] as number;
    return ((index - clean) / DESCRIPTOR) & (this.size - 1);
  }

  /** Frames given to the device. */
  get frames(): number {
    return this.#cell(Cell.FRAMES) + countedIn(this.place, Link.TO, 'FRAMES');
  }
  /** Their bytes, without padding and CRC. */
  get bytes(): number {
    return this.#cell(Cell.BYTES) + countedIn(this.place, Link.TO, 'BYTES');
  }
  /** Frames not sent because they were too short or too long. */
  get errors(): number {
    return this.#cell(Cell.ERRORS);
  }

  /** Gives the buffers back. The device must have been stopped; afterwards the ring throws. */
  close(): void {
    if (this.send === closed) return;
    this.send = closed;
    if (this.#adopted) return;
    const { u32 } = this.pool.arena;
    const cells = this.place.cells >> 2;
    for (let left = this.inFlight; left > 0; left--) {
      const clean = u32[cells + (Cell.CLEAN >> 2)] as number;
      const handle = u32[(this.place.handles + (clean >> 2)) >> 2] as number;
      if (this.debug) this.pool.own(handle);
      this.pool.give(handle);
      u32[cells + (Cell.CLEAN >> 2)] = (clean + DESCRIPTOR) & (this.size * DESCRIPTOR - 1);
    }
  }

  #cell(cell: number): number {
    return readCell(this.pool.arena, this.place.cells + cell);
  }
}

function closed(): never {
  throw closedError('The transmit ring');
}
