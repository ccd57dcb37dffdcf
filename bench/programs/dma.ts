/** Mapping memory for a device and unmapping it; compare bench/c/dma.c. */
import { readFileSync } from 'node:fs';
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

/** Of this process, in transparent huge pages. */
function hugeBytes(): number {
  const text = readFileSync('/proc/self/smaps_rollup', 'utf8');
  return 1024 * Number(/AnonHugePages:\s+(\d+)/.exec(text)?.[1]);
}

/** Small ones through the same code, until V8 has compiled it: there are not many large ones to warm up with. */
const WARM_UP = 4000;

const [address, how, size, count] = programArguments('ADDRESS', 'map|map-huge|alloc', 'SIZE', 'TIMES');
const bytes = Number(size);
const times = Number(count);
using device = Device.openSync(address);
const { dma } = device;

let acquire: () => DmaBuffer;
if (how === 'alloc') {
  for (let i = 0; i < WARM_UP; i++) dma.alloc(4096).free();
  acquire = () => dma.alloc(bytes, { hugepages: true });
} else {
  const memory = userMemory(bytes);
  if (how === 'map-huge' && hugeBytes() < bytes) throw new Error('the memory is not in huge pages');
  for (let i = 0; i < WARM_UP; i++) dma.map(memory.subarray(0, 4096)).free();
  acquire = () => dma.map(memory);
}

const mapping = new Float64Array(times);
const unmapping = new Float64Array(times);
for (let i = -(times >>> 1); i < times; i++) {
  const start = now();
  const buffer = acquire();
  const mapped = now();
  buffer.free();
  const end = now();
  // The first are warm-up, too.
  if (i < 0) continue;
  mapping[i] = mapped - start;
  unmapping[i] = end - mapped;
}
reportMedian('map', mapping);
reportMedian('unmap', unmapping);
