import { coded, instanceOf, integer, typeError } from '../validate';
import type { Bell } from './doorbell';
import { checkEdit, type FrameEdit } from './frame-edit';
import { RxRing } from './rx-ring';
import { TxRing } from './tx-ring';
import { forwardCode } from './wasm/forward-code';
import { compileOne } from './wasm/program';
import { Cell } from './wasm/ring-code';

/**
 * Moves frames from a receive ring to a transmit ring in one compiled pass: receiving, changing and sending without
 * handing each frame to JavaScript in between. It is the fastest way from one port to another, several times as fast as
 * two bursts when frames come singly; the rings can be used by bursts as well, in turns.
 *
 * Both rings must use the same pool. Frames the transmit ring has no room for stay in the receive ring.
 */
export class Forwarder {
  readonly from: RxRing;
  readonly to: TxRing;
  /** @internal */
  readonly run: (max: number) => number;
  /** @internal */
  readonly cells: Uint32Array;
  /** @internal */
  readonly rxBell: Bell;
  /** @internal */
  readonly txBell: Bell;
  /** @internal */
  readonly rxCell: number;
  /** @internal */
  readonly txCell: number;
  /** @internal */
  readonly rxMask: number;

  /** @param edits what is changed in each frame, in this order */
  constructor(from: RxRing, to: TxRing, edits: readonly FrameEdit[] = []) {
    this.from = instanceOf(from, RxRing, 'from');
    this.to = instanceOf(to, TxRing, 'to');
    if (from.pool !== to.pool) throw typeError('to', "a TxRing of the pool that 'from' uses", to);
    if (from.pool.owners !== undefined) {
      // The books of a debug pool are kept by bursts.
      throw coded(new TypeError('a pool in debug mode takes bursts, not a Forwarder'), 'ERR_INVALID_STATE');
    }
    const { arena } = from.pool;
    const plan = {
      rx: from.place,
      rxFormat: from.format,
      tx: to.place,
      txFormat: to.format,
      limits: { min: to.minFrame, max: to.maxFrame },
      edits: edits.map((edit, i) => checkEdit(edit, `edits[${i}]`)),
    };
    this.run = compileOne(arena.memory, forwardCode(plan));
    this.cells = arena.u32;
    this.rxBell = from.bell;
    this.txBell = to.bell;
    this.rxCell = (from.place.cells + Cell.INDEX) >> 2;
    this.txCell = (to.place.cells + Cell.INDEX) >> 2;
    this.rxMask = from.size - 1;
  }

  /**
   * Forwards up to `max` frames and tells both devices. Never waits.
   *
   * @returns how many went
   */
  forward(max: number): number {
    if (max >>> 0 !== max) integer(max, 'max', 0, 2 ** 31);
    const moved = this.run(max);
    if (moved === 0) return 0;
    const { cells } = this;
    this.rxBell.ring((((cells[this.rxCell] as number) >> 4) - 1) & this.rxMask);
    if (moved < 0) return 0;
    this.txBell.ring((cells[this.txCell] as number) >> 4);
    return moved;
  }
}
