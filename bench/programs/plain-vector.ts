import type { Device } from '../../lib/device.js';
import { decodeIrqInfo } from '../../lib/irq/irq-info.js';
import { IrqVector } from '../../lib/irq/irq-vector.js';

/** The event source that drivers use, over an eventfd that nothing but the benchmark signals: it takes no device. */
export function plainVector(counts: boolean): IrqVector {
  const owner = { info: decodeIrqInfo(2, { flags: 1, count: 1 }), release: () => undefined };
  return new IrqVector({ address: 'none' } as unknown as Device, owner, 0, counts);
}
