import * as fs from 'node:fs';
import { native } from '../../../lib/native';
import { openFiles } from '../../support/open-files.js';

/** What this process holds of VFIO at the moment. */
export interface Held {
  /** Open files of VFIO and eventfds, by what they are. */
  files: Record<string, number>;
  /** Mappings of devices in this process's address space. */
  deviceMappings: number;
  /** Pages pinned for devices, in bytes: type1 counts them as locked, iommufd as pinned. */
  pinned: number;
  /** What the native layer knows of. */
  objects: ReturnType<ReturnType<typeof native>['liveObjects']>;
}

export function held(): Held {
  return {
    files: openFiles(/\/dev\/(vfio|iommu)|\[vfio|\[eventfd\]|\[iommufd/),
    deviceMappings: mappings().filter(line => /\[vfio-device\]|\/dev\/vfio\/devices\//.test(line)).length,
    pinned: statusBytes('VmLck') + statusBytes('VmPin'),
    objects: native().liveObjects(),
  };
}

/** The lines of /proc/self/maps. */
export function mappings(): string[] {
  return fs.readFileSync('/proc/self/maps', 'utf8').trim().split('\n');
}

/** A field of /proc/self/status that counts kilobytes, in bytes. */
export function statusBytes(field: 'VmLck' | 'VmPin' | 'VmRSS'): number {
  const match = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(fs.readFileSync('/proc/self/status', 'utf8'));
  return Number(match?.[1] ?? 0) * 1024;
}
