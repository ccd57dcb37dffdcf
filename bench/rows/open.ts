import { devices } from '../../lab/devices.js';
import { type Benchmark, pair } from '../benchmark.js';

/** A device's whole life. The kernel resets it at both ends, which is most of the time. */
export const open: Benchmark = {
  name: 'open',
  about: 'open, map BAR0, read a register, close',
  place: 'lab',
  ...pair('open', devices.nicA, '10'),
  figures: [
    { name: 'all', label: 'openSync + map + closeSync', goal: '≤ 1.25 ×' },
    { name: 'open', label: '  of it openSync + map' },
    { name: 'close', label: '  of it closeSync' },
    { name: 'async', against: 'all', label: 'await open + map + await close', goal: '≤ 1.25 ×' },
  ],
};
