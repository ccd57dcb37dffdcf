/** A mapping and a DMA buffer that no VFIO device stands behind: the memory is real, and so is everything of this package. */
import { DmaBuffer, Mapping } from '../../lib/index.js';
import { native } from '../../lib/native.js';
import type { FileDevice } from './file-device.js';

/** All of a file that stands for a device. */
export function looseMapping(device: FileDevice, address = '0000:03:00.0'): Mapping {
  const region = { name: 'BAR0', address, closed: false };
  return new Mapping(region, 0, device.size, [[0, device.size]], true, device.map());
}

/** Memory of `bytes`, or what was brought, which nothing is mapped for. */
export function looseBuffer(bytes = 8192, brought?: Uint8Array<SharedArrayBuffer>): DmaBuffer {
  const memory = brought ? native().memoryFromView(brought) : native().memoryAlloc(bytes, 0, 0, -1, false);
  if (memory instanceof Promise) throw new Error('a plain result was asked for');
  const owner = {
    memoryOf: () => memory,
    release: (buffer: DmaBuffer) => {
      buffer.markFreed();
      native().memoryFree(memory);
    },
  };
  const view = brought ?? { buffer: native().memoryBuffer(memory), byteOffset: 0, byteLength: bytes };
  return new DmaBuffer(owner, 0x12_3456_7000n, view, { deviceReads: true, deviceWrites: false });
}
