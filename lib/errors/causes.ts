/**
 * errno → likely cause and cure, per system call. The kernel's meanings are those of drivers/vfio and
 * drivers/iommu; each entry looks at the machine when it is asked, so that it names what is wrong here and now.
 */
import {
  allowsUnsafeInterrupts,
  dmaEntryLimit,
  hugePageDirectory,
  hugePages,
  iommuGroupCount,
  kernelRelease,
  memlock,
  moduleLoaded,
  nodeFacts,
} from './facts';
import type { Context } from './explain';
import { groupMembers, membersInTheWay } from '../pci/sysfs';

interface Explanation {
  likelyCause?: string;
  cure?: string;
}
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
    likelyCause: `the group is open already: only one holder at a time may open ${context.path ?? 'it'}`,
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
  'VFIO_GROUP_GET_DEVICE_FD EINVAL': () => ({
    likelyCause:
      'the group is in no container, the container has no IOMMU set, or a VF token was wrongly given',
    cure: 'attach the group and call setIommu() before opening its devices',
  }),
  'VFIO_GROUP_GET_DEVICE_FD EACCES': () => ({
    likelyCause: 'the device is a virtual function (or its physical one) and wants its VF token',
    cure: "look for 'VF token required to access device' in the kernel log",
  }),
  'VFIO_GROUP_GET_DEVICE_FD EBUSY': () => ({ likelyCause: 'the device is in use or could not be woken up' }),

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
  'pread EIO': dead,
  'pwrite EIO': dead,

  'VFIO_DEVICE_SET_IRQS EINVAL': () => ({
    likelyCause: 'the device lacks that vector, or another kind of interrupt of it is enabled',
  }),
  'VFIO_DEVICE_SET_IRQS ENOSPC': () => ({ likelyCause: 'the machine has too few interrupt vectors left' }),
  'VFIO_DEVICE_RESET ENOTTY': () => ({ likelyCause: 'the device has no reset of its own' }),
  'VFIO_DEVICE_RESET EINVAL': () => ({ likelyCause: 'the device has no reset of its own' }),

  'VFIO_DEVICE_IOEVENTFD EINVAL': () => ({
    likelyCause:
      'the kernel takes an ioeventfd only inside a memory BAR, aligned to its width, and not over the MSI-X table',
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

function noNode({ path }: Context): Explanation {
  if (path === '/dev/vfio/vfio') {
    return moduleLoaded('vfio')
      ? {
          likelyCause:
            'the vfio module is loaded but its node is missing: is this a container without /dev/vfio?',
        }
      : { likelyCause: 'the vfio module is not loaded', cure: 'modprobe vfio-pci' };
  }
  if (iommuGroupCount() === 0) {
    return {
      likelyCause: 'this kernel runs without an IOMMU, so there are no IOMMU groups',
      cure: 'turn on VT-d / AMD-Vi in the firmware and boot with intel_iommu=on',
    };
  }
  return {
    likelyCause: 'no device of that group is bound to vfio-pci, or the group does not exist',
    cure: 'bind one: Device.open(address, { bind: true })',
  };
}

function noPermission({ path }: Context): Explanation {
  const node = path === undefined ? undefined : nodeFacts(path);
  if (path === undefined || node === undefined) return { likelyCause: 'this user may not open it' };
  return {
    likelyCause:
      `${path} belongs to user ${node.owner}, group ${node.group}, mode ${node.mode}, and this process runs as user ` +
      `${process.geteuid?.() ?? '?'}, group ${process.getegid?.() ?? '?'}`,
    cure:
      'give it to a group of yours with a udev rule such as SUBSYSTEM=="vfio", GROUP="vfio", MODE="0660" ' +
      `in /etc/udev/rules.d/10-vfio.rules, or for now: chgrp vfio ${path} && chmod 660 ${path}`,
  };
}

function notViable({ groupId }: Context): Explanation | undefined {
  if (groupId === undefined) return undefined;
  const others = membersInTheWay(groupId);
  if (others.length === 0) return undefined;
  return {
    likelyCause: `group ${groupId} is not viable: ${others.map(one => `${one.address} is on driver ${one.driver}`).join(', ')}`,
    cure: 'bind every member of the group to vfio-pci, or unbind it from its driver',
  };
}

function rangeOf({ iova, size }: Context): string {
  if (iova === undefined || size === undefined) return 'the range';
  return `IOVA 0x${iova.toString(16)}-0x${(iova + BigInt(size) - 1n).toString(16)}`;
}

function badMap(context: Context): Explanation {
  const valid = context.facts?.['validRanges'];
  return {
    likelyCause: `the IOMMU refuses ${rangeOf(context)}: not aligned to its pages, or outside its valid ranges`,
    ...(valid === undefined ? {} : { cure: `an address within ${valid}` }),
  };
}

function memlockExceeded({ size }: Context): Explanation {
  const { soft, hard, locked, pinned, exempt } = memlock();
  if (exempt) return { likelyCause: `the machine is out of memory for ${size ?? 'these'} bytes` };
  return {
    likelyCause:
      `locked memory: RLIMIT_MEMLOCK allows ${soft} bytes (hard limit ${hard}), ${locked + pinned} are in use and ` +
      `${size ?? 'more'} were asked for`,
    cure: 'raise it: ulimit -l, LimitMEMLOCK= in systemd, or memlock in /etc/security/limits.conf',
  };
}

function noMemory(context: Context): Explanation {
  const pageSize = context.facts?.['hugePageSize'];
  if (typeof pageSize !== 'number') return memlockExceeded(context);
  const pool = hugePages(pageSize);
  const needed = Math.ceil((context.size ?? pageSize) / pageSize);
  return {
    likelyCause:
      pool === undefined
        ? `this kernel has no huge pages of ${pageSize} bytes`
        : `${needed} huge pages of ${pageSize} bytes are needed, ${pool.free} of ${pool.total} are free`,
    cure: `reserve more: echo ${needed + (pool?.total ?? 0)} > ${hugePageDirectory(pageSize)}/nr_hugepages`,
  };
}

function dead({ address }: Context): Explanation {
  return {
    likelyCause: `${address ?? 'the device'} does not answer: memory decoding is off, it sleeps in D3, or it was removed`,
    cure: 'turn memory decoding on in its config space (config.memoryDecoding = true)',
  };
}
