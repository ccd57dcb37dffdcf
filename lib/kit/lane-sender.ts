import { type BufferPool } from './buffer-pool';
import { Burst } from './burst';
import { type Lane, LaneCell, LaneEnd } from './lane';
import { wrongBurst } from './ring';

/** The end of a {@link Lane} that frames are put into, in the thread that has them. */
export class LaneSender extends LaneEnd {
  readonly #wake: (() => void) | undefined;
  readonly #sentAt: number;
  readonly #receivedAt: number;
  readonly #returnedAt: number;
  readonly #collectedAt: number;
  readonly #asleepAt: number;
  #sent: number;
  /** As it was last seen. */
  #received: number;

  /**
   * @param pool this thread's part
   * @param wake called after frames were put in for a receiver that sleeps, to interrupt it
   */
  constructor(pool: BufferPool, lane: Lane, wake?: () => void) {
    super(pool, lane);
    this.#wake = wake;
    this.#sentAt = this.word(LaneCell.SENT);
    this.#receivedAt = this.word(LaneCell.RECEIVED);
    this.#returnedAt = this.word(LaneCell.RETURNED);
    this.#collectedAt = this.word(LaneCell.COLLECTED);
    this.#asleepAt = this.word(LaneCell.ASLEEP);
    this.#sent = Atomics.load(this.u32, this.#sentAt);
    this.#received = Atomics.load(this.u32, this.#receivedAt);
  }

  /**
   * Hands frames of a burst over to the other thread. Never waits. The frames taken are that thread's; those there was no room for
   * stay the caller's.
   *
   * @param from the first frame's index in the burst
   * @returns how many were taken, from the first on
   */
  send(burst: Burst, count: number, from = 0): number {
    const { u32, pool, size } = this;
    const end = from + count;
    if (burst.arena !== pool.arena || from >>> 0 !== from || count >>> 0 !== count || end > burst.capacity) {
      throw wrongBurst(pool.arena, burst, end, Infinity);
    }
    this.collect();
    const sent = this.#sent;
    if (size - ((sent - this.#received) >>> 0) < count) this.#received = Atomics.load(u32, this.#receivedAt);
    const taken = Math.min(count, size - ((sent - this.#received) >>> 0));
    if (taken === 0) return 0;
    if (pool.owners !== undefined) pool.checkSending(burst, from, from + taken);
    const { words } = burst;
    for (let i = 0; i < taken; i++) {
      const at = this.frames + 2 * ((sent + i) & (size - 1));
      u32[at] = words[2 * (from + i)] as number;
      u32[at + 1] = words[2 * (from + i) + 1] as number;
    }
    this.#sent = (sent + taken) >>> 0;
    Atomics.store(u32, this.#sentAt, this.#sent);
    // The receiver says that it sleeps, then looks once more: one of us two sees what the other did.
    if (Atomics.load(u32, this.#asleepAt) === 1 && Atomics.exchange(u32, this.#asleepAt, 0) === 1) {
      this.#wake?.();
    }
    return taken;
  }

  /**
   * Gives the buffers that came back to the pool. {@link send} does so too; a thread that has nothing to send for want of
   * buffers must ask.
   *
   * @returns how many
   */
  collect(): number {
    const { u32, pool, size, home } = this;
    const returned = Atomics.load(u32, this.#returnedAt);
    const collected = u32[this.#collectedAt] as number;
    const count = (returned - collected) >>> 0;
    if (count === 0) return 0;
    for (let i = 0; i < count; i++) pool.give(u32[home + ((collected + i) & (size - 1))] as number);
    Atomics.store(u32, this.#collectedAt, returned);
    return count;
  }

  /** Frames sent for which no buffer has come back: 0 when all are home. */
  get away(): number {
    return (this.#sent - (this.u32[this.#collectedAt] as number)) >>> 0;
  }
}
