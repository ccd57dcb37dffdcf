import { DESCRIPTOR, type RxFormat } from '../ring-format';
import * as w from './code';
import { FunctionCode } from './program';
import {
  addTo,
  armRx,
  Cell,
  count,
  handleAt,
  loadCell,
  MOVED,
  nextIndex,
  number,
  type RingPlace,
  rxLength,
  storeCell,
  TAIL_SHIFT,
} from './ring-code';

/**
 * receive(where to put handles and lengths, how many at most): MOVED | tail | frames, or 0
 *
 * @param notes where what {@link RxFormat.noteShift} asks for goes; undefined when that is nothing
 */
export function rxCode(ring: RingPlace, format: RxFormat, notes?: number): FunctionCode {
  const f = new FunctionCode(2);
  const [out, max] = [f.parameter(0), f.parameter(1)];
  const [index, first, top, start, end, bytes, length, fresh, moved] = [
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
  const { cells, handles, pool, size } = ring;
  const { stack, bufferBytes } = pool;
  const spread = cells + Cell.SPREAD;
  const checked = format.done | format.good.mask;
  const checkedGood = format.done | format.good.value;
  const note = w.low(w.shiftRight64(w.get(status), w.i64(BigInt(format.noteShift ?? 0))));
  const noteAt = w.shiftRight(w.sub(w.get(out), w.get(start)), w.i32(1));

  f.body = w.seq(
    w.set(index, loadCell(cells + Cell.INDEX)),
    w.set(first, w.get(index)),
    w.set(top, loadCell(stack.top)),
    // While the end of a frame is missing, no descriptor is good: a value that the mask never leaves.
    w.set(good, w.choose(loadCell(spread), w.i64(~checked), w.i64(checkedGood))),
    w.set(start, w.get(out)),
    w.set(end, w.add(w.get(out), w.shiftLeft(w.get(max), w.i32(3)))),
    w.block(
      w.jumpIf(0, w.not(w.get(max))),
      w.loop(
        w.set(status, w.atomicLoad64(w.get(index), ring.descriptors + 8)),
        w.block(
          w.jumpIf(0, w.different64(w.and64(w.get(status), w.i64(checked)), w.get(good))),
          w.set(length, rxLength(format, w.get(status))),
          // Neither empty nor longer than its buffer, whatever the device says.
          w.jumpIf(0, w.greater(w.sub(w.get(length), w.i32(1)), w.i32(bufferBytes - 1))),
          w.when(w.equal(w.get(top), w.i32(stack.start)), [
            addTo(cells + Cell.NO_BUFFER, w.i64(1n)),
            w.jump(3),
          ]),
          w.set(top, w.sub(w.get(top), w.i32(4))),
          w.set(fresh, w.load32(w.get(top), 0)),
          w.store64(
            w.get(out),
            0,
            w.or64(
              w.wide(w.load32(handleAt(index), handles)),
              w.shiftLeft64(w.wide(w.get(length)), w.i64(32n)),
            ),
          ),
          ...(notes === undefined ? [] : [w.store32(noteAt, notes, note)]),
          w.store32(handleAt(index), handles, w.get(fresh)),
          armRx(ring, index, w.get(fresh)),
          w.set(bytes, w.add(w.get(bytes), w.get(length))),
          w.set(out, w.add(w.get(out), w.i32(8))),
          w.set(index, nextIndex(index, size)),
          w.jumpIf(1, w.different(w.get(out), w.get(end))),
          w.jump(2),
        ),
        w.jumpIf(1, w.isZero64(w.and64(w.get(status), w.i64(format.done)))),
        // Dropped: its buffer goes back to the device. A frame that is spread over several counts once, at its end.
        armRx(ring, index, w.load32(handleAt(index), handles)),
        w.when(
          w.isZero64(w.and64(w.get(status), w.i64(format.last))),
          [w.set(good, w.i64(~checked)), storeCell(spread, w.i32(1))],
          [
            w.set(good, w.i64(checkedGood)),
            storeCell(spread, w.i32(0)),
            addTo(cells + Cell.ERRORS, w.i64(1n)),
          ],
        ),
        w.set(moved, w.i32(1)),
        w.set(index, nextIndex(index, size)),
        // A device that says "done" for ever must not keep us here.
        w.jumpIf(0, w.different(w.get(index), w.get(first))),
      ),
    ),
    w.set(moved, w.or(w.get(moved), w.different(w.get(out), w.get(start)))),
    w.when(w.get(moved), [
      storeCell(cells + Cell.INDEX, w.get(index)),
      storeCell(stack.top, w.get(top)),
      count(cells, number8(w.sub(w.get(out), w.get(start))), w.get(bytes)),
    ]),
    w.choose(
      w.get(moved),
      w.add(
        w.add(w.i32(MOVED), number8(w.sub(w.get(out), w.get(start)))),
        // The tail names the last descriptor given back, so that one always stays out of the device's reach.
        w.shiftLeft(
          number(w.and(w.sub(w.get(index), w.i32(DESCRIPTOR)), w.i32(size * DESCRIPTOR - 1))),
          w.i32(TAIL_SHIFT),
        ),
      ),
      w.i32(0),
    ),
  );
  return f;
}

/** How many frames so many bytes of a burst are. */
function number8(bytes: w.Code): w.Code {
  return w.shiftRight(bytes, w.i32(3));
}
