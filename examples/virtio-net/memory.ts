/** The buffers of a driver whose user brings none. */
import { type Dma } from 'vfio';
import { Arena, BufferPool } from 'vfio/kit';

/** Holds any frame of an Ethernet without jumbo frames. */
const BUFFER_BYTES = 2048;
/** Beside the buffers: for each slot two descriptors, their places in two rings, and a header; and what is rounded up. */
const SLOT_BYTES = 2 * (16 + 2 + 8) + 16;
const OVERHEAD = 1 << 16;

/** A pool for one device: a buffer for each slot of both queues, and half as many for the application to hold. */
export function makePool(dma: Dma, rxFrames: number, txFrames: number): BufferPool {
  const slots = rxFrames + txFrames;
  const count = Math.ceil(1.5 * slots);
  const bytes = BufferPool.bytesFor(count, BUFFER_BYTES, dma) + slots * SLOT_BYTES + OVERHEAD;
  return new BufferPool(Arena.for(dma, bytes), { count, bufferBytes: BUFFER_BYTES });
}
