import type { IommuKind } from './profiles.js';

/** An IOMMU in QEMU's and the kernel's terms. */
export interface Iommu {
  machine: string;
  args: readonly string[];
  cmdline: readonly string[];
}

/** The device whose properties decide how an IOMMU is asked for, where they differ between versions of QEMU. */
export const propertiesNeeded: Partial<Record<IommuKind, string>> = {
  'intel-scalable': 'intel-iommu',
  'intel-first-stage': 'intel-iommu',
  amd: 'amd-iommu',
};

/** Puts an IOMMU into QEMU's terms, given the names of the properties asked for in `propertiesNeeded`. */
export function describeIommu(kind: IommuKind, properties: ReadonlySet<string>): Iommu {
  // The split irqchip is what interrupt remapping needs under KVM; TCG does not mind it.
  const split = 'q35,kernel-irqchip=split';
  /** Of each line, the first property that there is. */
  const known = (lines: readonly (readonly string[])[]): string =>
    lines
      .map(line => line.find(property => properties.has(property.split('=')[0] ?? '')))
      .filter(property => property !== undefined)
      .map(property => `,${property}`)
      .join('');
  switch (kind) {
    case 'intel':
      return { machine: split, args: ['-device', 'intel-iommu,intremap=on'], cmdline: ['intel_iommu=on'] };
    case 'intel-scalable':
    case 'intel-first-stage': {
      const stage = kind === 'intel-first-stage' ? known(firstStage) : '';
      return {
        machine: split,
        args: ['-device', `intel-iommu,intremap=on,device-iotlb=on${known(scalable)}${stage}`],
        cmdline: ['intel_iommu=on,sm_on'],
      };
    }
    case 'amd':
      return {
        machine: split,
        args: ['-device', `amd-iommu,intremap=on,xtsup=on${known(remapping)}`],
        cmdline: [],
      };
    case 'virtio':
      // In the first slot, so that it is there before any device that it translates for.
      return { machine: 'q35', args: ['-device', 'virtio-iommu-pci,addr=1'], cmdline: [] };
    case 'none':
      return { machine: 'q35', args: [], cmdline: ['intel_iommu=off'] };
  }
}

/** Scalable mode and PASIDs; under their names in QEMU 11 and, experimental, in QEMU 10. */
const scalable = [
  ['scalable-mode=on', 'x-scalable-mode=on'],
  ['pasid-bits=20', 'x-pasid-mode=on'],
];

/** First-stage tables, instead of second-stage ones. */
const firstStage = [['fsts=on', 'x-flts=on']];

/** Translation of DMA; before QEMU 10.2 there was no choice, and not all of it worked. */
const remapping = [['dma-remap=on']];
