/**
 * errno → likely cause and cure, per system call. The kernel's meanings are those of drivers/vfio and
 * drivers/iommu; each entry looks at the machine when it is asked, so that it names what is wrong here and now.
 */
import { allowsUnsafeInterrupts, dmaEntryLimit, kernelRelease } from './facts';
import {
  type Explanation,
  badMap,
  bindRefused,
  dead,
  memlockExceeded,
  noMemory,
  needlessToken,
  noNode,
  noPermission,
  notViable,
  rangeOf,
  userMemlockExceeded,
  vfToken,
} from './explanations';
import type { Context } from './explain';
import { groupMembers } from '../pci/sysfs';

type Cause = (context: Context) => Explanation | undefined;

/** The explanation for a failed call, or nothing where the errno says it all. */
export function causes(syscall: string, code: string, context: Context): Explanation {
  return table[`${syscall} ${code}`]?.(context) ?? {};
}

const table: Record<string, Cause> = {
  'open ENOENT': noNode,
  'open ENODEV': context => ({
    likelyCause: `no device stands behind ${context.path ?? 'this node'} any more`,
    cure: 'bind the device to vfio-pci again',
  }),
  'open EACCES': noPermission,
  'open EPERM': noPermission,
  'open EBUSY': context => ({
    likelyCause:
      `the group is open already: only one holder at a time may open ${context.path ?? 'it'}, ` +
      'and none while a device of it is open by its cdev',
    cure: 'close it there, or share one Group (and its Container) between the devices of the group',
  }),

  'VFIO_GROUP_SET_CONTAINER EINVAL': () => ({ likelyCause: 'the group is in a container already' }),
  'VFIO_GROUP_SET_CONTAINER EPERM': notViable,
  'VFIO_GROUP_SET_CONTAINER EBUSY': notViable,
  'VFIO_GROUP_UNSET_CONTAINER EBUSY': () => ({
    likelyCause: 'a device of the group is still open, or a BAR mapping of it still exists',
    cure: 'close every Device of the group first',
  }),

  'VFIO_SET_IOMMU EPERM': () =>
    allowsUnsafeInterrupts()
      ? { likelyCause: 'the IOMMU refused the group' }
      : {
          likelyCause: 'the IOMMU does not remap interrupts, so a device could forge them',
          cure:
            'turn interrupt remapping on (firmware, or intremap on the kernel command line), or accept the risk with ' +
            'options vfio_iommu_type1 allow_unsafe_interrupts=1',
        },
  'VFIO_SET_IOMMU EINVAL': () => ({
    likelyCause: 'no group is attached to the container, or it has an IOMMU already',
  }),
  'VFIO_SET_IOMMU ENODEV': () => ({
    likelyCause: 'no IOMMU driver of that type takes these groups',
    cure: 'load vfio_iommu_type1',
  }),

  'VFIO_GROUP_GET_DEVICE_FD ENODEV': context => ({
    likelyCause: `${context.address ?? 'the device'} is not a member of the group, or not bound to vfio-pci`,
    cure: `open a member of the group: ${groupMembers(context.groupId ?? -1).join(', ') || 'it has none'}`,
  }),
  'VFIO_GROUP_GET_DEVICE_FD EINVAL': context =>
    needlessToken(context) ?? {
      likelyCause: 'the group is in no container, or the container has no IOMMU set',
      cure: 'attach the group and call setIommu() before opening its devices',
    },
  'VFIO_GROUP_GET_DEVICE_FD EACCES': vfToken,
  'VFIO_GROUP_GET_DEVICE_FD EBUSY': () => ({ likelyCause: 'the device is in use or could not be woken up' }),

  'VFIO_DEVICE_BIND_IOMMUFD EBUSY': context => ({
    likelyCause: `group ${context.groupId ?? '?'} is open: a device is opened by its group or by its cdev, not both`,
    cure: 'close the group, or open the device by it',
  }),
  'VFIO_DEVICE_BIND_IOMMUFD EINVAL': context =>
    needlessToken(context) ?? { likelyCause: 'the device is open already, in another program' },
  'VFIO_DEVICE_BIND_IOMMUFD EPERM': bindRefused,
  'VFIO_DEVICE_BIND_IOMMUFD EACCES': vfToken,
  'VFIO_DEVICE_ATTACH_IOMMUFD_PT ENODEV': context => ({
    likelyCause: `the page table sends page faults to a queue, and ${context.address ?? 'the device'} reports none (PRI)`,
  }),
  'VFIO_DEVICE_ATTACH_IOMMUFD_PT EINVAL': context =>
    context.facts?.['pasid'] === undefined
      ? {
          likelyCause:
            `the IOMMU of ${context.address ?? 'the device'} cannot use that page table, or another device of its group is ` +
            'attached to another one',
          cure: 'a page table made for this device, and the same for all of its group',
        }
      : {
          likelyCause: `${context.address ?? 'the device'} has no PASIDs, or the page table was not made for them`,
          cure: 'HwPageTable.alloc(…, { pasid: true })',
        },
  'VFIO_DEVICE_ATTACH_IOMMUFD_PT EADDRINUSE': context => ({
    likelyCause: `something is mapped or allowed where ${context.address ?? 'the device'} has a reserved window`,
    cure: `free it first; the windows are in /sys/bus/pci/devices/${context.address ?? '…'}/iommu_group/reserved_regions`,
  }),

  'IOMMU_GET_HW_INFO ENOTSUP': () => ({ likelyCause: 'the IOMMU has nothing to tell in that format' }),
  'IOMMU_HWPT_ALLOC ENOTSUP': context => ({
    likelyCause: `the IOMMU of ${context.address ?? 'the device'} cannot do that`,
    cure: 'iommufd.hwInfo(device) tells some of what it can',
  }),
  'IOMMU_HWPT_SET_DIRTY_TRACKING ENOTSUP': () => ({
    likelyCause: 'the page table was not made with dirtyTracking',
  }),
  'IOMMU_HWPT_GET_DIRTY_BITMAP EINVAL': () => ({
    likelyCause: 'the range is not whole pages of the IOMMU and of the page size asked for',
  }),
  'IOMMU_VIOMMU_ALLOC ENOTSUP': context => ({
    likelyCause: `the IOMMU of ${context.address ?? 'the device'} has no virtual IOMMUs of that type`,
  }),
  'IOMMU_DESTROY EBUSY': () => ({
    likelyCause: 'a device is attached to it, or another object is made over it',
  }),
  'IOMMU_OPTION EBUSY': () => ({
    likelyCause: 'the iommufd has address spaces or devices already',
    cure: 'set it first thing after Iommufd.open()',
  }),
  'IOMMU_OPTION EPERM': () => ({ likelyCause: 'this process lacks CAP_SYS_RESOURCE' }),
  'IOMMU_VFIO_IOAS ENODEV': () => ({
    likelyCause: 'no container uses the iommufd yet, and no address space was set for them',
    cure: 'setCompatIoas()',
  }),
  'IOMMU_IOAS_COPY ENOENT': () => ({
    likelyCause: 'nothing is mapped there in the source, or less than the length asked for',
  }),
  'IOMMU_IOAS_MAP ENOMEM': userMemlockExceeded,
  'IOMMU_IOAS_MAP_FILE ENOMEM': userMemlockExceeded,
  'VFIO_DEVICE_ATTACH_IOMMUFD_PT ENOMEM': userMemlockExceeded,
  'IOMMU_IOAS_MAP_FILE EINVAL': () => ({
    likelyCause:
      'the file is no memfd, file of a tmpfs, or dma-buf, or the range is not whole pages within it',
  }),

  'VFIO_IOMMU_MAP_DMA EINVAL': badMap,
  'VFIO_IOMMU_MAP_DMA EEXIST': context => ({
    likelyCause: `part of ${rangeOf(context)} is mapped already in this container`,
    cure: 'unmap it first, or leave the IOVA to the allocator',
  }),
  'VFIO_IOMMU_MAP_DMA ENOSPC': context => ({
    likelyCause:
      `the container's budget of DMA mappings is used up: ${context.facts?.['mapped'] ?? 'all'} mappings exist, ` +
      `dma_entry_limit is ${dmaEntryLimit()}`,
    cure: 'map fewer, larger pieces, or raise options vfio_iommu_type1 dma_entry_limit',
  }),
  'VFIO_IOMMU_MAP_DMA ENOMEM': memlockExceeded,
  'VFIO_IOMMU_MAP_DMA EFAULT': () => ({
    likelyCause: 'the memory behind the address is not there or may not be written',
  }),

  'VFIO_IOMMU_UNMAP_DMA EINVAL': ({ facts }) =>
    facts?.['bitmapPage'] === undefined
      ? undefined
      : { likelyCause: 'dirty-page tracking is off, or pageSize is not the smallest page of the IOMMU' },
  'VFIO_IOMMU_UNMAP_DMA EBUSY': () => ({
    likelyCause: 'a mediated device is in the container: its driver may use the old address at any time',
  }),
  'VFIO_IOMMU_DIRTY_PAGES EACCES': () => ({
    likelyCause: 'the container is set to Type1, whose mappings cannot be tracked',
    cure: 'container.setIommu(Iommu.Type1v2)',
  }),
  'VFIO_IOMMU_DIRTY_PAGES EINVAL': () => ({
    likelyCause:
      'dirty-page tracking is off, the range cuts a mapping in two, or pageSize is not the smallest page of the IOMMU',
  }),
  'VFIO_IOMMU_DIRTY_PAGES ENOTTY': () => ({
    likelyCause: 'no IOMMU is set, or the container is one over an iommufd, which tracks pages by page table',
    cure: 'HwPageTable.dirtyBitmap()',
  }),

  'mmap ENOMEM': noMemory,
  'mmap EINVAL': context =>
    context.facts?.['hugePageSize'] === undefined
      ? undefined
      : { likelyCause: `this kernel has no huge pages of ${context.facts['hugePageSize']} bytes` },
  'mbind EINVAL': () => ({ likelyCause: 'this machine has no such NUMA node' }),
  'mmap EAGAIN': memlockExceeded,
  'madvise ENOMEM': noMemory,
  'madvise EFAULT': noMemory,
  'write EINVAL': context =>
    context.facts?.['cookie'] === undefined
      ? undefined
      : { likelyCause: `no fault with cookie ${context.facts['cookie']} waits for an answer` },
  'pread EIO': dead,
  'pwrite EIO': dead,

  'VFIO_DEVICE_SET_IRQS EINVAL': () => ({
    likelyCause: 'the device lacks that vector, or another kind of interrupt of it is enabled',
  }),
  'VFIO_DEVICE_SET_IRQS ENOSPC': () => ({ likelyCause: 'the machine has too few interrupt vectors left' }),
  'VFIO_DEVICE_PCI_HOT_RESET EINVAL': () => ({
    likelyCause:
      'something on the bus or in the slot is not on vfio-pci, or the device is a virtual function, which cannot reset the bus',
  }),
  'VFIO_DEVICE_PCI_HOT_RESET EBUSY': () => ({
    likelyCause: 'one of the devices is being accessed or reset at this moment',
    cure: 'try again',
  }),
  'VFIO_DEVICE_RESET ENOTTY': () => ({ likelyCause: 'the device has no reset of its own' }),
  'VFIO_DEVICE_RESET EINVAL': () => ({ likelyCause: 'the device has no reset of its own' }),

  'VFIO_DEVICE_IOEVENTFD EINVAL': () => ({
    likelyCause:
      'the kernel takes an ioeventfd only inside a BAR, aligned to its width, and not over the MSI-X table',
  }),
  'VFIO_DEVICE_IOEVENTFD EEXIST': () => ({
    likelyCause: 'the same offset, width and value has an ioeventfd already',
  }),
  'VFIO_DEVICE_IOEVENTFD ENOSPC': () => ({
    likelyCause: 'a device takes 1,000 ioeventfds at most and has them',
  }),
  'VFIO_DEVICE_IOEVENTFD ENOTTY': () => ({
    likelyCause: `this kernel (${kernelRelease()}) has no ioeventfd for it`,
  }),
};
