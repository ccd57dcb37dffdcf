import { findCapability, unknownCapabilities, type UnknownCapability } from './capability';
import { badAnswer } from './errors/bad-answer';
import type { RawIommuInfo } from './native';
import { hex } from './validate';

/** An inclusive range of I/O virtual addresses. */
export interface IovaRange {
  readonly start: bigint;
  /** The last address that belongs to it. */
  readonly last: bigint;
}

/** What `VFIO_IOMMU_GET_INFO` says about a container's IOMMU (`struct vfio_iommu_type1_info` and its chain). */
export interface IommuInfo {
  /** The page sizes of the IOMMU in bytes, smallest first. Addresses and lengths of mappings are multiples of the first. */
  readonly pageSizes: readonly bigint[];
  /**
   * Where mappings may lie: what is left of the address width after reserved windows (MSI, firmware). Kernels before
   * 5.4 do not say; then it is the 64-bit range.
   */
  readonly iovaRanges: readonly IovaRange[];
  /** How many more mappings this container takes (`VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL`, kernel 5.10); `undefined` before. */
  readonly mappingsAvailable: number | undefined;
  /** Dirty-page tracking (`…_CAP_MIGRATION`, kernel 5.8): its page sizes and largest bitmap in bytes. */
  readonly migration: { readonly pageSizes: readonly bigint[]; readonly maxBitmapBytes: bigint } | undefined;
  /** Capabilities this version of the library does not know. */
  readonly unknown: readonly UnknownCapability[];
}

const capability = { iovaRange: 1, migration: 2, dmaAvailable: 3 } as const;

export function decodeIommuInfo(raw: RawIommuInfo): IommuInfo {
  const chain = raw.capabilities;
  const available = findCapability(chain, capability.dmaAvailable);
  const migration = findCapability(chain, capability.migration);
  return Object.freeze({
    pageSizes: Object.freeze(bits(raw.pageSizes)),
    iovaRanges: checkedRanges('VFIO_IOMMU_GET_INFO', iovaRanges(raw)),
    mappingsAvailable: available?.u32(0),
    // struct vfio_iommu_type1_info_cap_migration: flags, pgsize_bitmap, max_dirty_bitmap_size
    migration:
      migration &&
      Object.freeze({ pageSizes: Object.freeze(bits(migration.u64(8))), maxBitmapBytes: migration.u64(16) }),
    unknown: Object.freeze(unknownCapabilities(chain, Object.values(capability))),
  });
}

/** Addresses are given out of these: no two may hold the same one. @throws VfioError `EPROTO` */
export function checkedRanges(syscall: string, ranges: readonly IovaRange[]): readonly IovaRange[] {
  const sorted = ranges
    .map(range => Object.freeze({ ...range }))
    .sort((a, b) => (a.start < b.start ? -1 : 1));
  let free = 0n;
  for (const { start, last } of sorted) {
    if (start < free || last < start) throw badAnswer(syscall, `IOVAs from ${hex(start)} to ${hex(last)}`);
    free = last + 1n;
  }
  return Object.freeze(sorted);
}

function iovaRanges(raw: RawIommuInfo): IovaRange[] {
  const ranges = findCapability(raw.capabilities, capability.iovaRange);
  if (ranges === undefined) return [{ start: 0n, last: 0xffff_ffff_ffff_ffffn }];
  // struct vfio_iommu_type1_info_cap_iova_range: nr_iovas, reserved, then pairs of start and (inclusive) end
  const count = Math.max(Math.min(ranges.u32(0), (ranges.data.length - 8) >> 4), 0);
  return Array.from({ length: count }, (_, i) => ({
    start: ranges.u64(8 + i * 16),
    last: ranges.u64(16 + i * 16),
  }));
}

function bits(bitmap: bigint): bigint[] {
  return Array.from({ length: 64 }, (_, i) => 1n << BigInt(i)).filter(bit => (bitmap & bit) !== 0n);
}
