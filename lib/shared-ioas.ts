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

/** The address spaces that `Device.open` made, by the IOMMU group whose devices use it. */
const shared = new Map<number | string, Ioas>();

/**
 * An address space for a device: the one wished for, that of the devices of its group which are open already, or a new
 * one. The IOMMU cannot tell the devices of a group apart, so the kernel wants all of them on one iommufd and attached to
 * the same page table.
 */
export function acquireIoas(address: string, wanted: Ioas | undefined): IoasShare {
  const key = groupOf(address) ?? address;
  const open = openShared(key);
  const iommufd = open?.iommufd ?? siblingOf(address)?.iommufd;
  if (wanted !== undefined) {
    if (iommufd !== undefined && iommufd !== wanted.iommufd) throw otherIommufd(address);
    return usersOwn(wanted);
  }
  if (open !== undefined) return share(open);
  const sibling = siblingOf(address);
  if (sibling?.iommufd !== undefined) return beside(sibling, sibling.iommufd);
  return share(create(key));
}

/** The user can reach its iommufd too, and close that while a device is being opened. */
function openShared(key: number | string): Ioas | undefined {
  const ioas = shared.get(key);
  return ioas?.iommufd.closed === false ? ioas : undefined;
}

function create(key: number | string): Ioas {
  const iommufd = Iommufd.open();
  try {
    const ioas = iommufd.allocIoas();
    shared.set(key, ioas);
    iommufd.users.endWithLast(() => {
      if (shared.get(key) === ioas) shared.delete(key);
      iommufd.close();
    });
    return ioas;
  } catch (error) {
    iommufd.close();
    throw error;
  }
}

function share(ioas: Ioas): IoasShare {
  const { iommufd } = ioas;
  iommufd.users.enter();
  return {
    iommufd,
    target: ioas,
    unmapDma: () => {
      // The device itself, and its share.
      if (iommufd.users.count === 2) ioas.dma.freeAll();
    },
    release: () => iommufd.users.leave(),
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
