import { Container } from './container';
import { busyError } from './errors/vfio-error';
import { Group } from './group';

/** A group that `Device.open` opened, with all the devices that use it. */
export interface Share {
  readonly group: Group;
  /** Unmaps the container's memory if its last user is going. */
  unmapDma(): void;
  release(): void;
}

/** How many devices use each group that `Device.open` opened, and the container when that is its own too. */
const shared = new Map<Group, { users: number; ownContainer: Container | undefined }>();

/** The group of a device, in a container with its IOMMU set: an open one, or opened now. */
export function acquire(id: number, wanted: Container | undefined, noIommu: boolean): Share {
  const group = Group.find(id);
  if (group === undefined) return share(openGroup(id, wanted, noIommu));
  if (wanted !== undefined && group.container !== wanted) {
    throw busyError(
      `Group ${id} is open in another container`,
      'devices of one group share one container: close the other device, or leave the option out',
    );
  }
  if (shared.has(group)) return share(group);
  // Opened by the user, who closes it too.
  return { group, unmapDma: () => undefined, release: () => undefined };
}

function share(group: Group): Share {
  const entry = shared.get(group);
  if (entry === undefined) throw new Error('a shared group has an entry');
  entry.users++;
  return {
    group,
    unmapDma: () => {
      if (entry.users === 1) entry.ownContainer?.dma.freeAll();
    },
    release: () => {
      if (--entry.users > 0) return;
      shared.delete(group);
      try {
        group.close();
      } finally {
        entry.ownContainer?.close();
      }
    },
  };
}

function openGroup(id: number, wanted: Container | undefined, noIommu: boolean): Group {
  const group = Group.open(id, { noIommu });
  let ownContainer: Container | undefined;
  try {
    const container = wanted ?? (ownContainer = Container.open());
    container.attach(group);
    if (container.iommuType === undefined) container.setIommu();
    shared.set(group, { users: 0, ownContainer });
    return group;
  } catch (error) {
    group.close();
    ownContainer?.close();
    throw error;
  }
}
