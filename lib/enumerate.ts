import type { Device } from './device';
import { decodeDeviceInfo, type DeviceInfo } from './device-info';
import { badAnswer } from './errors/bad-answer';
import { attempt, isSystemError } from './errors/explain';
import { decodeIrqInfo, type IrqInfo } from './irq/irq-info';
import { type DeviceHandle, native } from './native';
import { PciConfig } from './pci-config';
import { Region, RegionIndex } from './region';
import { decodeRegionInfo } from './region-info';

/** Each is asked for, so that a count of billions would be a hang. The kernel's drivers have a dozen at most. */
const most = 4096;

export interface Enumerated {
  readonly info: DeviceInfo;
  readonly regions: readonly Region[];
  readonly irqs: readonly IrqInfo[];
}

/** Reads all that the kernel says about a device, once, when it is opened; from then on it is served from memory. */
export function enumerate(device: Device, handle: DeviceHandle): Enumerated {
  return attempt({ doing: `Reading what ${device.address} has`, address: device.address }, () => {
    const info = decodeDeviceInfo(native().deviceGetInfo(handle));
    if (info.regionCount > most || info.irqCount > most) {
      throw badAnswer(
        'VFIO_DEVICE_GET_INFO',
        `${info.regionCount} regions and ${info.irqCount} interrupt kinds`,
      );
    }
    const regions = Array.from({ length: info.regionCount }, (_, index) => {
      const raw = orNothing(() => native().deviceGetRegionInfo(handle, index)) ?? noRegion;
      const type = info.pci && index === RegionIndex.Config ? PciConfig : Region;
      return new type(device, decodeRegionInfo(index, raw));
    });
    const irqs = Array.from({ length: info.irqCount }, (_, index) => {
      const raw = orNothing(() => native().deviceGetIrqInfo(handle, index)) ?? noIrq;
      return decodeIrqInfo(index, raw);
    });
    return { info, regions: Object.freeze(regions), irqs: Object.freeze(irqs) };
  });
}

/** A region that the device does not count among its own: that of a display's pixels may be one. */
export function uncountedRegion(device: Device, index: number): Region {
  return attempt(
    { doing: `Asking for region ${index} of ${device.address}`, address: device.address },
    () => {
      return new Region(device, decodeRegionInfo(index, native().deviceGetRegionInfo(device.handle, index)));
    },
  );
}

const noRegion = { flags: 0, size: 0, fileOffset: 0, capabilities: [] };
const noIrq = { flags: 0, count: 0 };

/** EINVAL is how the kernel says that this device lacks the region (VGA on most) or interrupt (ERR without PCIe). */
function orNothing<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch (error) {
    if (isSystemError(error) && error.code === 'EINVAL') return undefined;
    throw error;
  }
}
