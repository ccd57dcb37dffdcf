import * as fs from 'node:fs';
import * as path from 'node:path';
import { Device } from '../device';
import { attemptStep } from '../errors/explain';
import { busyError, VfioError } from '../errors/vfio-error';
import { kernelRelease } from '../errors/facts';
import { consentToNoIommu } from '../no-iommu';
import { native, type DeviceHandle } from '../native';
import { devicePath, driverOf, groupOf } from '../pci/sysfs';
import type { Steps } from '../steps';
import { parseUuid } from '../uuid';
import { boolean } from '../validate';
import type { CdevOptions, Iommufd } from './iommufd';

/** Devices this environment has open by their cdev, by address; `undefined` for those being opened. */
const open = new Map<string, Device | undefined>();

/**
 * The node of a device bound to vfio-pci, on kernels that make one (6.6, VFIO_DEVICE_CDEV): `/dev/vfio/devices/vfio0`, or
 * `noiommu-vfio0` for one without an IOMMU (7.3).
 */
export function cdevPath(address: string): string | undefined {
  try {
    const [name] = fs.readdirSync(`${devicePath(address)}/vfio-dev`);
    const node = `/dev/vfio/devices/${name ?? ''}`;
    return name !== undefined && fs.existsSync(node) ? node : undefined;
  } catch {
    return undefined;
  }
}

/** Whether no IOMMU guards the device of that node; its name says so. */
export function isNoIommuCdev(node: string): boolean {
  return path.basename(node).startsWith('noiommu-');
}

/** Another device of the same IOMMU group that this environment has open by its cdev. */
export function siblingOf(address: string): Device | undefined {
  const group = groupOf(address);
  if (group === undefined) return undefined;
  return [...open.values()].find(
    one => one !== undefined && one.address !== address && one.groupId === group,
  );
}

/** Opens a device by its node and binds it to an iommufd. */
export function* openCdevSteps(iommufd: Iommufd, address: string, options: CdevOptions): Steps<Device> {
  const token = options.vfToken === undefined ? null : parseUuid(options.vfToken, 'options.vfToken');
  iommufd.assertOpen();
  if (open.has(address)) {
    throw busyError(
      `${address} is open already in this process`,
      'share that Device, or close it first: the kernel lets it be bound once',
    );
  }
  const node = cdevPath(address);
  if (node === undefined) throw noCdevError(address);
  const noIommu = boolean(options.noIommu ?? false, 'options.noIommu');
  consentToNoIommu(address, node, isNoIommuCdev(node), noIommu);
  open.set(address, undefined);
  iommufd.users.enter();
  try {
    const context = { doing: `Opening ${address}`, address, path: node };
    const handle = yield* attemptStep(context, async => native().deviceOpenCdev(node, async));
    const id = yield* bindSteps(handle, token, iommufd, { address, path: node });
    const device = Device.create(handle, address, {
      iommufd,
      deviceId: id,
      noIommu,
      forget: gone => {
        open.delete(address);
        iommufd.forget(gone);
        iommufd.users.leave();
      },
    });
    open.set(address, device);
    iommufd.adoptDevice(device);
    return device;
  } catch (error) {
    open.delete(address);
    iommufd.users.leave();
    throw error;
  }
}

function* bindSteps(
  handle: DeviceHandle,
  token: Uint8Array | null,
  iommufd: Iommufd,
  { address, path: node }: { address: string; path: string },
): Steps<number> {
  const context = {
    doing: `Binding ${address} to the iommufd`,
    address,
    path: node,
    groupId: groupOf(address),
    facts: { vfToken: token === null ? undefined : 'given' },
    since: token === null ? undefined : { what: 'a VF token without a group', kernel: '6.17' },
  };
  try {
    const id = yield* attemptStep(context, async =>
      native().deviceBindIommufd(handle, iommufd.handle, token, async),
    );
    // Closed while the kernel was resetting the device: nobody would ever close this one.
    iommufd.assertOpen();
    return id;
  } catch (error) {
    native().deviceClose(handle, false);
    throw error;
  }
}

function noCdevError(address: string): VfioError {
  const driver = driverOf(address);
  const bound = driver?.includes('vfio') === true;
  return new VfioError(`${address} has no node in /dev/vfio/devices`, {
    code: bound ? 'ERR_VFIO_UNSUPPORTED' : 'ERR_VFIO_NOT_BOUND',
    address,
    likelyCause: bound
      ? `this kernel (${kernelRelease()}) is older than 6.6 or was built without VFIO_DEVICE_CDEV`
      : `it is on ${driver === undefined ? 'no driver' : `driver ${driver}`}`,
    cure: bound
      ? 'open it by its group: Device.open(address, { via: "group" })'
      : 'bind it: bindDevice(address)',
  });
}
