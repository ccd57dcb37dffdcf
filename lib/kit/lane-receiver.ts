import { type BufferPool } from './buffer-pool';
import { Burst } from './burst';
import { type Lane, LaneCell, LaneEnd } from './lane';
import { type RxSource } from './nic';
import { wrongBurst } from './ring';

/** The end of a {@link Lane} that frames come out of, in the thread that is to have them. */
export class LaneReceiver extends LaneEnd {
  readonly #sentAt: number;
  readonly #receivedAt: number;
  readonly #returnedAt: number;
  readonly #collectedAt: number;
  readonly #owedAt: number;
  readonly #asleepAt: number;
  #received: number;

  /** @param pool this thread's part, which as many buffers go home from as frames come */
  constructor(pool: BufferPool, lane: Lane) {
    super(pool, lane);
    this.#sentAt = this.word(LaneCell.SENT);
    this.#receivedAt = this.word(LaneCell.RECEIVED);
    this.#returnedAt = this.word(LaneCell.RETURNED);
    this.#collectedAt = this.word(LaneCell.COLLECTED);
    this.#owedAt = this.word(LaneCell.OWED);
    this.#asleepAt = this.word(LaneCell.ASLEEP);
    this.#received = Atomics.load(this.u32, this.#receivedAt);
  }

  /**
   * Takes up to `max` frames into `burst`, from its beginning, and sends as many free buffers home. Never waits. The frames are
   * the caller's. Buffers that there are none for at the moment go home with later calls.
   *
   * @param max default as many as the burst has room for
   * @returns how many
   */
  receive(burst: Burst, max = burst.capacity): number {
    const { u32, pool, size, frames } = this;
    if (burst.arena !== pool.arena || max >>> 0 !== max || max > burst.capacity) {
      throw wrongBurst(pool.arena, burst, max, Infinity);
    }
    const received = this.#received;
    const count = Math.min(max, (Atomics.load(u32, this.#sentAt) - received) >>> 0);
    const { words } = burst;
    for (let i = 0; i < count; i++) {
      const at = frames + 2 * ((received + i) & (size - 1));
      words[2 * i] = u32[at] as number;
      words[2 * i + 1] = u32[at + 1] as number;
    }
    const owed = (u32[this.#owedAt] as number) + count;
    if (count > 0) {
      u32[this.#owedAt] = owed;
      this.#received = (received + count) >>> 0;
      Atomics.store(u32, this.#receivedAt, this.#received);
    }
    if (owed > 0) this.#sendHome(owed);
    return count;
  }

  /** Whether a frame waits. */
  get pending(): boolean {
    return Atomics.load(this.u32, this.#sentAt) !== this.#received;
  }

  /** Frames for which a buffer has yet to go home: {@link receive} sends it when there is one. */
  get owed(): number {
    return this.u32[this.#owedAt] as number;
  }

  /**
   * Has the sender call its `wake` with the next frame, once. A frame that came before has no such call: look at
   * {@link pending} afterwards.
   */
  arm(): void {
    Atomics.store(this.u32, this.#asleepAt, 1);
  }

  /** Keeps the sender from calling `wake`. */
  disarm(): void {
    Atomics.store(this.u32, this.#asleepAt, 0);
  }

  #sendHome(owed: number): void {
    const { u32, pool, size, home } = this;
    const returned = u32[this.#returnedAt] as number;
    const room = size - ((returned - Atomics.load(u32, this.#collectedAt)) >>> 0);
    let count = 0;
    for (; count < owed && count < room; count++) {
      const handle = pool.take();
      if (handle === 0) break;
      u32[home + ((returned + count) & (size - 1))] = handle;
    }
    if (count === 0) return;
    u32[this.#owedAt] = owed - count;
    Atomics.store(u32, this.#returnedAt, (returned + count) >>> 0);
  }
}

/**
 * A queue together with the lanes that bring frames to its thread, for an {@link RxLoop} whose work looks at all of them: it
 * sleeps while there is nothing in any, and the queue's vector wakes it, which the lanes' senders fire when they must.
 */
export function withLanes(source: RxSource, lanes: readonly LaneReceiver[]): RxSource {
  return {
    name: source.name,
    rxVector: source.rxVector,
    get closed() {
      return source.closed;
    },
    get rxPending() {
      return source.rxPending || lanes.some(lane => lane.pending);
    },
    armRxInterrupt: () => {
      source.armRxInterrupt();
      for (const lane of lanes) lane.arm();
    },
    disarmRxInterrupt: () => {
      for (const lane of lanes) lane.disarm();
      source.disarmRxInterrupt();
    },
  };
}
