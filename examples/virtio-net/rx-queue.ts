/** The receive queue: each of its slots has a buffer for the device to fill (5.1.6.3, 5.1.6.4). */
import { type BufferPool, type Burst } from 'vfio/kit';
import { NET_HEADER_BYTES } from './registers.js';
import { type Notifier } from './transport.js';
import { type Virtqueue } from './virtqueue.js';

export class RxQueue {
  /** Frames handed over, and their bytes. */
  frames = 0;
  bytes = 0;
  /** What the device said that cannot be: a slot it does not have, a frame of no length or longer than its buffer. */
  errors = 0;
  /** How often a frame had to stay in the queue because the pool was empty. */
  noBuffer = 0;
  #armed = false;
  #closed = false;

  /** @throws RangeError when the pool has too few buffers for it */
  constructor(
    private readonly queue: Virtqueue,
    private readonly pool: BufferPool,
    private readonly notifier: Notifier,
    private readonly index: number,
  ) {
    if (pool.free < queue.slots) {
      throw new RangeError(
        `a receive queue for ${queue.slots} frames needs as many buffers; the pool has ${pool.free} free of ${pool.count}`,
      );
    }
    for (let slot = 0; slot < queue.slots; slot++) queue.offer(slot, pool.take(), pool.bufferBytes);
  }

  get size(): number {
    return this.queue.slots;
  }

  /** Gives the device the first buffers, once it is ready. */
  start(): void {
    if (this.queue.publish()) this.notifier.notify(this.index);
  }

  /** See `Nic.rxBurst`. */
  burst(burst: Burst, max = burst.capacity): number {
    const { queue, pool } = this;
    if (this.#closed) throw new Error('The receive queue is closed.');
    if (burst.arena !== pool.arena || max >>> 0 !== max || max > burst.capacity)
      throw new RangeError(
        `The burst has room for ${burst.capacity} frames and must be of the pool's arena.`,
      );
    let count = 0;
    let fresh = 0;
    // However much a device says, one call looks at each slot once.
    let looked = 0;
    for (; looked < queue.slots && count < max && queue.pending; looked++) {
      // Nothing leaves the queue without another buffer in its place.
      if (fresh === 0) fresh = pool.take();
      if (fresh === 0) {
        this.noBuffer++;
        break;
      }
      const slot = queue.take();
      if (slot < 0) {
        this.errors++;
        continue;
      }
      const length = queue.written - NET_HEADER_BYTES;
      const handle = queue.release(slot);
      if (length < 1 || length > pool.bufferBytes) {
        this.errors++;
        queue.offer(slot, handle, pool.bufferBytes);
        continue;
      }
      queue.offer(slot, fresh, pool.bufferBytes);
      fresh = 0;
      burst.set(count++, handle, length);
      this.bytes += length;
    }
    if (fresh !== 0) pool.give(fresh);
    if (looked === 0) return 0;
    this.frames += count;
    // The interrupt that was asked for is over; with event indexes it would not come again anyway.
    if (this.#armed) this.disarm();
    if (queue.publish()) this.notifier.notify(this.index);
    return count;
  }

  get pending(): boolean {
    return this.queue.pending;
  }

  arm(): void {
    this.#armed = true;
    this.queue.arm();
  }

  disarm(): void {
    this.#armed = false;
    this.queue.disarm();
  }

  /** Gives the buffers back. The device must have been reset. */
  close(): void {
    this.#closed = true;
    this.queue.drain(handle => this.pool.give(handle));
  }
}
