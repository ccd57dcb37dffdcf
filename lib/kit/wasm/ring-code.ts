import type { BufferPool } from '../buffer-pool';
import { DESCRIPTOR, type RxFormat, type TxFormat } from '../ring-format';
import * as w from './code';
import type { Code, Local } from './code';

/** Where everything that belongs to a ring lies in the arena, and what the device calls the arena's first byte. */
export interface RingPlace {
  readonly pool: BufferPool;
  readonly iova: bigint;
  readonly size: number;
  readonly descriptors: number;
  /** The handle of the buffer in each descriptor: 32 bits each. */
  readonly handles: number;
  readonly cells: number;
}

/** What a ring keeps between two calls: offsets from its `cells`. Indexes are kept as byte offsets of descriptors. */
export const Cell = {
  /** The next descriptor: to be looked at when receiving, to be filled when sending. */
  INDEX: 0,
  /** The oldest descriptor that has not come back (sending). Whether the end of a frame is missing (receiving). */
  CLEAN: 4,
  SPREAD: 4,
  FRAMES: 8,
  BYTES: 16,
  /** Frames dropped, because they were damaged or made no sense. */
  ERRORS: 24,
  /** Receiving: how often no buffer was free. */
  NO_BUFFER: 32,
  /** The first of the cells of those that forward through the ring; 0 for none. */
  FORWARDERS: 48,
} as const;
/** Of what forwards: {@link Cell.FRAMES} and {@link Cell.BYTES}, and those not yet in them, 32 bits each. */
export const Pending = { BYTES: 40, FRAMES: 44 } as const;
/** Of what forwards: the next one's cells, of those from the same ring, and of those to the same. */
export const Link = { FROM: 48, TO: 52 } as const;
export type Link = (typeof Link)[keyof typeof Link];
export const CELLS = 64;

/** What a call returns when nothing moved is 0; otherwise how many frames, the ring's tail, and this. */
export const MOVED = 0x4000_0000;
export const TAIL_SHIFT = 16;
/** Of a tail. */
export const INDEX_MASK = 0x3fff;

/** Frames that are taken back at once. */
export function reclaimBatch(size: number): number {
  return Math.min(32, size / 4);
}

/** A 64-bit cell is added to. */
export function addTo(address: number, value: Code): Code {
  return w.store64(w.i32(0), address, w.add64(w.load64(w.i32(0), address), value));
}

/** Counts frames and bytes, in the cells of a ring or of what forwards. */
export function count(cells: number, frames: Code, bytes: Code): Code {
  return w.seq(addTo(cells + Cell.FRAMES, w.wide(frames)), addTo(cells + Cell.BYTES, w.wide(bytes)));
}

/** Counts one frame in a single cell; {@link settle} has to come before there are 2^32 bytes. */
export function countOne(cells: number, bytes: Code): Code {
  const pending = cells + Pending.BYTES;
  const more = w.or64(w.wide(bytes), w.i64(1n << 32n));
  return w.store64(w.i32(0), pending, w.add64(w.load64(w.i32(0), pending), more));
}

/** Puts what {@link countOne} counted where it belongs. */
export function settle(cells: number): Code {
  return w.when(loadCell(cells + Pending.FRAMES), [
    count(cells, loadCell(cells + Pending.FRAMES), loadCell(cells + Pending.BYTES)),
    w.store64(w.i32(0), cells + Pending.BYTES, w.i64(0n)),
  ]);
}

export function loadCell(address: number): Code {
  return w.load32(w.i32(0), address);
}

export function storeCell(address: number, value: Code): Code {
  return w.store32(w.i32(0), address, value);
}

/** The offset of the descriptor behind the one at `index`. */
export function nextIndex(index: Local, size: number): Code {
  return w.and(w.add(w.get(index), w.i32(DESCRIPTOR)), w.i32(size * DESCRIPTOR - 1));
}

/** The index of a descriptor from its offset. */
export function number(offset: Code): Code {
  return w.shiftRight(offset, w.i32(4));
}

/** The offset of a descriptor's handle, from the ring's `handles`. */
export function handleAt(index: Local): Code {
  return w.shiftRight(w.get(index), w.i32(2));
}

/** Gives a receive descriptor a buffer. */
export function armRx({ descriptors, iova }: RingPlace, index: Local, handle: Code): Code {
  return w.seq(
    w.store64(w.get(index), descriptors, w.add64(w.i64(iova), w.wide(handle))),
    w.store64(w.get(index), descriptors + 8, w.i64(0n)),
  );
}

/** The length of a received frame. */
export function rxLength(format: RxFormat, status: Code): Code {
  const shifted =
    format.lengthShift === 0 ? status : w.shiftRight64(status, w.i64(BigInt(format.lengthShift)));
  return w.and(w.low(shifted), w.i32(0xffff));
}

/** Fills a transmit descriptor. @param command what it says beside the length */
export function fillTx(
  { descriptors, iova, handles }: RingPlace,
  { lengthShifts }: TxFormat,
  command: bigint,
  index: Local,
  handle: Code,
  wideHandle: Code,
  length: Code,
): Code {
  const lengths = lengthShifts.map(shift =>
    shift === 0 ? length : w.shiftLeft64(length, w.i64(BigInt(shift))),
  );
  return w.seq(
    w.store32(handleAt(index), handles, handle),
    w.store64(w.get(index), descriptors, w.add64(w.i64(iova), wideHandle)),
    w.store64(
      w.get(index),
      descriptors + 8,
      lengths.reduce((word, one) => w.or64(word, one), w.i64(command)),
    ),
  );
}

/**
 * Asks for reports on the descriptors from `first` up to `index`, of which there must be some: on the last one, and on those
 * that {@link reclaim} looks at.
 *
 * @param at a variable to work with
 */
export function askReports(
  { descriptors, size }: RingPlace,
  format: TxFormat,
  first: Local,
  index: Local,
  at: Local,
): Code {
  const mask = w.i32(size * DESCRIPTOR - 1);
  const batch = reclaimBatch(size) * DESCRIPTOR;
  const fromFirst = (to: Local): Code => w.and(w.sub(w.get(to), w.get(first)), mask);
  const ask = w.store64(
    w.get(at),
    descriptors + 8,
    w.or64(w.load64(w.get(at), descriptors + 8), w.i64(format.report)),
  );
  return w.seq(
    w.set(at, w.or(w.get(first), w.i32(batch - DESCRIPTOR))),
    w.block(
      w.loop(
        w.jumpIf(1, w.not(w.less(fromFirst(at), fromFirst(index)))),
        ask,
        w.set(at, w.and(w.add(w.get(at), w.i32(batch)), mask)),
        w.jump(0),
      ),
    ),
    w.set(at, w.and(w.sub(w.get(index), w.i32(DESCRIPTOR)), mask)),
    ask,
  );
}

/** Takes back the buffers of frames that were sent, a batch at a time. The caller stores `top`. */
export function reclaim(
  { cells, descriptors, handles, size, pool }: RingPlace,
  format: TxFormat,
  index: Local,
  clean: Local,
  top: Local,
): Code {
  const batch = reclaimBatch(size);
  const copies = Array.from({ length: batch / 4 }, (_, i) =>
    w.copy128(w.get(top), 16 * i, handleAt(clean), handles + 16 * i),
  );
  const single = [
    w.store32(w.get(top), 0, w.load32(handleAt(clean), handles)),
    w.store32(w.get(top), 4, w.load32(handleAt(clean), handles + 4)),
  ];
  const inFlight = w.and(w.sub(w.get(index), w.get(clean)), w.i32(size * DESCRIPTOR - 1));
  const lastDone = w.and64(
    w.atomicLoad64(w.get(clean), descriptors + (batch - 1) * DESCRIPTOR + 8),
    w.i64(format.done),
  );
  return w.block(
    w.loop(
      w.jumpIf(1, w.less(inFlight, w.i32(batch * DESCRIPTOR))),
      w.jumpIf(1, w.isZero64(lastDone)),
      // Handles that were sent twice would make the pool larger than it is.
      w.jumpIf(1, w.greater(w.add(w.get(top), w.i32(4 * batch)), w.i32(pool.stack.end))),
      ...(batch >= 4 ? copies : single),
      w.set(top, w.add(w.get(top), w.i32(4 * batch))),
      w.set(clean, w.and(w.add(w.get(clean), w.i32(batch * DESCRIPTOR)), w.i32(size * DESCRIPTOR - 1))),
      storeCell(cells + Cell.CLEAN, w.get(clean)),
      w.jump(0),
    ),
  );
}
