/** Mapping memory for a device and unmapping it; compare bench/c/dma.c. */
import { Device } from '../../lib/device.js';
import type { DmaBuffer } from '../../lib/dma/dma-buffer.js';
import { native } from '../../lib/native.js';
import { programArguments } from './arguments.js';
import { now, reportMedian } from './report.js';

const HUGE = 2 << 20;

/** Memory of the user's own, touched, and aligned so that huge pages fit, where the system gives them unasked. */
function userMemory(bytes: number): Uint8Array<SharedArrayBuffer> {
  const buffer = new SharedArrayBuffer(bytes + HUGE);
  const handle = native().memoryFromView(new Uint8Array(buffer));
  const start = native().memoryAddress(handle);
  native().memoryFree(handle);
  const offset = (HUGE - Number(start % BigInt(HUGE))) % HUGE;
  return new Uint8Array(buffer, offset, bytes).fill(1);
}

const [address, how, size, count] = programArguments('ADDRESS', 'map|alloc', 'SIZE', 'TIMES');
const bytes = Number(size);
const times = Number(count);
using device = Device.openSync(address);
const { dma } = device;
let acquire: () => DmaBuffer;
if (how === 'map') {
  const memory = userMemory(bytes);
  acquire = () => dma.map(memory);
} else acquire = () => dma.alloc(bytes, { hugepages: true });

const mapping = new Float64Array(times);
const unmapping = new Float64Array(times);
for (let i = -(times >>> 1); i < times; i++) {
  const start = now();
  const buffer = acquire();
  const mapped = now();
  buffer.free();
  const end = now();
  // The first are warm-up.
  if (i < 0) continue;
  mapping[i] = mapped - start;
  unmapping[i] = end - mapped;
}
reportMedian('map', mapping);
reportMedian('unmap', unmapping);
