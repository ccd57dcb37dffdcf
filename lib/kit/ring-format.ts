import { integer, rangeError } from '../validate';

/**
 * How a device lays out receive descriptors: 16 bytes, of which the first eight are where the driver puts the address of
 * a buffer. When a frame is there the device writes the other eight, which are described here as one 64-bit number; the
 * driver writes zeroes there when it gives the descriptor (back) to the device.
 */
export interface RxFormat {
  /** Set once the device has written the descriptor. */
  readonly done: bigint;
  /** Those of `mask` must read as `value`, or the frame is counted and dropped: its end is in this buffer, no errors. */
  readonly good: { readonly mask: bigint; readonly value: bigint };
  /** Clear in a buffer that the frame does not end in: what follows up to its end belongs to it. */
  readonly last: bigint;
  /** The lowest bit of the 16-bit length. */
  readonly lengthShift: number;
  /**
   * The lowest of 32 bits that are kept of each frame, for {@link RxRing.notes}: 0 to 32. Default: nothing is kept, which is a
   * little faster.
   */
  readonly noteShift?: number;
}

/** How a device lays out transmit descriptors: the address of a buffer, then a 64-bit number. */
export interface TxFormat {
  /** All of the second number but the frame's length and {@link report}: commands. */
  readonly command: bigint;
  /**
   * Asks the device to say when it has read the frame. Writing that down costs the device an access to memory, so only the
   * last frame of a burst and every so manieth within it have it: devices read frames in order.
   */
  readonly report: bigint;
  /** Where the length goes, once or several times: its lowest bits. */
  readonly lengthShifts: readonly number[];
  /** Set in the second number by the device when it has read a frame it was to report; else it must be clear. */
  readonly done: bigint;
}

/**
 * Intel's advanced receive descriptors, with one buffer: the 82575 and later, and what the 82574 calls "extended".
 *
 * @param errors the bits of the written-back descriptor that mean a damaged frame: bit 31 of the gigabit controllers, bit 29 of
 *   the 82599
 */
export function advancedRx(errors: bigint): RxFormat {
  const endOfPacket = 1n << 1n;
  return {
    done: 1n << 0n,
    good: { mask: endOfPacket | errors, value: endOfPacket },
    last: endOfPacket,
    lengthShift: 32,
  };
}

/** Intel's advanced transmit data descriptors: whole frames, CRC inserted. */
export const advancedTx: TxFormat = {
  command: 0x23300000n,
  report: 1n << 27n,
  lengthShifts: [0, 46],
  done: 1n << 32n,
};

/** Bytes of a descriptor. */
export const DESCRIPTOR = 16;
/** A tail has to fit what a burst returns. */
const MAX_RING = 16384;

/** @throws RangeError unless it is a power of two from 8 to 16,384 */
export function checkRingSize(size: unknown, name: string): number {
  const n = integer(size, name, 8, MAX_RING);
  if (!Number.isInteger(Math.log2(n))) {
    throw rangeError(name, `a power of two, so that indexes wrap by a mask`, n);
  }
  return n;
}
