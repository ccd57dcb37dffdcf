import { Container } from './container';
import type { Device } from './device';
import { busyError, VfioError } from './errors/vfio-error';
import { Group, groupNumber } from './group';
import { parseAddress } from './pci/address';
import { type Binding, bindSteps } from './pci/bind';
import { noDeviceError } from './pci/list';
import { deviceExists, driverOf } from './pci/sysfs';
import { step, type Steps } from './steps';
import { boolean, instanceOf, options as checkOptions } from './validate';

/** Options of {@link Device.open}. */
export interface OpenOptions {
  /**
   * Moves the device to vfio-pci first, and gives it back to the driver it had when it is closed, also when the process
   * ends by an exception or a signal. Needs root. Default false: a device on another driver is an error.
   */
  bind?: boolean;
  /** The container to join, to share one I/O address space with other devices. Default one of its own. */
  container?: Container;
}

/** The steps of `Device.open`; each that fails undoes those before it. */
export function* openSteps(where: string, options?: OpenOptions): Steps<Device> {
  const address = parseAddress(where);
  const { bind = false, container } = checkOptions(options, 'options', ['bind', 'container']);
  boolean(bind, 'options.bind');
  if (container !== undefined) instanceOf(container, Container, 'options.container').assertOpen();
  if (!deviceExists(address)) throw noDeviceError(address);
  const groupId = groupNumber(address);
  const binding = isBound(address) ? undefined : bind ? yield* bindSteps(address) : notBound(address);
  try {
    const share = acquire(groupId, container);
    try {
      const device = yield* share.group.openDeviceSteps(address);
      device.own({
        unmapDma: () => share.unmapDma(),
        giveBack: () => giveBack(share, binding),
      });
      return device;
    } catch (error) {
      share.release();
      throw error;
    }
  } catch (error) {
    if (binding !== undefined) yield* restore(binding);
    throw error;
  }
}

function* giveBack(share: Share, binding: Binding | undefined): Steps<void> {
  try {
    share.release();
  } finally {
    if (binding !== undefined) yield* restore(binding);
  }
}

function restore(binding: Binding): Steps<void> {
  return step(async => (async ? binding.restore() : binding.restoreSync()));
}

/** Variant drivers (mlx5_vfio_pci, …) are VFIO drivers too. */
function isBound(address: string): boolean {
  return driverOf(address)?.includes('vfio') === true;
}

function notBound(address: string): never {
  const driver = driverOf(address);
  throw new VfioError(`${address} is not bound to vfio-pci`, {
    code: 'ERR_VFIO_NOT_BOUND',
    address,
    likelyCause: driver === undefined ? 'it has no driver' : `it is on driver ${driver}`,
    cure:
      'Device.open(address, { bind: true }) binds it and gives it back on close; or, as root: ' +
      `echo vfio-pci > /sys/bus/pci/devices/${address}/driver_override` +
      (driver === undefined ? '' : `; echo ${address} > /sys/bus/pci/drivers/${driver}/unbind`) +
      `; echo ${address} > /sys/bus/pci/drivers_probe`,
  });
}

/** A group that `Device.open` opened, with all the devices that use it. */
interface Share {
  readonly group: Group;
  /** Unmaps the container's memory if its last user is going. */
  unmapDma(): void;
  release(): void;
}

/** How many devices use each group that `Device.open` opened, and the container when that is its own too. */
const shared = new Map<Group, { users: number; ownContainer: Container | undefined }>();

/** The group of a device, in a container with its IOMMU set: an open one, or opened now. */
function acquire(id: number, wanted: Container | undefined): Share {
  const group = Group.find(id);
  if (group === undefined) return share(openGroup(id, wanted));
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

function openGroup(id: number, wanted: Container | undefined): Group {
  const group = Group.open(id);
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
