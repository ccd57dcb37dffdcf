/** The transmit queue (5.1.6.2). */
import { type BufferPool, type Burst } from 'vfio/kit';
import { type Notifier } from './transport.js';
import { NONSENSE, NOTHING, type Virtqueue } from './virtqueue.js';

/** An Ethernet header. The device pads what the wire, if there is one, wants padded. */
export const MIN_FRAME = 14;
/** 1500 bytes of payload, the header, and a VLAN tag. */
export const MAX_FRAME = 1518;

export class TxQueue {
  /** Frames given to the device, and their bytes. */
  frames = 0;
  bytes = 0;
  /** Frames not sent: too short, too long, or in no buffer of the pool. */
  errors = 0;
  /** How often the device said that it sent what it does not have. */
  nonsense = 0;
  /** Slots that are ours. */
  readonly #free: Uint16Array;
  #freeCount: number;
  #closed = false;

  constructor(
    private readonly queue: Virtqueue,
    private readonly pool: BufferPool,
    private readonly notifier: Notifier,
    private readonly index: number,
  ) {
    this.#free = Uint16Array.from({ length: queue.slots }, (_, i) => queue.slots - 1 - i);
    this.#freeCount = queue.slots;
  }

  get size(): number {
    return this.queue.slots;
  }

  /** Frames that the device has not said to have sent. */
  get inFlight(): number {
    return this.queue.slots - this.#freeCount;
  }

  /** See `Nic.txPending`: takes back what was sent, and counts the others. */
  get unsent(): number {
    if (this.#closed) return 0;
    this.reclaim();
    return this.inFlight;
  }

  /** See `Nic.txBurst`. */
  burst(burst: Burst, count: number, from = 0): number {
    const { queue, pool } = this;
    const end = from + count;
    if (this.#closed) throw new Error('The transmit queue is closed.');
    if (burst.arena !== pool.arena || from >>> 0 !== from || count >>> 0 !== count || end > burst.capacity)
      throw new RangeError(`The burst has ${burst.capacity} frames and must be of the pool's arena.`);
    this.reclaim();
    let i = from;
    for (; i < end && this.#freeCount > 0; i++) {
      const handle = burst.handle(i);
      const length = burst.length(i);
      if (handle < pool.start || handle >= pool.start + pool.count * pool.stride) {
        this.errors++;
      } else if (length < MIN_FRAME || length > Math.min(MAX_FRAME, pool.bufferBytes)) {
        this.errors++;
        pool.give(handle);
      } else {
        queue.offer(this.#free[--this.#freeCount] as number, handle, length);
        this.frames++;
        this.bytes += length;
      }
    }
    if (queue.publish()) this.notifier.notify(this.index);
    return i - from;
  }

  /** Gives buffers of frames that were sent back to the pool. */
  reclaim(): void {
    const { queue, pool } = this;
    for (let looked = 0; looked < queue.slots; looked++) {
      const slot = queue.take();
      if (slot === NOTHING) return;
      if (slot === NONSENSE) this.nonsense++;
      else {
        pool.give(queue.release(slot));
        this.#free[this.#freeCount++] = slot;
      }
    }
  }

  /** Lets the next frame that was sent interrupt, once. */
  arm(): void {
    this.queue.arm();
  }

  /** Gives the buffers back. The device must have been reset. */
  close(): void {
    this.#closed = true;
    this.queue.drain(handle => this.pool.give(handle));
  }
}
