import { DESCRIPTOR, type RxFormat, type TxFormat } from '../ring-format';
import type { FrameEdit } from '../frame-edit';
import * as w from './code';
import type { Code, Local } from './code';
import { editCode } from './edit-code';
import { FunctionCode } from './program';
import {
  addTo,
  armRx,
  Cell,
  fillTx,
  handleAt,
  loadCell,
  MOVED,
  nextIndex,
  number,
  reclaim,
  type RingPlace,
  rxLength,
  storeCell,
} from './ring-code';
import type { FrameLimits } from './tx-code';

export interface ForwardPlan {
  readonly rx: RingPlace;
  readonly rxFormat: RxFormat;
  readonly tx: RingPlace;
  readonly txFormat: TxFormat;
  readonly limits: FrameLimits;
  readonly edits: readonly FrameEdit[];
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

/**
 * forward(how many at most): 0 when nothing moved; otherwise either all in one ({@link Packed}), or how many frames went from
 * one ring to the other, -1 when none did but the receive ring's tail moved, and the tails in memory.
 *
 * What receiving, editing and sending are in one pass: a frame's handle and length never leave the registers. It takes
 * no more frames than the transmit ring has room for; the others stay where they are.
 */
export function forwardCode(plan: ForwardPlan): FunctionCode {
  const { rx, rxFormat, tx, txFormat, limits } = plan;
  const f = new FunctionCode(1);
  const max = f.parameter(0);
  const [from, first, to, clean, top, left, room, handle, length, fresh, bytes, moved] = [
    f.local32(),
    f.local32(),
    f.local32(),
    f.local32(),
    f.local32(),
    f.local32(),
    f.local32(),
    f.local32(),
    f.local32(),
    f.local32(),
    f.local32(),
    f.local32(),
  ];
  const [status, good] = [f.local64(), f.local64()];
  const { stack } = rx.pool;
  const longest = Math.min(limits.max, rx.pool.bufferBytes);

  f.body = w.seq(
    w.set(from, loadCell(rx.cells + Cell.INDEX)),
    w.set(first, w.get(from)),
    w.set(to, loadCell(tx.cells + Cell.INDEX)),
    w.set(clean, loadCell(tx.cells + Cell.CLEAN)),
    w.set(top, loadCell(stack.top)),
    w.set(
      good,
      w.choose(loadCell(rx.cells + Cell.SPREAD), w.i64(~rxFormat.good.mask), w.i64(rxFormat.good.value)),
    ),
    reclaim(tx, txFormat, to, clean, top),
    w.set(
      room,
      number(
        w.and(w.sub(w.sub(w.get(clean), w.get(to)), w.i32(DESCRIPTOR)), w.i32(tx.size * DESCRIPTOR - 1)),
      ),
    ),
    w.set(max, w.choose(w.less(w.get(max), w.get(room)), w.get(max), w.get(room))),
    w.set(left, w.get(max)),
    w.block(
      w.loop(
        w.jumpIf(1, w.not(w.get(left))),
        w.set(status, w.atomicLoad64(w.get(from), rx.descriptors + 8)),
        w.jumpIf(1, w.isZero64(w.and64(w.get(status), w.i64(rxFormat.done)))),
        w.block(
          w.jumpIf(0, w.different64(w.and64(w.get(status), w.i64(rxFormat.good.mask)), w.get(good))),
          w.set(length, rxLength(rxFormat, w.get(status))),
          w.jumpIf(0, w.greater(w.sub(w.get(length), w.i32(limits.min)), w.i32(longest - limits.min))),
          w.when(w.equal(w.get(top), w.i32(stack.start)), [
            addTo(rx.cells + Cell.NO_BUFFER, w.i64(1n)),
            w.jump(3),
          ]),
          w.set(top, w.sub(w.get(top), w.i32(4))),
          w.set(fresh, w.load32(w.get(top), 0)),
          w.set(handle, w.load32(handleAt(from), rx.handles)),
          w.store32(handleAt(from), rx.handles, w.get(fresh)),
          armRx(rx, from, w.get(fresh)),
          editCode(plan.edits, handle),
          fillTx(tx, txFormat, to, w.get(handle), w.wide(w.get(handle)), w.wide(w.get(length))),
          w.set(bytes, w.add(w.get(bytes), w.get(length))),
          w.set(from, nextIndex(from, rx.size)),
          w.set(to, nextIndex(to, tx.size)),
          w.set(left, w.sub(w.get(left), w.i32(1))),
          w.jump(1),
        ),
        armRx(rx, from, w.load32(handleAt(from), rx.handles)),
        w.when(
          w.isZero64(w.and64(w.get(status), w.i64(rxFormat.last))),
          [w.set(good, w.i64(~rxFormat.good.mask))],
          [w.set(good, w.i64(rxFormat.good.value)), addTo(rx.cells + Cell.ERRORS, w.i64(1n))],
        ),
        w.set(moved, w.i32(-1)),
        w.set(from, nextIndex(from, rx.size)),
        w.jumpIf(0, w.different(w.get(from), w.get(first))),
      ),
    ),
    storeCell(rx.cells + Cell.INDEX, w.get(from)),
    storeCell(rx.cells + Cell.SPREAD, w.different64(w.get(good), w.i64(rxFormat.good.value))),
    storeCell(tx.cells + Cell.INDEX, w.get(to)),
    storeCell(tx.cells + Cell.CLEAN, w.get(clean)),
    storeCell(stack.top, w.get(top)),
    w.set(left, w.sub(w.get(max), w.get(left))),
    w.when(w.get(left), [
      w.set(moved, w.get(left)),
      addTo(rx.cells + Cell.FRAMES, w.wide(w.get(left))),
      addTo(rx.cells + Cell.BYTES, w.wide(w.get(bytes))),
      addTo(tx.cells + Cell.FRAMES, w.wide(w.get(left))),
      addTo(tx.cells + Cell.BYTES, w.wide(w.get(bytes))),
    ]),
    plan.tails === undefined
      ? packedResult(plan, moved, left, from, to)
      : tailsInMemory(plan, moved, from, to),
  );
  return f;
}

/** The tail names the last descriptor given back, so that one always stays out of the device's reach. */
function rxTail({ rx }: ForwardPlan, from: Local): Code {
  return number(w.and(w.sub(w.get(from), w.i32(DESCRIPTOR)), w.i32(rx.size * DESCRIPTOR - 1)));
}

function packedResult(plan: ForwardPlan, moved: Local, count: Local, from: Local, to: Local): Code {
  const packed = w.seq(
    w.or(
      w.or(w.get(count), w.i32(MOVED)),
      w.or(
        w.shiftLeft(rxTail(plan, from), w.i32(Packed.RX_TAIL)),
        w.shiftLeft(number(w.get(to)), w.i32(Packed.TX_TAIL)),
      ),
    ),
  );
  return w.choose(w.get(moved), packed, w.i32(0));
}

function tailsInMemory(plan: ForwardPlan, moved: Local, from: Local, to: Local): Code {
  const { tails = 0 } = plan;
  return w.seq(storeCell(tails, rxTail(plan, from)), storeCell(tails + 4, number(w.get(to))), w.get(moved));
}
