import type { FrameEdit } from '../frame-edit';
import { DESCRIPTOR, type RxFormat, type TxFormat } from '../ring-format';
import * as w from './code';
import type { Code, Local } from './code';
import { editCode } from './edit-code';
import { armRx, fillTx, handleAt, MOVED, nextIndex, number, type RingPlace, storeCell } from './ring-code';
import type { FrameLimits } from './tx-code';

/** What forwards between two rings, and what its loops have in common. */
export interface ForwardPlan {
  readonly rx: RingPlace;
  readonly rxFormat: RxFormat;
  readonly tx: RingPlace;
  readonly txFormat: TxFormat;
  readonly limits: FrameLimits;
  readonly edits: readonly FrameEdit[];
  /** Where frames and bytes are counted, once for both rings: at {@link Cell.FRAMES} and {@link Cell.BYTES} from here. */
  readonly cells: number;
  /**
   * Where the tails are left, 32 bits each: the receive ring's, then the transmit ring's. Without it they are returned, which
   * is quicker, but takes rings of at most {@link PACKED_RING} descriptors.
   */
  readonly tails: number | undefined;
}

/** Ring sizes up to which a number of frames and two tails fit one result. */
export const PACKED_RING = 1024;
/** The result then: {@link MOVED}, the frames in the lowest bits, the tails from these bits on. */
export const Packed = { MASK: PACKED_RING - 1, RX_TAIL: 10, TX_TAIL: 20 } as const;

/** The longest frame that fits both sides. */
export function longestFrame({ limits, rx }: ForwardPlan): number {
  return Math.min(limits.max, rx.pool.bufferBytes);
}

/** Where the code of a pass keeps what it works with: indexes into the rings and the stack, and of one frame the rest. */
interface Moving {
  readonly from: Local;
  readonly to: Local;
  readonly top: Local;
  readonly handle: Local;
  readonly length: Local;
  readonly fresh: Local;
}

/**
 * One frame from ring to ring: the receive descriptor gets the buffer on top of the stack, which is taken off before.
 *
 * @param command what the transmit descriptor says beside the length
 */
export function moveFrame(
  plan: ForwardPlan,
  { from, to, top, handle, length, fresh }: Moving,
  command: bigint,
): Code {
  const { rx, tx, txFormat, edits } = plan;
  return w.seq(
    w.set(fresh, w.load32(w.get(top), 0)),
    w.set(handle, w.load32(handleAt(from), rx.handles)),
    w.store32(handleAt(from), rx.handles, w.get(fresh)),
    armRx(rx, from, w.get(fresh)),
    editCode(edits, handle),
    fillTx(tx, txFormat, command, to, w.get(handle), w.wide(w.get(handle)), w.wide(w.get(length))),
    w.set(from, nextIndex(from, rx.size)),
    w.set(to, nextIndex(to, tx.size)),
  );
}

/** What the function returns when `frames` went, and the rings' next descriptors are `from` and `to`. */
export function movedResult(plan: ForwardPlan, frames: Code, from: Local, to: Local): Code {
  return w.or(
    w.or(frames, w.i32(MOVED)),
    w.or(
      w.shiftLeft(rxTail(plan, from), w.i32(Packed.RX_TAIL)),
      w.shiftLeft(number(w.get(to)), w.i32(Packed.TX_TAIL)),
    ),
  );
}

/** The tails in memory, for rings that are too large for {@link movedResult}. */
export function storeTails(plan: ForwardPlan, tails: number, from: Local, to: Local): Code {
  return w.seq(storeCell(tails, rxTail(plan, from)), storeCell(tails + 4, number(w.get(to))));
}

/** The tail names the last descriptor given back, so that one always stays out of the device's reach. */
function rxTail({ rx }: ForwardPlan, from: Local): Code {
  return number(w.and(w.sub(w.get(from), w.i32(DESCRIPTOR)), w.i32(rx.size * DESCRIPTOR - 1)));
}
