import type { RawDeviceInfo } from './native';
import { unknownCapabilities, type UnknownCapability } from './capability';

/** What `VFIO_DEVICE_GET_INFO` says about a device (`struct vfio_device_info` and its chain). */
export interface DeviceInfo {
  /** `device.reset()` is possible. */
  readonly reset: boolean;
  /** The bus the device is on; exactly one of these is true. */
  readonly pci: boolean;
  readonly platform: boolean;
  readonly amba: boolean;
  readonly ccw: boolean;
  readonly ap: boolean;
  readonly fslMc: boolean;
  readonly cdx: boolean;
  readonly regionCount: number;
  readonly irqCount: number;
  /** The device's capabilities, undecoded. */
  readonly capabilities: readonly UnknownCapability[];
}

/** `VFIO_DEVICE_FLAGS_*` */
const flags = { reset: 1, pci: 2, platform: 4, amba: 8, ccw: 16, ap: 32, fslMc: 64, cdx: 256 } as const;

export function decodeDeviceInfo(raw: RawDeviceInfo): DeviceInfo {
  const named = (bit: number): boolean => (raw.flags & bit) !== 0;
  return Object.freeze({
    reset: named(flags.reset),
    pci: named(flags.pci),
    platform: named(flags.platform),
    amba: named(flags.amba),
    ccw: named(flags.ccw),
    ap: named(flags.ap),
    fslMc: named(flags.fslMc),
    cdx: named(flags.cdx),
    regionCount: raw.regionCount,
    irqCount: raw.irqCount,
    capabilities: Object.freeze(unknownCapabilities(raw.capabilities, [])),
  });
}
