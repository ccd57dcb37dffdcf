import { devices } from '../../lab/devices.js';
import { bindScript } from '../bind-script.js';
import { type Benchmark, ourProgram, type Side } from '../benchmark.js';

const needs = { program: 'dpdk-testpmd', package: 'dpdk-dev' };
const ports = [devices.nicA, devices.nicB];

/** Both NICs on vfio-pci, and the huge pages that DPDK wants. */
const setUp = [
  'set -e',
  // The other one is bound for every benchmark.
  bindScript(devices.nicB),
  'echo 128 >/proc/sys/vm/nr_hugepages',
  'mkdir -p /dev/hugepages',
  'mountpoint -q /dev/hugepages || mount -t hugetlbfs none /dev/hugepages',
].join('\n');

/** `cores` is how many of the guest's processors DPDK may have: one for its control, one for packets, or one for both. */
function testpmd(mode: 'transmit' | 'receive' | 'circulate', cores: 1 | 2): Side {
  return { ...ourProgram('testpmd', mode, String(cores), ...ports), name: 'testpmd' };
}

/**
 * The same NICs, cables and machine, driven by our drivers and by DPDK's in turns. Frames have 64 bytes without CRC, bursts
 * 32 frames, as testpmd has them unless told otherwise.
 */
export const rates: readonly Benchmark[] = [
  {
    name: 'nic-transmit',
    about: 'frames that a NIC sends, next to dpdk-testpmd --forward-mode=txonly',
    place: 'lab',
    needs,
    setUp,
    ours: ourProgram('transmit', devices.nicA),
    references: [testpmd('transmit', 2)],
    figures: [{ name: 'frame', label: 'transmit, per frame', goal: '≤ 1.05 (95 %)' }],
  },
  {
    name: 'nic-receive',
    about: 'frames that a NIC receives from dpdk-testpmd on the other, next to --forward-mode=rxonly',
    place: 'lab',
    needs,
    setUp,
    ours: ourProgram('receive', ...ports),
    references: [testpmd('receive', 2)],
    figures: [{ name: 'frame', label: 'receive, per frame' }],
  },
  {
    name: 'nic-forward',
    about: 'frames forwarded between two NICs in a ring, next to dpdk-testpmd --forward-mode=io',
    place: 'lab',
    needs,
    setUp,
    ours: ourProgram('circulate', ...ports),
    references: [testpmd('circulate', 2)],
    figures: [{ name: 'frame', label: 'forward, per frame', goal: '≤ 1.05 (95 %)' }],
  },
];

/** Instructions instead of times: the emulated devices cost none, and what is counted is the driver and the program. */
export const counted: readonly Benchmark[] = [
  {
    name: 'count-transmit',
    about: 'instructions for each frame sent, next to dpdk-testpmd --forward-mode=txonly',
    place: 'counted',
    needs,
    setUp,
    ours: ourProgram('transmit', devices.nicA),
    references: [testpmd('transmit', 1)],
    figures: [
      { name: 'frame', label: 'transmit, instructions per frame', goal: '≤ 1.00', unit: 'instructions' },
    ],
  },
  {
    name: 'count-forward',
    about: 'instructions for each frame forwarded, next to dpdk-testpmd --forward-mode=io',
    place: 'counted',
    needs,
    setUp,
    ours: ourProgram('circulate', ...ports),
    references: [testpmd('circulate', 1)],
    figures: [
      { name: 'frame', label: 'forward, instructions per frame', goal: '≤ 1.00', unit: 'instructions' },
    ],
  },
];
