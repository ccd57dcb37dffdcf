import { type Benchmark } from './benchmark.js';
import { allocations } from './rows/allocations.js';
import { dma } from './rows/dma.js';
import { eventfdBurst, eventfdHandles, eventfdLatency } from './rows/eventfd.js';
import { forwarders } from './rows/forwarder.js';
import { counted, rates } from './rows/dpdk.js';
import { interrupts } from './rows/interrupts.js';
import { pauses } from './rows/pauses.js';
import { open } from './rows/open.js';
import { registers } from './rows/registers.js';

/** All there are, in the order they run: those of this machine first, then those that share one boot of the lab. */
export const benchmarks: readonly Benchmark[] = [
  ...eventfdLatency,
  eventfdBurst,
  eventfdHandles,
  ...forwarders,
  allocations,
  ...pauses,
  registers,
  ...interrupts,
  open,
  ...dma,
  ...rates,
  ...counted,
];
