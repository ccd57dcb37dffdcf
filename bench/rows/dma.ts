import { devices } from '../../lab/devices.js';
import { type Benchmark, pair } from '../benchmark.js';

const KiB = 1024;
const MiB = 1024 * KiB;

function dmaRow(
  name: string,
  how: 'map' | 'map-huge' | 'alloc',
  bytes: number,
  times: number,
  size: string,
  setUp: string,
  goal?: string,
): Benchmark {
  const verbs = how === 'alloc' ? ['dma.alloc', 'free'] : ['dma.map', 'unmap'];
  return {
    name,
    about: `${verbs[0]} of ${size}`,
    place: 'lab',
    setUp,
    ...pair('dma', devices.nicA, how, String(bytes), String(times)),
    figures: [
      { name: 'map', label: `${verbs[0]} ${size}`, ...(goal === undefined ? {} : { goal }) },
      { name: 'unmap', label: `${verbs[1]} ${size}` },
    ],
  };
}

/** Sets how much memory comes in huge pages: unasked (transparent), and on request (reserved). */
function memory(transparent: 'always' | 'madvise', reservedPages: number): string {
  const thp = '/sys/kernel/mm/transparent_hugepage';
  return [
    'echo 3 >/proc/sys/vm/drop_caches',
    'echo 1 >/proc/sys/vm/compact_memory',
    `echo ${transparent} >${thp}/enabled`,
    `echo ${transparent} >${thp}/defrag`,
    `echo ${reservedPages} >/proc/sys/vm/nr_hugepages`,
  ].join('\n');
}

/** Memory that nobody asked to be in huge pages is not. */
const ordinary = memory('madvise', 0);
/** All memory is, where it is aligned for it: the only way for both sides to bring memory in huge pages. */
const huge = memory('always', 0);

/** `map` is given memory that is there; `alloc` gets it first, as the C program does by mmap. */
export const dma: readonly Benchmark[] = [
  dmaRow('dma-map-4k', 'map', 4 * KiB, 2000, '4 KiB', ordinary),
  dmaRow('dma-map-2m', 'map', 2 * MiB, 300, '2 MiB of ordinary pages', ordinary),
  dmaRow('dma-map-2m-huge', 'map-huge', 2 * MiB, 600, '2 MiB, one huge page', huge),
  dmaRow('dma-map-1g-huge', 'map-huge', 1024 * MiB, 4, '1 GiB of huge pages', huge, '≤ 1.05 ×'),
  dmaRow('dma-alloc-2m', 'alloc', 2 * MiB, 200, '2 MiB, one huge page', memory('madvise', 8)),
];
