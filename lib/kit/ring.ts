import { address64, instanceOf, propertyOf, rangeError, typeError } from '../validate';
import type { Arena } from './arena';
import { BufferPool } from './buffer-pool';
import type { Burst } from './burst';
import type { Bell } from './doorbell';
import { checkRingSize, DESCRIPTOR } from './ring-format';
import { Cell, CELLS, Link, Pending, type RingPlace } from './wasm/ring-code';

/** What both kinds of rings are made of. */
export interface RingOptions {
  /** Where buffers come from and go to. Its arena holds the ring, too. */
  pool: BufferPool;
  /** Descriptors: a power of two from 8 to 16,384. */
  size: number;
  /** Where the device sees the arena's first byte: `arena.mapFor(device.dma)`. */
  iova: bigint;
  /** The ring's tail register: `new Doorbell(bar, offset)`. */
  bell: Bell;
}

/** @internal A ring on its way to another thread: where it lies in the arena. */
export type RingSpot = Omit<RingPlace, 'pool'>;

/** @internal */
export function spotOf({ iova, size, descriptors, handles, cells }: RingPlace): RingSpot {
  return { iova, size, descriptors, handles, cells };
}

/** @internal Checks what share() of a ring returned. */
export function checkShared(shared: unknown, kind: 'rx' | 'tx'): void {
  if (propertyOf(shared, 'ring') === kind) return;
  throw typeError('shared', `what share() of ${kind === 'rx' ? 'an RxRing' : 'a TxRing'} returned`, shared);
}

/** @internal Checks the options and finds room in the arena. */
export function placeRing(given: RingOptions): RingPlace {
  const pool = instanceOf(given.pool, BufferPool, 'options.pool');
  const size = checkRingSize(given.size, 'options.size');
  const iova = address64(given.iova, 'options.iova');
  if (typeof (given.bell as Partial<Bell> | undefined)?.ring !== 'function') {
    throw typeError('options.bell', 'a Doorbell or what can ring() like one', given.bell);
  }
  const { arena } = pool;
  const descriptors = arena.alloc(size * DESCRIPTOR, 4096);
  const handles = arena.alloc(4 * size);
  return { pool, size, iova, descriptors, handles, cells: arena.alloc(CELLS) };
}

/** @internal What is wrong with a burst. */
export function wrongBurst(arena: Arena, burst: Burst, count: number, size: number): Error {
  if ((burst as Burst | undefined)?.arena !== arena)
    return typeError('burst', "a Burst in the arena of the ring's pool", burst);
  const most = Math.min(size, burst.capacity);
  return rangeError(
    'the number of frames',
    `an integer from 0 to ${most} (the burst has room for ${burst.capacity}${Number.isFinite(size) ? `, the ring for ${size}` : ''})`,
    count,
  );
}

/** @internal A 64-bit cell as a number. */
export function readCell(arena: Arena, address: number): number {
  return Number(arena.u64[address >> 3]);
}

/**
 * @internal What those counted that forward through a ring, and keep count in cells of their own: a list in the arena, as they
 * may be in another thread.
 */
export function countedIn({ pool, cells }: RingPlace, next: Link, what: 'FRAMES' | 'BYTES'): number {
  const { arena } = pool;
  let sum = 0;
  for (let at = linked(arena, cells + Cell.FORWARDERS); at !== 0; at = linked(arena, at + next)) {
    sum += readCell(arena, at + Cell[what]) + linked(arena, at + Pending[what]);
  }
  return sum;
}

/** @internal Has a ring count what a forwarder's cells count. */
export function linkForwarder({ pool, cells }: RingPlace, next: Link, forwarder: number): void {
  const { u32 } = pool.arena;
  u32[(forwarder + next) >> 2] = linked(pool.arena, cells + Cell.FORWARDERS);
  u32[(cells + Cell.FORWARDERS) >> 2] = forwarder;
}

function linked(arena: Arena, address: number): number {
  return arena.u32[address >> 2] as number;
}
