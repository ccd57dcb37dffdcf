import * as fs from 'node:fs';
import { Container } from './container';
import type { Device } from './device';
import { allowsNoIommu, iommus, kernelIsAtLeast } from './errors/facts';
import { busyError, unsupportedError, VfioError } from './errors/vfio-error';
import { Group, groupNumber } from './group';
import { parseDeviceName } from './device-name';
import { cdevPath, isNoIommuCdev } from './iommufd/cdev';
import { Ioas } from './iommufd/ioas';
import { Iommufd } from './iommufd/iommufd';
import { type Binding, bindSteps } from './pci/bind';
import { noDeviceError } from './pci/list';
import { deviceExists, driverOf, groupOf } from './pci/sysfs';
import { acquire } from './shared-group';
import { acquireIoas } from './shared-ioas';
import { step, type Steps } from './steps';
import { isUuid } from './uuid';
import { boolean, instanceOf, options as checkOptions, string, valueError } from './validate';

/** Options of {@link Device.open}. */
export interface OpenOptions {
  /**
   * Moves the device to vfio-pci first, and gives it back to the driver it had when it is closed, also when the process
   * ends by an exception or a signal. Needs root. Default false: a device on another driver is an error.
   */
  bind?: boolean;
  /** The container to join, to share one I/O address space with other devices. Default one of its own. */
  container?: Container | undefined;
  /** The I/O address space to attach to, to share it with other devices. Default one of its own. */
  ioas?: Ioas | undefined;
  /**
   * The way in: `'cdev'` is the device's own node and an iommufd (kernel 6.6), `'group'` its group and a container. Default
   * is the cdev where there is one, unless the group is open already. The Device is the same either way.
   */
  via?: 'cdev' | 'group';
  /** The VF token, a UUID, that the owner of the physical function set: needed for its virtual functions. */
  vfToken?: string;
  /**
   * Opens a device that no IOMMU guards: it can read and write all memory of the machine. See {@link GroupOptions.noIommu}.
   * Default false: never by accident.
   */
  noIommu?: boolean;
}

/** The steps of `Device.open`; each that fails undoes those before it. */
export function* openSteps(where: string, options?: OpenOptions): Steps<Device> {
  const address = parseDeviceName(where);
  const wanted = checkOpenOptions(options);
  if (!deviceExists(address)) throw noDeviceError(address);
  checkIommu(address, wanted);
  const binding = isBound(address)
    ? undefined
    : wanted.bind === true
      ? yield* bindSteps(address)
      : notBound(address);
  try {
    const viaCdev = wanted.via === 'cdev' || (wanted.via === undefined && prefersCdev(address, wanted));
    return yield* viaCdev ? openByCdev(address, wanted, binding) : openByGroup(address, wanted, binding);
  } catch (error) {
    if (binding !== undefined) yield* restore(binding);
    throw error;
  }
}

function* openByGroup(address: string, wanted: OpenOptions, binding: Binding | undefined): Steps<Device> {
  const share = acquire(groupNumber(address), wanted.container, wanted.noIommu === true);
  try {
    const { vfToken } = wanted;
    const device = yield* share.group.openDeviceSteps(address, vfToken === undefined ? {} : { vfToken });
    device.own({ unmapDma: () => share.unmapDma(), giveBack: () => ending(() => share.release(), binding) });
    return device;
  } catch (error) {
    share.release();
    throw error;
  }
}

function* openByCdev(address: string, wanted: OpenOptions, binding: Binding | undefined): Steps<Device> {
  const share = acquireIoas(address, wanted.ioas);
  try {
    const { vfToken } = wanted;
    const device = yield* share.iommufd.openDeviceSteps(address, vfToken === undefined ? {} : { vfToken });
    try {
      device.attach(share.target);
    } catch (error) {
      device.closeSync();
      throw error;
    }
    device.own({ unmapDma: () => share.unmapDma(), giveBack: () => ending(() => share.release(), binding) });
    return device;
  } catch (error) {
    share.release();
    throw error;
  }
}

/** What comes after the device's file is closed: what it was opened through, then the driver it had. */
function* ending(close: () => void, binding: Binding | undefined): Steps<void> {
  try {
    close();
  } finally {
    if (binding !== undefined) yield* restore(binding);
  }
}

function restore(binding: Binding): Steps<void> {
  return step(async => (async ? binding.restore() : binding.restoreSync()));
}

function checkOpenOptions(options: OpenOptions | undefined): OpenOptions {
  const wanted = checkOptions(options, 'options', ['bind', 'container', 'ioas', 'via', 'vfToken', 'noIommu']);
  const { bind, container, ioas, via, noIommu } = wanted;
  if (bind !== undefined) boolean(bind, 'options.bind');
  if (noIommu !== undefined) boolean(noIommu, 'options.noIommu');
  if (container !== undefined) instanceOf(container, Container, 'options.container').assertOpen();
  if (ioas !== undefined) instanceOf(ioas, Ioas, 'options.ioas').assertReady();
  if (via !== undefined && string(via, 'options.via') !== 'cdev' && via !== 'group') {
    throw valueError('options.via', "'cdev' or 'group'", via);
  }
  if (ioas !== undefined && (container !== undefined || via === 'group' || noIommu === true)) {
    throw busyError('options.ioas goes with the cdev', "leave out container, noIommu and via: 'group'");
  }
  if (via === 'cdev' && (container !== undefined || noIommu === true)) {
    throw busyError("options.via 'cdev' goes with an iommufd", 'leave out container and noIommu');
  }
  return wanted;
}

/** The newer way in, where it can be taken without asking for anything the older one would not. */
function prefersCdev(address: string, wanted: OpenOptions): boolean {
  if (wanted.ioas !== undefined) return true;
  if (wanted.container !== undefined || wanted.noIommu === true) return false;
  // Before 6.17 only a group takes a token.
  if (wanted.vfToken !== undefined && !kernelIsAtLeast('6.17')) return false;
  const group = groupOf(address);
  if (group !== undefined && Group.find(group) !== undefined) return false;
  const node = cdevPath(address);
  return node !== undefined && !isNoIommuCdev(node) && [node, Iommufd.path].every(mayOpen);
}

function mayOpen(path: string): boolean {
  try {
    fs.accessSync(path, fs.constants.R_OK | fs.constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Before anything is bound: would there be a group? A no-IOMMU group comes only with the binding, and with some IOMMUs so
 * does any other.
 */
function checkIommu(address: string, { noIommu = false, bind = false }: OpenOptions): void {
  if (groupOf(address) !== undefined) return;
  if (!noIommu) {
    if (isBound(address) || !bind || iommus().length === 0) groupNumber(address);
  } else if (!allowsNoIommu()) {
    throw unsupportedError(
      `This kernel makes no group for ${address}, as it has no IOMMU`,
      'echo Y > /sys/module/vfio/parameters/enable_unsafe_noiommu_mode, which needs a kernel with VFIO_NOIOMMU',
    );
  }
}

/** Variant drivers (mlx5_vfio_pci, …) are VFIO drivers too, and so is whatever drives a mediated device. */
function isBound(address: string): boolean {
  return isUuid(address) || driverOf(address)?.includes('vfio') === true;
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
