import type { Device } from './device';
import { busyError } from './errors/vfio-error';
import { siblingOf } from './iommufd/cdev';
import type { Ioas } from './iommufd/ioas';
import { Iommufd } from './iommufd/iommufd';
import type { PageTable } from './iommufd/page-table';
import { groupOf } from './pci/sysfs';

/** What a device that `Device.open` opens by its cdev is bound and attached to. */
export interface IoasShare {
  readonly iommufd: Iommufd;
  readonly target: PageTable;
  /** Unmaps the memory if its last user is going. */
  unmapDma(): void;
  release(): void;
}

interface Entry {
  readonly ioas: Ioas;
  users: number;
}

/** The address spaces that `Device.open` made, by the IOMMU group whose devices use it. */
const shared = new Map<number | string, Entry>();

/**
 * An address space for a device: the one wished for, that of the devices of its group which are open already, or a new
 * one. The IOMMU cannot tell the devices of a group apart, so the kernel wants all of them on one iommufd and attached to
 * the same page table.
 */
export function acquireIoas(address: string, wanted: Ioas | undefined): IoasShare {
  const key = groupOf(address) ?? address;
  const entry = shared.get(key);
  const iommufd = entry?.ioas.iommufd ?? siblingOf(address)?.iommufd;
  if (wanted !== undefined) {
    if (iommufd !== undefined && iommufd !== wanted.iommufd) throw otherIommufd(address);
    return usersOwn(wanted);
  }
  if (entry !== undefined) return share(key, entry);
  const sibling = siblingOf(address);
  if (sibling?.iommufd !== undefined) return beside(sibling, sibling.iommufd);
  return share(key, create());
}

function create(): Entry {
  const made = Iommufd.open();
  try {
    return { ioas: made.allocIoas(), users: 0 };
  } catch (error) {
    made.close();
    throw error;
  }
}

function share(key: number | string, entry: Entry): IoasShare {
  shared.set(key, entry);
  entry.users++;
  const { ioas } = entry;
  return {
    iommufd: ioas.iommufd,
    target: ioas,
    unmapDma: () => {
      if (entry.users === 1) ioas.dma.freeAll();
    },
    release: () => {
      if (--entry.users > 0) return;
      shared.delete(key);
      ioas.iommufd.close();
    },
  };
}

/** Opened by the user, who closes it too. */
function usersOwn(target: PageTable): IoasShare {
  return { iommufd: target.iommufd, target, unmapDma: () => undefined, release: () => undefined };
}

/** Next to a device that the user bound to an iommufd of theirs. */
function beside(sibling: Device, iommufd: Iommufd): IoasShare {
  if (sibling.attached !== undefined) return usersOwn(sibling.attached);
  const ioas = iommufd.allocIoas();
  return { iommufd, target: ioas, unmapDma: () => ioas.dma.freeAll(), release: () => ioas.close() };
}

function otherIommufd(address: string): Error {
  return busyError(
    `Another device of the group of ${address} is bound to another iommufd`,
    'devices of one group share one iommufd: close the other device, or leave the option out',
  );
}
