import { type Device, Ioas, type IovaRange } from 'vfio';
import type { UapiEntry } from '../../../lab/uapi/rows';
import { covers } from '../../support/covers';

/** Claims of a test that is the same for every way in: what it had the kernel do depends on how the device was opened. */
export function coversBy(
  device: Device,
  names: { container?: readonly UapiEntry[]; iommufd?: readonly UapiEntry[] },
): void {
  covers(...((device.iommufd === undefined ? names.container : names.iommufd) ?? []));
}

/** Which IOVAs a device's memory can be mapped at, whichever way it was opened. */
export function iovaRangesOf(device: Device): readonly IovaRange[] {
  const { attached, container } = device;
  return attached instanceof Ioas ? attached.iovaRanges() : (container?.iommuInfo().iovaRanges ?? []);
}
