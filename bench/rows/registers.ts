import { devices } from '../../lab/devices.js';
import { type Benchmark, pair } from '../benchmark.js';

/** Registers of the NIC's BAR0: STATUS read, one word of the multicast table written. */
export const registers: Benchmark = {
  name: 'registers',
  about: 'register access',
  place: 'lab',
  ...pair('registers', devices.nicA),
  figures: [
    { name: 'read32', label: 'mapping.read32' },
    { name: 'write32', label: 'mapping.write32' },
    { name: 'pread', label: 'region.read32 (pread)' },
    { name: 'pwrite', label: 'region.write32 (pwrite)' },
  ],
};
