import type { IommuKind } from './profiles.js';

/** An IOMMU in QEMU's and the kernel's terms. */
export interface Iommu {
  machine: string;
  args: readonly string[];
  cmdline: readonly string[];
}

/** The device whose properties decide how an IOMMU is asked for, where they differ between versions of QEMU. */
export const propertiesNeeded: Partial<Record<IommuKind, string>> = { 'intel-scalable': 'intel-iommu' };

/** Puts an IOMMU into QEMU's terms, given the names of the properties asked for in `propertiesNeeded`. */
export function describeIommu(kind: IommuKind, properties: ReadonlySet<string>): Iommu {
  // The split irqchip is what interrupt remapping needs under KVM; TCG does not mind it.
  const split = 'q35,kernel-irqchip=split';
  switch (kind) {
    case 'intel':
      return { machine: split, args: ['-device', 'intel-iommu,intremap=on'], cmdline: ['intel_iommu=on'] };
    case 'intel-scalable': {
      const scalable = scalableProperties
        .map(names => names.find(name => properties.has(name)))
        .filter(name => name !== undefined)
        .map(name => `,${name}=on`);
      const device = `intel-iommu,intremap=on,device-iotlb=on${scalable.join('')}`;
      return { machine: split, args: ['-device', device], cmdline: ['intel_iommu=on,sm_on'] };
    }
    case 'amd':
      return { machine: split, args: ['-device', 'amd-iommu,intremap=on,xtsup=on'], cmdline: [] };
    case 'virtio':
      // In the first slot, so that it is there before any device that it translates for.
      return { machine: 'q35', args: ['-device', 'virtio-iommu-pci,addr=1'], cmdline: [] };
    case 'none':
      return { machine: 'q35', args: [], cmdline: ['intel_iommu=off'] };
  }
}

/** Scalable mode and first-stage tables, under their names in order of preference: the final one, the experimental one. */
const scalableProperties = [
  ['scalable-mode', 'x-scalable-mode'],
  ['flts', 'x-flts'],
] as const;
