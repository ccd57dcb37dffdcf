import { unsupportedError } from '../errors/vfio-error';
import { coded, instanceOf, integer, typeError } from '../validate';
import type { Bell } from './doorbell';
import { checkEdit, type FrameEdit } from './frame-edit';
import { linkForwarder } from './ring';
import { RxRing } from './rx-ring';
import { TxRing } from './tx-ring';
import { forwardCode } from './wasm/forward-code';
import { Packed, PACKED_RING } from './wasm/forward-plan';
import { compileOne } from './wasm/program';
import { CELLS, Link } from './wasm/ring-code';

// On the path of frames an imported name would be looked up each time.
const { MASK, RX_TAIL, TX_TAIL } = Packed;

/**
 * Moves frames from a receive ring to a transmit ring in one compiled pass: receiving, changing and sending without
 * handing each frame to JavaScript in between. It is the fastest way from one port to another, several times as fast as
 * two bursts when frames come singly; the rings can be used by bursts as well, in turns.
 *
 * Both rings must use the same pool. Frames the transmit ring has no room for stay in the receive ring.
 */
export class Forwarder {
  declare readonly from: RxRing;
  declare readonly to: TxRing;
  /** @internal */
  declare readonly run: (max: number) => number;
  /** @internal Where the tails are left when they do not fit the result. */
  declare readonly tails: Uint32Array | undefined;
  /** @internal */
  declare readonly rxBell: Bell;
  /** @internal */
  declare readonly txBell: Bell;

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
    const { memory } = arena;
    if (memory === undefined) throw unsupportedError('Without an IOMMU there is no Forwarder', 'bursts');
    const tails = Math.max(from.size, to.size) > PACKED_RING ? arena.alloc(64) : undefined;
    const cells = arena.alloc(CELLS);
    const plan = {
      cells,
      tails,
      rx: from.place,
      rxFormat: from.format,
      tx: to.place,
      txFormat: to.format,
      limits: { min: to.minFrame, max: to.maxFrame },
      edits: edits.map((edit, i) => checkEdit(edit, `edits[${i}]`)),
    };
    this.run = compileOne(memory, forwardCode(plan));
    linkForwarder(from.place, Link.FROM, cells);
    linkForwarder(to.place, Link.TO, cells);
    this.tails = tails === undefined ? undefined : new Uint32Array(memory.buffer, tails, 2);
    this.rxBell = from.bell;
    this.txBell = to.bell;
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
    if (moved < 0) return this.ringLarge(moved);
    this.rxBell.ring((moved >>> RX_TAIL) & MASK);
    const count = moved & MASK;
    if (count > 0) this.txBell.ring((moved >>> TX_TAIL) & MASK);
    return count;
  }

  /** @internal The tails did not fit the result. */
  ringLarge(moved: number): number {
    const [rxTail = 0, txTail = 0] = this.tails ?? [];
    const count = ~moved;
    this.rxBell.ring(rxTail);
    if (count > 0) this.txBell.ring(txTail);
    return count;
  }
}
