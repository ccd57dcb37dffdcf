import { DESCRIPTOR } from '../ring-format';
import * as w from './code';
import type { Code, Local } from './code';
import { type ForwardPlan, longestFrame, movedResult, moveFrame } from './forward-plan';
import type { FunctionCode } from './program';
import { Cell, countOne, loadCell, reclaimBatch, rxLength, storeCell } from './ring-code';

/**
 * One frame, when all is as it mostly is: no loop, and nothing kept for one. It returns from the function that it begins;
 * whatever is out of the ordinary is left to the rest of that, with nothing changed.
 */
export function forwardOne(plan: ForwardPlan, f: FunctionCode, max: Local): Code {
  const { rx, rxFormat, tx, txFormat, limits } = plan;
  if (plan.tails !== undefined) return [];
  const [from, to, clean, top, handle, length, fresh] = [
    f.local32(),
    f.local32(),
    f.local32(),
    f.local32(),
    f.local32(),
    f.local32(),
    f.local32(),
  ];
  const status = f.local64();
  const { stack } = rx.pool;
  const batch = reclaimBatch(tx.size) * DESCRIPTOR;
  const inFlight = w.and(w.sub(w.get(to), w.get(clean)), w.i32(tx.size * DESCRIPTOR - 1));
  const wanted = rxFormat.done | rxFormat.good.mask;

  return w.block(
    w.jumpIf(0, w.different(w.get(max), w.i32(1))),
    w.set(from, loadCell(rx.cells + Cell.INDEX)),
    w.set(status, w.atomicLoad64(w.get(from), rx.descriptors + 8)),
    w.jumpIf(
      0,
      w.different64(w.and64(w.get(status), w.i64(wanted)), w.i64(rxFormat.done | rxFormat.good.value)),
    ),
    w.set(length, rxLength(rxFormat, w.get(status))),
    w.jumpIf(0, w.greater(w.sub(w.get(length), w.i32(limits.min)), w.i32(longestFrame(plan) - limits.min))),
    w.jumpIf(0, loadCell(rx.cells + Cell.SPREAD)),
    w.set(top, loadCell(stack.top)),
    w.jumpIf(0, w.equal(w.get(top), w.i32(stack.start))),
    w.set(to, loadCell(tx.cells + Cell.INDEX)),
    w.set(clean, loadCell(tx.cells + Cell.CLEAN)),
    w.jumpIf(0, w.equal(inFlight, w.i32((tx.size - 1) * DESCRIPTOR))),
    // Time to look whether buffers can be taken back.
    w.jumpIf(0, w.not(w.and(w.get(to), w.i32(batch - 1)))),
    w.set(top, w.sub(w.get(top), w.i32(4))),
    storeCell(stack.top, w.get(top)),
    moveFrame(plan, { from, to, top, handle, length, fresh }, txFormat.command | txFormat.report),
    storeCell(rx.cells + Cell.INDEX, w.get(from)),
    storeCell(tx.cells + Cell.INDEX, w.get(to)),
    countOne(plan.cells, w.get(length)),
    w.give(movedResult(plan, w.i32(1), from, to)),
  );
}
