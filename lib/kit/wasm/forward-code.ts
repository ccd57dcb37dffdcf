import { DESCRIPTOR } from '../ring-format';
import * as w from './code';
import { forwardOne } from './forward-one-code';
import { type ForwardPlan, longestFrame, movedResult, moveFrame, storeTails } from './forward-plan';
import { FunctionCode } from './program';
import {
  addTo,
  armRx,
  askReports,
  Cell,
  count,
  handleAt,
  loadCell,
  nextIndex,
  number,
  reclaim,
  rxLength,
  settle,
  storeCell,
} from './ring-code';

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
  const [from, first, to, firstTo, clean, top, left, room, handle, length, fresh, bytes, moved] = [
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
    f.local32(),
  ];
  const [status, good] = [f.local64(), f.local64()];
  const { stack } = rx.pool;
  const longest = longestFrame(plan);
  const spread = rx.cells + Cell.SPREAD;
  const checked = rxFormat.done | rxFormat.good.mask;
  const checkedGood = rxFormat.done | rxFormat.good.value;

  f.body = w.seq(
    forwardOne(plan, f, max),
    settle(plan.cells),
    w.set(from, loadCell(rx.cells + Cell.INDEX)),
    w.set(first, w.get(from)),
    w.set(to, loadCell(tx.cells + Cell.INDEX)),
    w.set(firstTo, w.get(to)),
    w.set(clean, loadCell(tx.cells + Cell.CLEAN)),
    w.set(top, loadCell(stack.top)),
    w.set(good, w.choose(loadCell(spread), w.i64(~checked), w.i64(checkedGood))),
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
      w.jumpIf(0, w.not(w.get(left))),
      w.loop(
        w.set(status, w.atomicLoad64(w.get(from), rx.descriptors + 8)),
        w.block(
          w.jumpIf(0, w.different64(w.and64(w.get(status), w.i64(checked)), w.get(good))),
          w.set(length, rxLength(rxFormat, w.get(status))),
          w.jumpIf(0, w.greater(w.sub(w.get(length), w.i32(limits.min)), w.i32(longest - limits.min))),
          w.when(w.equal(w.get(top), w.i32(stack.start)), [
            addTo(rx.cells + Cell.NO_BUFFER, w.i64(1n)),
            w.jump(3),
          ]),
          w.set(top, w.sub(w.get(top), w.i32(4))),
          moveFrame(plan, { from, to, top, handle, length, fresh }, txFormat.command),
          w.set(bytes, w.add(w.get(bytes), w.get(length))),
          w.set(left, w.sub(w.get(left), w.i32(1))),
          w.jumpIf(1, w.get(left)),
          w.jump(2),
        ),
        w.jumpIf(1, w.isZero64(w.and64(w.get(status), w.i64(rxFormat.done)))),
        armRx(rx, from, w.load32(handleAt(from), rx.handles)),
        w.when(
          w.isZero64(w.and64(w.get(status), w.i64(rxFormat.last))),
          [w.set(good, w.i64(~checked)), storeCell(spread, w.i32(1))],
          [
            w.set(good, w.i64(checkedGood)),
            storeCell(spread, w.i32(0)),
            addTo(rx.cells + Cell.ERRORS, w.i64(1n)),
          ],
        ),
        w.set(moved, w.i32(1)),
        w.set(from, nextIndex(from, rx.size)),
        w.jumpIf(0, w.different(w.get(from), w.get(first))),
      ),
    ),
    storeCell(rx.cells + Cell.INDEX, w.get(from)),
    storeCell(tx.cells + Cell.INDEX, w.get(to)),
    storeCell(stack.top, w.get(top)),
    w.set(left, w.sub(w.get(max), w.get(left))),
    w.when(w.get(left), [
      w.set(moved, w.i32(1)),
      count(plan.cells, w.get(left), w.get(bytes)),
      askReports(tx, txFormat, firstTo, to, room),
    ]),
    plan.tails === undefined
      ? w.choose(w.get(moved), movedResult(plan, w.get(left), from, to), w.i32(0))
      : w.seq(
          storeTails(plan, plan.tails, from, to),
          w.choose(w.get(moved), w.sub(w.i32(-1), w.get(left)), w.i32(0)),
        ),
  );
  return f;
}
