import { Container } from './container';
import { busyError } from './errors/vfio-error';
import { Group } from './group';

/** A group that a device is about to be opened through, and its part of it. */
export interface Share {
  readonly group: Group;
  /** Unmaps the container's memory if its last user is going. */
  unmapDma(): void;
  release(): void;
}

/** The containers that came with groups which `Device.open` opened. */
const ownContainers = new WeakMap<Group, Container>();

/** The group of a device, in a container with its IOMMU set: an open one, or opened now. */
export function acquire(id: number, wanted: Container | undefined, noIommu: boolean): Share {
  const group = Group.find(id) ?? openGroup(id, wanted, noIommu);
  if (wanted !== undefined && group.container !== wanted) {
    throw busyError(
      `Group ${id} is open in another container`,
      'devices of one group share one container: close the other device, or leave the option out',
    );
  }
  group.users.enter();
  return {
    group,
    unmapDma: () => {
      // The device itself, and its share.
      if (group.users.count === 2) ownContainers.get(group)?.dma.freeAll();
    },
    release: () => group.users.leave(),
  };
}

function openGroup(id: number, wanted: Container | undefined, noIommu: boolean): Group {
  const group = Group.open(id, { noIommu });
  let ownContainer: Container | undefined;
  const end = (): void => {
    try {
      group.close();
    } finally {
      ownContainer?.close();
    }
  };
  try {
    const container = wanted ?? (ownContainer = Container.open());
    container.attach(group);
    if (container.iommuType === undefined) container.setIommu();
    if (ownContainer !== undefined) ownContainers.set(group, ownContainer);
    group.users.endWithLast(end);
    return group;
  } catch (error) {
    end();
    throw error;
  }
}
