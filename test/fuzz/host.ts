/**
 * A world for machines without a VFIO device: memory, eventfds, files and the event loop are real, and so is everything
 * of this package; a file stands for each device, and its ioctls are answered through the failure seam.
 */
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Container } from '../../lib/container.js';
import { EventFd } from '../../lib/eventfd.js';
import { Group } from '../../lib/group.js';
import { Iommufd } from '../../lib/iommufd/iommufd.js';
import { native } from '../../lib/native.js';
import { struct } from '../support/struct.js';
import type { World } from './world.js';

const deviceBytes = 65_536;
const nothing = new Uint8Array(0);

/** What the kernel says to each; those not here are the file's own to answer, which knows none. */
const answers: Record<string, Uint8Array> = {
  VFIO_GET_API_VERSION: nothing,
  VFIO_SET_IOMMU: nothing,
  VFIO_IOMMU_GET_INFO: struct(
    88,
    3,
    0x4020_1000n,
    24,
    0,
    1 | (1 << 16),
    64,
    2,
    0,
    0n,
    0xfedf_ffffn,
    0xfef0_0000n,
    2n ** 39n - 1n,
    3 | (1 << 16),
    0,
    65_535,
  ),
  VFIO_IOMMU_MAP_DMA: nothing,
  VFIO_IOMMU_UNMAP_DMA: nothing,
  VFIO_IOMMU_DIRTY_PAGES: nothing,
  VFIO_GROUP_GET_STATUS: struct(8, 1),
  VFIO_GROUP_SET_CONTAINER: nothing,
  VFIO_GROUP_UNSET_CONTAINER: nothing,
  VFIO_DEVICE_GET_INFO: struct(24, 3, 9, 5, 0, 0),
  VFIO_DEVICE_GET_REGION_INFO: struct(32, 7, 0, 0, BigInt(deviceBytes), 0n),
  VFIO_DEVICE_GET_IRQ_INFO: struct(16, 3, 0, 8),
  VFIO_DEVICE_SET_IRQS: nothing,
  VFIO_DEVICE_RESET: nothing,
  VFIO_DEVICE_IOEVENTFD: nothing,
  VFIO_DEVICE_PCI_HOT_RESET: nothing,
  VFIO_DEVICE_GET_PCI_HOT_RESET_INFO: struct(12, 0, 0),
  VFIO_DEVICE_FEATURE: nothing,
  VFIO_DEVICE_QUERY_GFX_PLANE: nothing,
  IOMMU_IOAS_ALLOC: struct(12, 0, 1),
  IOMMU_IOAS_ALLOW_IOVAS: nothing,
  IOMMU_IOAS_COPY: nothing,
  IOMMU_IOAS_MAP: nothing,
  IOMMU_IOAS_UNMAP: nothing,
  IOMMU_DESTROY: nothing,
  IOMMU_OPTION: nothing,
  IOMMU_VFIO_IOAS: nothing,
  IOMMU_HWPT_ALLOC: nothing,
  IOMMU_HWPT_INVALIDATE: nothing,
  IOMMU_GET_HW_INFO: nothing,
};
const forEver = 2 ** 32 - 1;

export function hostWorld(): World {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'vfio-fuzz-'));
  const file = path.join(directory, 'device');
  fs.writeFileSync(file, new Uint8Array(deviceBytes).fill(0x40));
  process.on('exit', () => fs.rmSync(directory, { recursive: true }));

  const addon = native();
  addon.containerOpen = addon.containerOpen.bind(addon, '/dev/null');
  addon.groupOpen = addon.groupOpen.bind(addon, '/dev/null');
  addon.iommufdOpen = addon.iommufdOpen.bind(addon, '/dev/null');
  addon.groupGetDeviceFd = (_group, _name, async) => addon.deviceOpenCdev(file, async);

  let group = 1;
  return {
    // None of them is on this machine: nothing of it shall be taken from its drivers.
    strings: [
      'ffff:1f:1f.7',
      '0000:ff:1f.7',
      'ff:1f.7',
      '83b8f4f2-509f-382f-3c1e-e6bfe0fa1001',
      'vfio-pci',
      'MSI-X',
      'Type1v2',
      '',
    ],
    failing: [
      ...Object.keys(answers),
      'open',
      'mmap',
      'madvise',
      'eventfd',
      'epoll_ctl',
      'pread',
      'pwrite',
      'read',
      'write',
      'poll',
    ],
    reset: () => {
      group = 1;
      for (const [name, bytes] of Object.entries(answers)) addon.answerNext(name, 0, 0, bytes, forEver);
      addon.answerNext('VFIO_CHECK_EXTENSION', 1, 0, nothing, forEver);
    },
    make: (random, keep) => {
      const what = random.below(8);
      if (what === 0) keep(new EventFd());
      if (what === 1) keep(Iommufd.open());
      if (what < 2) return;
      const container = keep(Container.open());
      const member = keep(Group.open(group++ % 1000));
      container.attach(member);
      container.setIommu();
      if (what > 4) keep(member.openDeviceSync('ffff:1f:1f.7'));
    },
    allowed: () => true,
    patienceMs: 5000,
  };
}
