/**
 * What this package does about a name of the headers: the part of its API that reaches it, as Markdown. A test must then
 * have had a kernel of the lab do it.
 */
export type Row = string | Absent | Like;

/** A name that no machine of the lab can do. A test must have seen it refused, or seen that it is not there. */
export interface Absent {
  absent: string;
  /** What would reach it where there is such a machine; without it nothing would. */
  api: string | undefined;
}

/** A name that cannot be asked for by itself: what holds for another one holds for it. */
export interface Like {
  like: string;
  api: string | undefined;
}

/** Rows that belong together, in the order of the table. */
export interface Section {
  title: string;
  rows: Readonly<Record<string, Row>>;
}

export function absent(why: string, api?: string): Absent {
  return { absent: why, api };
}

export function like(name: string, api?: string): Like {
  return { like: name, api };
}

/** The same row for several names. */
export function each<Name extends string>(names: readonly Name[], row: Row): Record<Name, Row> {
  return Object.fromEntries(names.map(name => [name, row])) as Record<Name, Row>;
}

/** Why no machine of the lab, which are x86-64 with emulated devices, can do something. */
export const lacks = {
  powerpc: 'only PowerPC has SPAPR TCE tables and EEH',
  s390: 'only s390 has channel I/O, crypto adapters and zPCI',
  arm: 'only ARM has SMMUv3',
  tegra: 'only the Tegra241 has CMDQV',
  platform: 'it takes a device outside of any bus that can be enumerated, as ARM boards have',
  fslMc: 'only Layerscape processors have the FSL-MC bus',
  cdx: 'only AMD Versal has the CDX bus',
  igd: 'it takes an Intel graphics device as the primary one',
  atomics: 'it takes a root port that completes AtomicOps; QEMU has that only for devices of the host',
  sparse: 'it takes a driver that hands out parts of a region, as those of NVIDIA Grace and of Intel vGPUs',
  reinit: 'it takes a device that starts its pre-copy over, as a virtual function of mlx5',
  broken: 'it takes a device that fails in the middle of a change of state',
  pasid: 'it takes a device with the PASID capability, which QEMU does not emulate',
  vtdNesting: 'it takes an Intel IOMMU with nested translation, which QEMU does not emulate',
  amdNesting: 'it takes an AMD IOMMU with guest page tables (GIOSup), which QEMU does not emulate',
  removed: 'no kernel has it any more',
  reserved: 'it is reserved, and no kernel takes it',
} as const;
