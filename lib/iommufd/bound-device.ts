import { Device } from '../device';
import { instanceOf, typeError } from '../validate';
import type { Iommufd } from './iommufd';

/** The id of a device inside an iommufd; ids of another one would mean something else there. */
export function idWithin(iommufd: Iommufd, device: Device): number {
  instanceOf(device, Device, 'device').assertOpen();
  if (device.iommufd !== undefined && device.iommufd !== iommufd) {
    throw typeError('device', 'bound to the same iommufd', device);
  }
  return device.deviceId;
}
