import * as fs from 'node:fs';
import type { IovaRange } from 'vfio';

/**
 * The windows of IOVAs that devices like this one must not use, as sysfs says them and without the library's help. Those
 * of type `direct-relaxable` are for the kernel's own drivers and free for others.
 */
export function reservedRegions(address: string): IovaRange[] {
  const text = fs.readFileSync(`/sys/bus/pci/devices/${address}/iommu_group/reserved_regions`, 'utf8');
  return text
    .trim()
    .split('\n')
    .map(line => line.split(' '))
    .filter(([start, , type]) => start !== '' && type !== 'direct-relaxable')
    .map(([start = '', last = '']) => ({ start: BigInt(start), last: BigInt(last) }));
}
