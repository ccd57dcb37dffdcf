import { devices } from '../../lab/devices.js';
import { type Benchmark, executable, pair } from '../benchmark.js';

/** The NIC as QEMU has it sends at most one interrupt in 128 µs of a clock that a busy host delays: shots keep apart. */
const apartNs = '1000000';

/** Interrupts go to the processor that serves them, as whoever cares for latency would have it. */
const setUp = 'echo 1 >/proc/irq/default_smp_affinity';

/** From the cause of an interrupt to the code that serves it. */
export const interrupts: readonly Benchmark[] = [
  {
    name: 'trigger',
    about: 'vector.trigger() → callback, in one thread',
    place: 'lab',
    setUp,
    ...pair('interrupt', devices.nicA, 'trigger', '6000', '20000'),
    figures: [
      { name: 'trigger-p50', label: 'software trigger → callback, median' },
      { name: 'trigger-p99', label: 'software trigger → callback, p99' },
    ],
  },
  {
    name: 'device-interrupt',
    about: 'register write → MSI-X → callback, in one thread',
    place: 'lab',
    setUp,
    ...pair('interrupt', devices.nicA, 'device', '2000', apartNs),
    figures: [
      { name: 'device-p50', label: 'device interrupt → callback, median' },
      { name: 'device-p99', label: 'device interrupt → callback, p99' },
    ],
  },
  {
    name: 'device-wakeup',
    about: 'another process rings an ioeventfd → register write → MSI-X → sleeping loop → callback',
    place: 'lab',
    setUp,
    ...pair('wakeup', devices.nicA, tools => executable('signaller', tools), '2000', apartNs),
    figures: [
      { name: 'wakeup-p50', label: 'device interrupt wakes the loop, median' },
      { name: 'wakeup-p99', label: 'device interrupt wakes the loop, p99' },
    ],
  },
];
