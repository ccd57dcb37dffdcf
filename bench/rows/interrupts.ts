import { devices } from '../../lab/devices.js';
import { type Benchmark, executable, pair } from '../benchmark.js';

/** The NIC as QEMU has it sends at most one interrupt in 128 µs, so shots keep well apart. */
const apartNs = '400000';

/** From the cause of an interrupt to the code that serves it. */
export const interrupts: readonly Benchmark[] = [
  {
    name: 'trigger',
    about: 'vector.trigger() → callback, in one thread',
    place: 'lab',
    ...pair('interrupt', devices.nicA, 'trigger', '4000', '20000'),
    figures: [
      { name: 'trigger-p50', label: 'software trigger → callback, median' },
      { name: 'trigger-p99', label: 'software trigger → callback, p99' },
    ],
  },
  {
    name: 'device-interrupt',
    about: 'register write → MSI-X → callback, in one thread',
    place: 'lab',
    ...pair('interrupt', devices.nicA, 'device', '3000', apartNs),
    figures: [
      { name: 'device-p50', label: 'device interrupt → callback, median' },
      { name: 'device-p99', label: 'device interrupt → callback, p99' },
    ],
  },
  {
    name: 'device-wakeup',
    about: 'another process rings an ioeventfd → register write → MSI-X → sleeping loop → callback',
    place: 'lab',
    ...pair('wakeup', devices.nicA, tools => executable('signaller', tools), '3000', apartNs),
    figures: [
      { name: 'wakeup-p50', label: 'device interrupt wakes the loop, median' },
      { name: 'wakeup-p99', label: 'device interrupt wakes the loop, p99' },
    ],
  },
];
