import { findCapability, unknownCapabilities, type UnknownCapability } from './capability';
import { badAnswer } from './errors/bad-answer';
import type { RawRegionInfo } from './native';

/** A part of a region, in bytes from its start. */
export interface Area {
  readonly offset: number;
  readonly size: number;
}

/** What `VFIO_DEVICE_GET_REGION_INFO` says about a region (`struct vfio_region_info` and its chain). */
export interface RegionInfo {
  readonly index: number;
  /** Bytes; 0 when the device has no such region. */
  readonly size: number;
  readonly readable: boolean;
  readonly writable: boolean;
  /** Whether at least a part can be mapped into memory. */
  readonly mappable: boolean;
  /** The only parts that can be mapped (`VFIO_REGION_INFO_CAP_SPARSE_MMAP`, kernel 4.6); `undefined`: no restriction. */
  readonly sparseAreas: readonly Area[] | undefined;
  /** The kernel lets the MSI-X table be mapped along (`…_CAP_MSIX_MAPPABLE`, 4.16). */
  readonly msixMappable: boolean;
  /** For device-specific regions, whose and which (`…_CAP_TYPE`). */
  readonly type: { readonly type: number; readonly subtype: number } | undefined;
  /** Capabilities this version of the library does not know. */
  readonly unknown: readonly UnknownCapability[];
  /** @internal Where the region starts in the device's file. */
  readonly fileOffset: number;
}

const flags = { read: 1, write: 2, mmap: 4 } as const;
const capability = { sparseMmap: 1, type: 2, msixMappable: 3 } as const;

const syscall = 'VFIO_DEVICE_GET_REGION_INFO';

/** @throws VfioError `EPROTO` for a region or areas that no file can have */
export function decodeRegionInfo(index: number, raw: RawRegionInfo): RegionInfo {
  if (!Number.isSafeInteger(raw.fileOffset + raw.size)) {
    throw badAnswer(
      syscall,
      `region ${index} has ${raw.size} bytes at ${raw.fileOffset} of the device's file`,
    );
  }
  const chain = raw.capabilities;
  const type = findCapability(chain, capability.type);
  return Object.freeze({
    index,
    size: raw.size,
    readable: (raw.flags & flags.read) !== 0,
    writable: (raw.flags & flags.write) !== 0,
    mappable: (raw.flags & flags.mmap) !== 0,
    sparseAreas: sparseAreas(index, raw),
    msixMappable: findCapability(chain, capability.msixMappable) !== undefined,
    type: type && Object.freeze({ type: type.u32(0), subtype: type.u32(4) }),
    unknown: Object.freeze(unknownCapabilities(chain, Object.values(capability))),
    fileOffset: raw.fileOffset,
  });
}

function sparseAreas(index: number, raw: RawRegionInfo): readonly Area[] | undefined {
  const sparse = findCapability(raw.capabilities, capability.sparseMmap);
  if (sparse === undefined) return undefined;
  // struct vfio_region_info_cap_sparse_mmap: nr_areas, reserved, then pairs of offset and size
  const count = Math.min(sparse.u32(0), (sparse.data.length - 8) >> 4);
  const areas = Array.from({ length: count }, (_, i) =>
    Object.freeze({ offset: Number(sparse.u64(8 + i * 16)), size: Number(sparse.u64(16 + i * 16)) }),
  );
  const sorted = areas.filter(area => area.size > 0).sort((a, b) => a.offset - b.offset);
  let end = 0;
  for (const { offset, size } of sorted) {
    if (offset < end) throw badAnswer(syscall, `areas of region ${index} overlap at ${offset}`);
    end = offset + size;
  }
  if (end > raw.size)
    throw badAnswer(syscall, `an area of region ${index} ends at ${end} of ${raw.size} bytes`);
  return Object.freeze(sorted);
}

/**
 * The parts of a region that can be mapped: what the kernel says; without a word from it (before 4.16) all but the pages
 * of the MSI-X table, which such kernels refuse; else the whole.
 */
export function mappableAreas(info: RegionInfo, msixTable: Area | undefined, page: number): readonly Area[] {
  if (!info.mappable || info.size === 0) return [];
  // What does not start on a page cannot be mapped, whatever the kernel says.
  if (info.sparseAreas !== undefined) return info.sparseAreas.filter(({ offset }) => offset % page === 0);
  if (info.msixMappable || msixTable === undefined) return [{ offset: 0, size: info.size }];
  const start = Math.min(Math.floor(msixTable.offset / page) * page, info.size);
  const end = Math.ceil((msixTable.offset + msixTable.size) / page) * page;
  return [
    { offset: 0, size: start },
    { offset: end, size: info.size - end },
  ].filter(area => area.size > 0);
}
