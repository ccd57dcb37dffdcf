import { DESCRIPTOR, type TxFormat } from '../ring-format';
import * as w from './code';
import { FunctionCode } from './program';
import {
  addTo,
  askReports,
  Cell,
  count,
  fillTx,
  loadCell,
  MOVED,
  nextIndex,
  number,
  reclaim,
  type RingPlace,
  storeCell,
  TAIL_SHIFT,
} from './ring-code';

/** How long a frame may be. */
export interface FrameLimits {
  readonly min: number;
  readonly max: number;
}

/**
 * send(where handles and lengths are, how many): MOVED | tail | frames taken, or 0. Those of impossible length are taken,
 * too, counted, and their buffers go back to the pool.
 */
export function txCode(ring: RingPlace, format: TxFormat, limits: FrameLimits): FunctionCode {
  const f = new FunctionCode(2);
  const [at, wanted] = [f.parameter(0), f.parameter(1)];
  const [first, index, clean, top, start, end, bytes, length, room, taken] = [
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
  const word = f.local64();
  const { cells, pool, size } = ring;
  const { stack } = pool;

  f.body = w.seq(
    w.set(first, loadCell(cells + Cell.INDEX)),
    w.set(index, w.get(first)),
    w.set(clean, loadCell(cells + Cell.CLEAN)),
    w.set(top, loadCell(stack.top)),
    reclaim(ring, format, index, clean, top),
    // Never all descriptors: head equal to tail would mean none.
    w.set(
      room,
      number(
        w.and(w.sub(w.sub(w.get(clean), w.get(index)), w.i32(DESCRIPTOR)), w.i32(size * DESCRIPTOR - 1)),
      ),
    ),
    w.set(start, w.get(at)),
    w.set(
      end,
      w.add(
        w.get(at),
        w.shiftLeft(w.choose(w.less(w.get(wanted), w.get(room)), w.get(wanted), w.get(room)), w.i32(3)),
      ),
    ),
    w.when(w.different(w.get(at), w.get(end)), [
      w.loop(
        w.set(word, w.load64(w.get(at), 0)),
        w.set(length, w.low(w.shiftRight64(w.get(word), w.i64(32n)))),
        w.set(at, w.add(w.get(at), w.i32(8))),
        w.when(
          w.greater(w.sub(w.get(length), w.i32(limits.min)), w.i32(limits.max - limits.min)),
          [
            addTo(cells + Cell.ERRORS, w.i64(1n)),
            w.when(w.less(w.get(top), w.i32(stack.end)), [
              w.store32(w.get(top), 0, w.low(w.get(word))),
              w.set(top, w.add(w.get(top), w.i32(4))),
            ]),
          ],
          [
            fillTx(
              ring,
              format,
              format.command,
              index,
              w.low(w.get(word)),
              w.and64(w.get(word), w.i64(0xffff_ffffn)),
              w.shiftRight64(w.get(word), w.i64(32n)),
            ),
            w.set(bytes, w.add(w.get(bytes), w.get(length))),
            w.set(index, nextIndex(index, size)),
          ],
        ),
        w.jumpIf(0, w.different(w.get(at), w.get(end))),
      ),
    ]),
    storeCell(stack.top, w.get(top)),
    w.set(taken, w.shiftRight(w.sub(w.get(at), w.get(start)), w.i32(3))),
    w.when(w.get(taken), [
      count(
        cells,
        number(w.and(w.sub(w.get(index), w.get(first)), w.i32(size * DESCRIPTOR - 1))),
        w.get(bytes),
      ),
      w.when(w.different(w.get(first), w.get(index)), [askReports(ring, format, first, index, room)]),
      storeCell(cells + Cell.INDEX, w.get(index)),
    ]),
    w.choose(
      w.get(taken),
      w.add(w.add(w.i32(MOVED), w.get(taken)), w.shiftLeft(number(w.get(index)), w.i32(TAIL_SHIFT))),
      w.i32(0),
    ),
  );
  return f;
}
