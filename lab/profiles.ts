import type { BuiltKernelKind } from './kernel-source.js';
import type { QemuKind } from './qemu-program.js';

/** A kernel by where it comes from (kernels.ts). */
export type KernelKind = 'debian-6.1' | 'debian-6.12' | BuiltKernelKind;

/** The IOMMU of the machine; iommus.ts knows what each means. */
export type IommuKind = 'intel' | 'intel-scalable' | 'intel-first-stage' | 'amd' | 'virtio' | 'none';

/** A PCI device of the machine; qemu.ts knows what each means. */
export type DeviceKind =
  | { kind: 'e1000e'; mac: string; hub: number }
  /** Intel 82576, with up to eight virtual functions. */
  | { kind: 'igb'; mac: string; hub: number }
  /** A virtio network device of version 1, behind the IOMMU, with the packed layout of queues if wanted. */
  | { kind: 'virtio-net'; mac: string; hub: number; packed?: boolean }
  | { kind: 'nvme'; sizeMiB: number }
  /** QEMU's teaching device. It addresses 28 bits unless told otherwise. */
  | { kind: 'edu'; addressBits?: 64 }
  | { kind: 'pci-testdev' }
  /** An entropy source; the one device here that reports errors (AER). */
  | { kind: 'virtio-rng' }
  /** A graphics card with the legacy VGA ranges. */
  | { kind: 'vga' }
  /** A PCIe-to-PCI bridge: all that is behind it makes one IOMMU group. */
  | { kind: 'bridge'; devices: DeviceKind[] }
  /** One card with several functions, which can reach each other and so make one IOMMU group. */
  | { kind: 'functions'; devices: DeviceKind[] }
  /** A slot with nothing in it. */
  | { kind: 'empty' };

/** One machine: everything that decides what the tests see. */
export interface Profile {
  name: string;
  purpose: string;
  kernel: KernelKind;
  /** The kernels that can do what the profile is for, in `kernel`'s place. */
  kernels: readonly KernelKind[];
  qemu: QemuKind;
  iommu: IommuKind;
  /** Each sits behind a PCIe root port of its own; the first is on bus 1. */
  devices: readonly DeviceKind[];
  cpus: number;
  memoryMiB: number;
  /** Words added to the kernel's command line, module parameters among them. */
  cmdline: readonly string[];
}

/** lab/devices.ts names the addresses that follow from this order. */
const stockDevices: readonly DeviceKind[] = [
  { kind: 'e1000e', mac: '52:54:00:00:00:01', hub: 1 },
  { kind: 'e1000e', mac: '52:54:00:00:00:02', hub: 1 },
  { kind: 'nvme', sizeMiB: 64 },
  { kind: 'edu' },
  { kind: 'pci-testdev' },
  { kind: 'bridge', devices: [{ kind: 'edu' }, { kind: 'pci-testdev' }] },
];

/** The built kernels' machines have two more. */
const devices: readonly DeviceKind[] = [...stockDevices, { kind: 'virtio-rng' }, { kind: 'vga' }];

/**
 * The same without a PCI bridge, for IOMMUs that translate for nothing behind one: Linux sets scalable mode up for the
 * device's own address only, and virtio-iommu knows no device at the bridge's. The empty slot has the bus in the
 * bridge's place.
 */
const devicesWithoutBridge: readonly DeviceKind[] = devices.flatMap(device =>
  device.kind === 'bridge' ? [{ kind: 'functions', devices: device.devices }, { kind: 'empty' }] : [device],
);

/** Two ports of a card that can split itself up, wired to each other. */
const sriovDevices: readonly DeviceKind[] = [
  { kind: 'igb', mac: '52:54:00:00:00:11', hub: 1 },
  { kind: 'igb', mac: '52:54:00:00:00:12', hub: 1 },
];

/** For each driver of examples two NICs wired to each other: one for the driver, one that stays with the kernel's own. */
const nicDevices: readonly DeviceKind[] = [
  { kind: 'virtio-net', mac: '52:54:00:00:00:21', hub: 1 },
  { kind: 'virtio-net', mac: '52:54:00:00:00:22', hub: 1 },
  { kind: 'virtio-net', mac: '52:54:00:00:00:23', hub: 1, packed: true },
  { kind: 'igb', mac: '52:54:00:00:00:24', hub: 2 },
  { kind: 'igb', mac: '52:54:00:00:00:25', hub: 2 },
];

/** What VFIO wants to be told before it uses an IOMMU that remaps no interrupts. */
const unsafeInterrupts = [
  'vfio_iommu_type1.allow_unsafe_interrupts=1',
  'iommufd.allow_unsafe_interrupts=1',
] as const;

const stock = {
  qemu: 'installed',
  iommu: 'intel',
  devices: stockDevices,
  cpus: 2,
  memoryMiB: 2048,
  cmdline: [],
} as const satisfies Partial<Profile>;

const built = {
  kernel: 'built-latest',
  kernels: ['built-6.12', 'built-latest'],
  qemu: 'newer',
  devices,
  cpus: 2,
  memoryMiB: 2048,
  cmdline: [],
} as const satisfies Partial<Profile>;

/** Every machine there is. The first one is the default. */
export const profiles: readonly Profile[] = [
  {
    name: 'stock',
    purpose: 'Debian 12 as installed: group and container over type1, no MSI-X mapping capability to miss',
    kernel: 'debian-6.1',
    kernels: ['debian-6.1'],
    ...stock,
  },
  {
    name: 'stock-6.12',
    purpose: "the same machine with Debian 12's newer kernel",
    kernel: 'debian-6.12',
    kernels: ['debian-6.12'],
    ...stock,
  },
  {
    name: 'intel-iommu',
    purpose: "every way in: group, device cdev and iommufd over Intel's IOMMU with second-stage tables",
    ...built,
    iommu: 'intel',
  },
  {
    name: 'intel-scalable',
    purpose: "the same with Intel's scalable mode: still second-stage tables, but by way of PASID entries",
    ...built,
    iommu: 'intel-scalable',
    devices: devicesWithoutBridge,
  },
  {
    name: 'intel-first-stage',
    purpose: "scalable mode with first-stage tables only, which are the processor's own format",
    ...built,
    // Up to 6.12 iommufd makes second-stage tables alone: the group and its container work there, a cdev does not attach.
    kernels: ['built-latest'],
    iommu: 'intel-first-stage',
    devices: devicesWithoutBridge,
  },
  {
    name: 'amd-iommu',
    purpose: "the same over AMD's IOMMU: other page sizes, other reserved regions",
    ...built,
    iommu: 'amd',
    // Linux finds the interrupt controller not where it would let this IOMMU remap interrupts, and does without.
    cmdline: unsafeInterrupts,
  },
  {
    name: 'virtio-iommu',
    purpose: 'the same over an IOMMU that remaps no interrupts, so that VFIO must be told to allow that',
    ...built,
    iommu: 'virtio',
    devices: devicesWithoutBridge,
    cmdline: unsafeInterrupts,
  },
  {
    name: 'no-iommu',
    purpose: 'no IOMMU at all and VFIO told to go without: /dev/vfio/noiommu-N',
    ...built,
    iommu: 'none',
    // Memory is where it is, which may be beyond what a plain edu can address.
    devices: devices.map(device => (device.kind === 'edu' ? { kind: 'edu', addressBits: 64 } : device)),
    cmdline: ['vfio.enable_unsafe_noiommu_mode=1'],
  },
  {
    name: 'sr-iov',
    purpose: 'igb with virtual functions of its own under vfio-pci: VF tokens, PF and VF',
    ...built,
    iommu: 'intel',
    devices: sriovDevices,
    cmdline: ['vfio_pci.enable_sriov=1'],
  },
  {
    name: 'nics',
    purpose:
      'what the drivers in examples drive: virtio-net with split and packed queues, igb with virtual functions',
    kernel: 'debian-6.1',
    kernels: ['debian-6.1', 'built-latest'],
    qemu: 'newer',
    iommu: 'intel',
    devices: nicDevices,
    cpus: 2,
    memoryMiB: 2048,
    cmdline: [],
  },
  {
    name: 'mdev',
    purpose: 'devices without hardware: mtty (migration), mdpy and mbochs (displays)',
    ...built,
    iommu: 'none',
    devices: [],
  },
  {
    name: 'iommufd-mock',
    purpose: "iommufd's own test devices, no PCI device: PASIDs, I/O page faults, nesting, virtual IOMMUs",
    ...built,
    iommu: 'none',
    devices: [],
  },
];

export const defaultProfile = 'stock';

/** Looks a profile up by its name; with a kernel, it runs on that one. */
export function findProfile(name: string, kernel?: string): Profile {
  const found = profiles.find(profile => profile.name === name);
  if (!found) {
    const names = profiles.map(profile => profile.name).join(', ');
    throw new RangeError(`no profile is called '${name}'; there are: ${names}`);
  }
  if (kernel === undefined) return found;
  const chosen = found.kernels.find(kind => kind === kernel);
  if (chosen) return { ...found, kernel: chosen };
  throw new RangeError(`profile ${name} runs on ${found.kernels.join(', ')}, not on '${kernel}'`);
}
