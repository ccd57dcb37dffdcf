import { closedError } from '../errors/vfio-error';
import { integer } from '../validate';
import type { Arena } from './arena';
import type { BufferPool } from './buffer-pool';
import type { Burst } from './burst';
import type { Bell } from './doorbell';
import { plainRx } from './plain-loops';
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
import { DESCRIPTOR, type RxFormat } from './ring-format';
import { compileOne } from './wasm/program';
import { Cell, INDEX_MASK as MASK, Link, type RingPlace, TAIL_SHIFT } from './wasm/ring-code';
import { rxCode } from './wasm/rx-code';

// On the path of frames an imported name would be looked up each time.
const [INDEX_MASK, TAIL] = [MASK, TAIL_SHIFT];

/** How a receive ring is made. */
export interface RxRingOptions extends RingOptions {
  format: RxFormat;
}

/** A receive ring on its way to another thread: plain data, for `postMessage()` or `workerData`. See {@link RxRing.adopt}. */
export interface SharedRxRing {
  readonly ring: 'rx';
  /** @internal */
  readonly spot: RingSpot;
  /** @internal */
  readonly format: RxFormat;
}

/**
 * A ring of receive descriptors, each with a buffer of the pool. The loop over it is compiled for this very ring when it is
 * made (to WebAssembly), so that a program with many rings is as fast on each as a program with one.
 *
 * The driver tells the device where the ring is ({@link iova}, {@link size}), writes {@link firstTail} into its tail
 * register, and turns the receiver on. From then on {@link burst} does everything.
 */
export class RxRing {
  declare readonly pool: BufferPool;
  declare readonly size: number;
  /** Where the device finds the descriptors. */
  declare readonly iova: bigint;
  /** Where they are in the arena. */
  declare readonly offset: number;
  /** @internal */
  declare readonly place: RingPlace;
  /** @internal */
  declare readonly format: RxFormat;
  /** @internal */
  declare readonly bell: Bell;
  /** @internal */
  declare readonly arena: Arena;
  /**
   * Of each frame of the last burst what its descriptor said of it, in the burst's order: the 32 bits that
   * {@link RxFormat.noteShift} names; undefined when it names none. A {@link Forwarder} leaves no notes.
   */
  declare readonly notes: Uint32Array | undefined;
  readonly #done: [low: number, high: number];
  /** @internal */
  declare receive: (at: number, max: number) => number;
  /** @internal */
  declare readonly debug: boolean;

  readonly #adopted: boolean;

  /**
   * @param adopted not for users: {@link RxRing.adopt}
   * @throws RangeError when the pool has too few buffers for it, or the arena no room
   */
  constructor(options: RxRingOptions, adopted?: RingSpot) {
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
    this.#done = [Number(options.format.done & 0xffff_ffffn), Number(options.format.done >> 32n)];
    const notes = placeNotes(place, options.format);
    this.notes =
      notes === undefined
        ? undefined
        : new Uint32Array(this.arena.buffer, this.arena.byteOffset + notes, place.size);
    if (adopted === undefined) this.#fill();
    this.receive =
      this.arena.memory === undefined
        ? plainRx(place, options.format, notes)
        : compileOne(this.arena.memory, rxCode(place, options.format, notes));
  }

  /**
   * The ring that another thread made and shared, in this one, which from then on is the only one to call {@link burst}.
   * {@link close} ends it here only: its buffers are given back by the thread that made it.
   *
   * @param shared what {@link share} returned
   * @param parts the ring's pool, or part of a pool, and its tail register, both adopted
   */
  static adopt(shared: SharedRxRing, { pool, bell }: Pick<RxRingOptions, 'pool' | 'bell'>): RxRing {
    checkShared(shared, 'rx');
    const { format, spot } = shared;
    return new RxRing({ pool, bell, format, size: spot.size, iova: spot.iova }, spot);
  }

  /**
   * Lets another thread have it: {@link RxRing.adopt} makes a ring of the result there. Here it only counts then ({@link frames}
   * and so on tell what happens there), until the other thread has ended its work and this one goes on, or closes it.
   */
  share(): SharedRxRing {
    return { ring: 'rx', spot: spotOf(this.place), format: this.format };
  }

  /** What the tail register must say at first: the device has all descriptors but one. */
  get firstTail(): number {
    return this.size - 1;
  }

  /**
   * Takes up to `max` received frames into `burst`, from its beginning, gives their descriptors new buffers, and tells the
   * device, all at once. Never waits. Whoever called owns the frames' buffers.
   *
   * Frames that are damaged, spread over several buffers, or whose descriptors make no sense are counted and their buffers go
   * back to the device. When the pool is empty the frames stay in the ring.
   *
   * @param max default as many as the burst has room for
   * @returns how many
   */
  burst(burst: Burst, max = Math.min(burst.capacity, this.size)): number {
    if (burst.arena !== this.arena || max >>> 0 !== max || max > burst.capacity || max > this.size) {
      throw wrongBurst(this.arena, burst, max, this.size);
    }
    const result = this.receive(burst.offset, max);
    if (result === 0) return 0;
    this.bell.ring((result >>> TAIL) & INDEX_MASK);
    const count = result & 0xffff;
    if (this.debug) for (let i = 0; i < count; i++) this.pool.own(burst.handle(i));
    return count;
  }

  /** Whether a frame (or an error) waits to be looked at. */
  get pending(): boolean {
    const { u32 } = this.pool.arena;
    const at = (this.offset + (u32[(this.place.cells + Cell.INDEX) >> 2] as number) + 8) >> 2;
    const [low, high] = this.#done;
    return ((Atomics.load(u32, at) & low) | (Atomics.load(u32, at + 1) & high)) !== 0;
  }

  /** Frames handed over. */
  get frames(): number {
    return this.#cell(Cell.FRAMES) + countedIn(this.place, Link.FROM, 'FRAMES');
  }
  /** Their bytes. */
  get bytes(): number {
    return this.#cell(Cell.BYTES) + countedIn(this.place, Link.FROM, 'BYTES');
  }
  /** Frames dropped because they were damaged, spread over several buffers, or of a length that cannot be. */
  get errors(): number {
    return this.#cell(Cell.ERRORS);
  }
  /** How often a frame had to stay in the ring because the pool was empty. */
  get noBuffer(): number {
    return this.#cell(Cell.NO_BUFFER);
  }

  /** Gives the buffers back. The device must have been stopped; afterwards the ring throws. */
  close(): void {
    if (this.receive === closed) return;
    this.receive = closed;
    if (this.#adopted) return;
    const { u32 } = this.pool.arena;
    for (let i = 0; i < this.size; i++) {
      const handle = u32[(this.place.handles >> 2) + i] as number;
      if (this.debug) this.pool.own(handle);
      this.pool.give(handle);
    }
  }

  #fill(): void {
    const { pool, place } = this;
    const { u32, u64 } = pool.arena;
    if (pool.free < this.size) {
      throw new RangeError(
        `a ring of ${this.size} descriptors needs as many buffers; the pool has ${pool.free} free of ${pool.count}`,
      );
    }
    for (let i = 0; i < this.size; i++) {
      const handle = pool.take();
      pool.lend(handle);
      u32[(place.handles >> 2) + i] = handle;
      const at = (place.descriptors + i * DESCRIPTOR) >> 3;
      u64[at] = place.iova + BigInt(handle);
      u64[at + 1] = 0n;
    }
  }

  #cell(cell: number): number {
    return readCell(this.pool.arena, this.place.cells + cell);
  }
}

/** Room for a note of each frame that a burst can have. */
function placeNotes({ pool, size }: RingPlace, { noteShift }: RxFormat): number | undefined {
  if (noteShift === undefined) return undefined;
  integer(noteShift, 'options.format.noteShift', 0, 32);
  return pool.arena.alloc(4 * size);
}

function closed(): never {
  throw closedError('The receive ring');
}
