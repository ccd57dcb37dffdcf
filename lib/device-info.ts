import type { RawDeviceInfo } from './native';
import { findCapability, unknownCapabilities, type UnknownCapability } from './capability';

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
  /**
   * Which atomic operations of the device (PCIe AtomicOps) the root port it is behind completes
   * (`VFIO_DEVICE_INFO_CAP_PCI_ATOMIC_COMP`, kernel 6.6); `undefined`: none, or the kernel does not say.
   */
  readonly atomics: AtomicCompletion | undefined;
  /** All of the device's capabilities, the one above included, as the kernel gave them. */
  readonly capabilities: readonly UnknownCapability[];
}

/** Operand widths of atomic operations that can be completed (`VFIO_PCI_ATOMIC_COMP*`). */
export interface AtomicCompletion {
  readonly bits32: boolean;
  readonly bits64: boolean;
  readonly bits128: boolean;
}

/** `VFIO_DEVICE_FLAGS_*` */
const flags = { reset: 1, pci: 2, platform: 4, amba: 8, ccw: 16, ap: 32, fslMc: 64, cdx: 256 } as const;
const capability = { pciAtomicCompletion: 5 } as const;
const atomics = { bits32: 1, bits64: 2, bits128: 4 } as const;

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
    atomics: decodeAtomics(raw),
    capabilities: Object.freeze(unknownCapabilities(raw.capabilities, [])),
  });
}

function decodeAtomics(raw: RawDeviceInfo): AtomicCompletion | undefined {
  const found = findCapability(raw.capabilities, capability.pciAtomicCompletion);
  if (found === undefined) return undefined;
  const has = (bit: number): boolean => (found.u32(0) & bit) !== 0;
  return Object.freeze({
    bits32: has(atomics.bits32),
    bits64: has(atomics.bits64),
    bits128: has(atomics.bits128),
  });
}
