/** The buffers of a driver whose user brings none. */
import { type Dma } from 'vfio';
import { Arena, BufferPool } from 'vfio/kit';
import { BUFFER_BYTES } from './descriptors.js';

/** Bytes beside the buffers, for each queue: what the rings are rounded up by, and what the kit keeps for them. */
const OVERHEAD = 1 << 16;

/** A pool for one NIC: a buffer for each descriptor of all queues, and half as many for the application to hold. */
export function makePool(dma: Dma, queues: number, descriptors: number): BufferPool {
  const count = Math.ceil(1.5 * queues * descriptors);
  // Each queue may have a stack of its own, which all buffers fit.
  const rings = queues * (32 * descriptors + 4 * count + OVERHEAD);
  return new BufferPool(Arena.for(dma, BufferPool.bytesFor(count, BUFFER_BYTES, dma) + rings), { count });
}
