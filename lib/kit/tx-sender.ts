import { closedError } from '../errors/vfio-error';
import { address64, instanceOf } from '../validate';
import { plainTx } from './plain-loops';
import type { Burst } from './burst';
import type { FrameSender } from './checksums';
import { wrongBurst } from './ring';
import { DESCRIPTOR } from './ring-format';
import { TxRing } from './tx-ring';
import { compileOne } from './wasm/program';
import { Cell, INDEX_MASK as MASK, TAIL_SHIFT } from './wasm/ring-code';
import { txCode } from './wasm/tx-code';

// On the path of frames an imported name would be looked up each time.
const [INDEX_MASK, TAIL] = [MASK, TAIL_SHIFT];

/** How a {@link TxSender} differs from its ring. */
export interface TxSenderOptions {
  /** Instead of that of the ring's format: {@link TxFormat.command}; {@link TxFormat.report} has to mean the same in it. */
  command: bigint;
  /**
   * Both 64-bit words of a descriptor that is no frame but says what the command refers to, which the device remembers: what
   * Intel calls a context. It must ask for being reported as done, like a frame. Default none.
   */
  context?: readonly [first: bigint, second: bigint];
}

/**
 * Another way to send by a {@link TxRing}: with another command in the descriptors, such as one that has the device write
 * checksums. The ring's own way costs nothing more for it. Bursts of several ways may follow each other as they come.
 *
 * A context goes into the ring when the last one in it was another's. It takes a descriptor, and a buffer of the pool that
 * comes back as those of frames do.
 */
export class TxSender implements FrameSender {
  declare readonly ring: TxRing;
  /** @internal */
  declare readonly context: readonly [bigint, bigint] | undefined;
  /** @internal */
  declare readonly send: (at: number, count: number) => number;

  /** @throws RangeError when a word has more than 64 bits */
  constructor(ring: TxRing, options: TxSenderOptions) {
    this.ring = instanceOf(ring, TxRing, 'ring');
    const { context } = options;
    const word = (value: bigint, name: string): bigint => address64(value, `options.${name}`);
    const format = { ...ring.format, command: word(options.command, 'command') };
    this.context = context && [word(context[0], 'context[0]'), word(context[1], 'context[1]')];
    const limits = { min: ring.minFrame, max: ring.maxFrame };
    const { memory } = ring.arena;
    this.send =
      memory === undefined
        ? plainTx(ring.place, format, limits)
        : compileOne(memory, txCode(ring.place, format, limits));
  }

  /** Sends frames as {@link TxRing.burst} does; none also while there is no descriptor or buffer for its context. */
  burst(burst: Burst, count: number, from = 0): number {
    const { ring } = this;
    const end = from + count;
    if (burst.arena !== ring.arena || from >>> 0 !== from || count >>> 0 !== count || end > burst.capacity) {
      throw wrongBurst(ring.arena, burst, end, Infinity);
    }
    if (ring.closed) throw closedError('The transmit ring');
    if (ring.debug) ring.pool.checkSending(burst, from, end);
    if (count > 0 && this.context !== undefined && ring.context !== this.context) {
      if (!this.announce(this.context)) return 0;
    }
    const result = this.send(burst.offset + 8 * from, count);
    if (result === 0) return 0;
    ring.bell.ring((result >>> TAIL) & INDEX_MASK);
    const taken = result & 0xffff;
    if (ring.debug) for (let i = from; i < from + taken; i++) ring.pool.lend(burst.handle(i));
    return taken;
  }

  /** @internal Puts the context into the ring, if there is room. */
  announce(context: readonly [bigint, bigint]): boolean {
    const { ring } = this;
    const { pool, place } = ring;
    const { u32, u64 } = ring.arena;
    // What was sent comes back first.
    ring.send(0, 0);
    if (ring.inFlight === ring.size - 1) return false;
    // Each descriptor has a buffer, so that all come back in the same way.
    const handle = pool.take();
    if (handle === 0) return false;
    pool.lend(handle);
    const index = u32[(place.cells + Cell.INDEX) >> 2] as number;
    u32[(place.handles + (index >> 2)) >> 2] = handle;
    u64[(place.descriptors + index) >> 3] = context[0];
    u64[(place.descriptors + index + 8) >> 3] = context[1];
    const next = (index + DESCRIPTOR) & (ring.size * DESCRIPTOR - 1);
    u32[(place.cells + Cell.INDEX) >> 2] = next;
    ring.context = context;
    ring.bell.ring(next / DESCRIPTOR);
    return true;
  }
}
