import * as fs from 'node:fs';
import { Device } from '../device';
import { attemptStep } from '../errors/explain';
import { VfioError } from '../errors/vfio-error';
import { kernelRelease } from '../errors/facts';
import { native, type DeviceHandle } from '../native';
import { devicePath, driverOf } from '../pci/sysfs';
import type { Steps } from '../steps';
import { parseUuid } from '../uuid';
import type { CdevOptions, Iommufd } from './iommufd';

/** The node of a device bound to vfio-pci, on kernels that make one (6.6, VFIO_DEVICE_CDEV): `/dev/vfio/devices/vfio0`. */
export function cdevPath(address: string): string | undefined {
  try {
    const [name] = fs.readdirSync(`${devicePath(address)}/vfio-dev`);
    const path = `/dev/vfio/devices/${name ?? ''}`;
    return name !== undefined && fs.existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

/** Opens a device by its node and binds it to an iommufd. */
export function* openCdevSteps(iommufd: Iommufd, address: string, options: CdevOptions): Steps<Device> {
  const token = options.vfToken === undefined ? null : parseUuid(options.vfToken, 'options.vfToken');
  const path = cdevPath(address);
  if (path === undefined) throw noCdevError(address);
  const context = { doing: `Opening ${address}`, address, path };
  const handle: DeviceHandle = yield* attemptStep(context, async => native().deviceOpenCdev(path, async));
  let id: number;
  try {
    const binding = { doing: `Binding ${address} to the iommufd`, address, path };
    id = yield* attemptStep(binding, async =>
      native().deviceBindIommufd(handle, iommufd.handle, token, async),
    );
  } catch (error) {
    native().deviceClose(handle, false);
    throw error;
  }
  const device = Device.create(handle, address, {
    iommufd,
    deviceId: id,
    forget: gone => iommufd.forget(gone),
  });
  iommufd.adoptDevice(device);
  return device;
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
