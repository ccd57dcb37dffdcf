/** A kernel by where it comes from (kernels.ts). */
export type KernelKind = 'debian-6.1' | 'debian-6.12';

/** The IOMMU of the machine; qemu.ts knows what each means. */
export type IommuKind = 'intel';

/** A PCI device of the machine; qemu.ts knows what each means. */
export type DeviceKind =
  | { kind: 'e1000e'; mac: string; hub: number }
  | { kind: 'nvme'; sizeMiB: number }
  | { kind: 'edu' }
  | { kind: 'pci-testdev' }
  /** A PCIe-to-PCI bridge: all that is behind it makes one IOMMU group. */
  | { kind: 'bridge'; devices: DeviceKind[] };

/** One machine: everything that decides what the tests see. */
export interface Profile {
  name: string;
  purpose: string;
  kernel: KernelKind;
  iommu: IommuKind;
  /** Each sits behind a PCIe root port of its own; the first is on bus 1. */
  devices: DeviceKind[];
  cpus: number;
  memoryMiB: number;
  /** Words added to the kernel's command line, module parameters among them. */
  cmdline: string[];
}

/** lab/devices.ts names the addresses that follow from this order. */
const stockDevices: DeviceKind[] = [
  { kind: 'e1000e', mac: '52:54:00:00:00:01', hub: 1 },
  { kind: 'e1000e', mac: '52:54:00:00:00:02', hub: 1 },
  { kind: 'nvme', sizeMiB: 64 },
  { kind: 'edu' },
  { kind: 'pci-testdev' },
  { kind: 'bridge', devices: [{ kind: 'edu' }, { kind: 'pci-testdev' }] },
];

const stock = {
  iommu: 'intel',
  devices: stockDevices,
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
    ...stock,
  },
  {
    name: 'stock-6.12',
    purpose: "the same machine with Debian 12's newer kernel",
    kernel: 'debian-6.12',
    ...stock,
  },
];

export const defaultProfile = 'stock';

/** Looks a profile up by its name. */
export function findProfile(name: string): Profile {
  const found = profiles.find(profile => profile.name === name);
  if (found) return found;
  throw new RangeError(
    `no profile is called '${name}'; there are: ${profiles.map(profile => profile.name).join(', ')}`,
  );
}
