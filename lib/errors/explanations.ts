/** Explanations that take more than a sentence: what on this machine, right now, made a call fail. */
import type { Context } from './explain';
import {
  hugePageDirectory,
  hugePages,
  iommuGroupCount,
  kernelIsAtLeast,
  kernelRelease,
  memlock,
  moduleLoaded,
  nodeFacts,
} from './facts';
import { groupMembers, membersInTheWay } from '../pci/sysfs';

export interface Explanation {
  likelyCause?: string;
  cure?: string;
}

/** Both sides of SR-IOV must know the token: who opens a virtual function, and who opens the physical one beside it. */
export function vfToken({ facts }: Context): Explanation {
  return facts?.['vfToken'] === undefined
    ? {
        likelyCause:
          'the device is a virtual function, or a physical one whose virtual functions are in use, and wants its VF token',
        cure: '{ vfToken }: the UUID that was set with features.setVfToken() by the owner of the physical function',
      }
    : { likelyCause: 'the VF token is not the one that the owner of the physical function has set' };
}

export function needlessToken({ facts, address }: Context): Explanation | undefined {
  if (facts?.['vfToken'] === undefined) return undefined;
  return {
    likelyCause: `${address ?? 'the device'} takes no VF token: it has no SR-IOV, or its physical function is not on vfio-pci`,
    cure: 'leave out vfToken',
  };
}

export function noNode({ path }: Context): Explanation {
  if (path === '/dev/iommu') return noIommufd();
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

function noIommufd(): Explanation {
  return kernelIsAtLeast('6.2')
    ? {
        likelyCause: 'this kernel was built without IOMMUFD, or its module is not loaded',
        cure: 'modprobe iommufd',
      }
    : {
        likelyCause: `this kernel is ${kernelRelease()}, and iommufd came with 6.2`,
        cure: "Linux 6.2 or later, or groups and containers: Device.open(address, { via: 'group' })",
      };
}

export function noPermission({ path }: Context): Explanation {
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

/** The three reasons iommufd has to say EPERM to a device. */
export function bindRefused({ groupId, address }: Context): Explanation {
  const viable = notViable({ doing: '', groupId });
  if (viable !== undefined) return viable;
  if (groupId !== undefined && groupMembers(groupId).length > 1) {
    return {
      likelyCause: `another device of group ${groupId} is bound to another iommufd`,
      cure: 'bind all devices of the group to one: Device.open(address, { ioas })',
    };
  }
  return {
    likelyCause: `the IOMMU does not remap interrupts, so ${address ?? 'the device'} could forge them`,
    cure: 'turn interrupt remapping on, or accept the risk with options iommufd allow_unsafe_interrupts=1',
  };
}

export function notViable({ groupId }: Context): Explanation | undefined {
  if (groupId === undefined) return undefined;
  const others = membersInTheWay(groupId);
  if (others.length === 0) return undefined;
  return {
    likelyCause: `group ${groupId} is not viable: ${others.map(one => `${one.address} is on driver ${one.driver}`).join(', ')}`,
    cure: 'bind every member of the group to vfio-pci, or unbind it from its driver',
  };
}

export function rangeOf({ iova, size }: Context): string {
  if (iova === undefined || size === undefined) return 'the range';
  return `IOVA 0x${iova.toString(16)}-0x${(iova + BigInt(size) - 1n).toString(16)}`;
}

export function badMap(context: Context): Explanation {
  const valid = context.facts?.['validRanges'];
  return {
    likelyCause: `the IOMMU refuses ${rangeOf(context)}: not aligned to its pages, or outside its valid ranges`,
    ...(valid === undefined ? {} : { cure: `an address within ${valid}` }),
  };
}

export function memlockExceeded({ size }: Context): Explanation {
  const { soft, hard, locked, pinned, exempt } = memlock();
  if (exempt) return { likelyCause: `the machine is out of memory for ${size ?? 'these'} bytes` };
  return {
    likelyCause:
      `locked memory: RLIMIT_MEMLOCK allows ${soft} bytes (hard limit ${hard}), ${locked + pinned} are in use and ` +
      `${size ?? 'more'} were asked for`,
    cure: 'raise it: ulimit -l, LimitMEMLOCK= in systemd, or memlock in /etc/security/limits.conf',
  };
}

/** What an iommufd pins is charged to the user, or to the process where it was told so. */
export function userMemlockExceeded(context: Context): Explanation {
  const { soft, hard, exempt } = memlock();
  if (exempt) return memlockExceeded(context);
  return {
    likelyCause:
      `locked memory: RLIMIT_MEMLOCK allows ${soft} bytes (hard limit ${hard}) to what the programs of this user pin ` +
      `together, and ${context.size ?? 'more'} were asked for`,
    cure: 'raise it: ulimit -l, LimitMEMLOCK= in systemd, or memlock in /etc/security/limits.conf',
  };
}

export function noMemory(context: Context): Explanation {
  const pageSize = context.facts?.['hugePageSize'];
  if (typeof pageSize !== 'number') return memlockExceeded(context);
  const pool = hugePages(pageSize);
  if (pool === undefined) return { likelyCause: `this kernel has no huge pages of ${pageSize} bytes` };
  const needed = Math.ceil((context.size ?? pageSize) / pageSize);
  return {
    likelyCause: `${needed} huge pages of ${pageSize} bytes are needed, ${pool.free} of ${pool.total} are free`,
    cure: `reserve more: echo ${needed + pool.total} > ${hugePageDirectory(pageSize)}/nr_hugepages`,
  };
}

export function dead({ address }: Context): Explanation {
  return {
    likelyCause: `${address ?? 'the device'} does not answer: memory decoding is off, it sleeps in D3, or it was removed`,
    cure: 'turn memory decoding on in its config space (config.memoryDecoding = true)',
  };
}
