import { instanceOf, integer, powerOfTwo, propertyOf, rangeError, typeError } from '../validate';
import { BufferPool } from './buffer-pool';

/**
 * A way for frames from one thread to another, in the arena: plain data, to be posted to both as it is. One thread makes a
 * {@link LaneSender} of it, the other a {@link LaneReceiver}, each over its own part of the pool.
 *
 * Frames go one way and free buffers the other, one for each: so each thread's part keeps as many buffers as it had, and nobody
 * but a thread itself touches its part. Neither end waits or locks; each burst costs an atomic access or two.
 */
export interface Lane {
  /** How many frames it has room for. */
  readonly size: number;
  /** @internal Where it lies in the arena. */
  readonly place: number;
}

/** @internal Where things are in a lane. Each is written by one end only, and has a cache line for itself. */
export const LaneCell = {
  /** Frames put in by the sender, and taken out by the receiver, as counts that wrap at 2^32. */
  SENT: 0,
  RECEIVED: 64,
  /** Buffers put in by the receiver, and taken out by the sender. */
  RETURNED: 128,
  COLLECTED: 192,
  /** Frames received for which no buffer went home yet. */
  OWED: 132,
  /** 1 while the receiver sleeps and wants to be woken. */
  ASLEEP: 256,
  /** The frames: a handle and a length each. Behind them the handles of buffers on their way home. */
  FRAMES: 320,
} as const;

/**
 * Makes a lane in the arena of a pool.
 *
 * @param size frames it has room for, a power of two from 8 to 65,536
 * @throws RangeError when the arena has no room: 12 bytes for each frame
 */
export function allocLane(pool: BufferPool, size: number): Lane {
  const { arena } = instanceOf(pool, BufferPool, 'pool');
  powerOfTwo(size, 'size', 8, 65536);
  return Object.freeze({ size, place: arena.alloc(LaneCell.FRAMES + 12 * size) });
}

/** @internal One end of a lane. */
export class LaneEnd {
  readonly pool: BufferPool;
  readonly size: number;
  /** @internal */
  protected readonly u32: Uint32Array;
  /** @internal The first 32-bit words of the frames and of the buffers going home. */
  protected readonly frames: number;
  /** @internal */
  protected readonly home: number;
  readonly #place: number;

  constructor(pool: BufferPool, lane: Lane) {
    this.pool = instanceOf(pool, BufferPool, 'pool');
    const [size, place] = [propertyOf(lane, 'size'), propertyOf(lane, 'place')];
    if (typeof size !== 'number' || typeof place !== 'number') {
      throw typeError('lane', 'what allocLane() returned', lane);
    }
    const { arena } = pool;
    this.size = powerOfTwo(size, 'lane.size', 8, 65536);
    const end = arena.byteLength - LaneCell.FRAMES - 12 * size;
    this.#place = integer(place, 'lane.place', 1, Math.max(1, end));
    if (place % 64 !== 0) throw rangeError('lane.place', 'a multiple of 64', place);
    this.u32 = arena.u32;
    this.frames = (place + LaneCell.FRAMES) >> 2;
    this.home = this.frames + 2 * size;
  }

  /** @internal The index of a cell's word. */
  protected word(cell: number): number {
    return (this.#place + cell) >> 2;
  }
}
