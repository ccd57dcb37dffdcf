/** The buffers of a driver whose user brings none. */
import { type Dma } from 'vfio';
import { Arena, BufferPool } from 'vfio/kit';
import { BUFFER_BYTES } from './descriptors.js';

/** Bytes beside the buffers: rings, and what the kit keeps for them. */
const OVERHEAD = 1 << 17;

/**
 * A pool for one NIC: a buffer for each descriptor, so that both rings can be full at once, and half as many for the
 * application to hold. Programs that forward share one pool between their NICs instead.
 */
export function makePool(dma: Dma, rxDescriptors: number, txDescriptors: number): BufferPool {
  const count = Math.ceil(1.5 * (rxDescriptors + txDescriptors));
  const rings = 32 * (rxDescriptors + txDescriptors);
  return new BufferPool(Arena.for(dma, BufferPool.bytesFor(count, BUFFER_BYTES, dma) + rings + OVERHEAD), {
    count,
  });
}
