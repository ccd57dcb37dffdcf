import type { Device } from '../../lib/device.js';
import { decodeIrqInfo } from '../../lib/irq/irq-info.js';
import { IrqVector } from '../../lib/irq/irq-vector.js';
import type { VectorOwner } from '../../lib/irq/vector-owner.js';

/** What a vector asks its device for. */
export interface DeviceState {
  address: string;
  closed: boolean;
  busMastering: boolean;
}

/** A vector that no device stands behind: signal its eventfd instead. */
export interface LooseVector {
  vector: IrqVector;
  device: DeviceState;
  /** What its owner was told. */
  released: IrqVector[];
}

export function looseVector({ counts = true, index = 0 } = {}): LooseVector {
  const device = { address: '0000:03:00.0', closed: false, busMastering: true };
  const released: IrqVector[] = [];
  const owner: VectorOwner = {
    info: decodeIrqInfo(2, { flags: 1, count: 8 }),
    release: vector => released.push(vector),
  };
  return { vector: new IrqVector(device as unknown as Device, owner, index, counts), device, released };
}

/** Until the loop has delivered what was signalled. */
export async function turns(count = 3): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise(resolve => setImmediate(resolve));
}
