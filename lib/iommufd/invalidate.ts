import * as util from 'node:util';
import { VfioError } from '../errors/vfio-error';
import { native } from '../native';
import { bytes, integer, valueError } from '../validate';
import { Iommufd } from './iommufd';

/** What became of a batch of invalidations. */
export interface InvalidateResult {
  /** How many entries, from the first on, the kernel handled. */
  readonly handled: number;
}

/** `IOMMU_HWPT_INVALIDATE` on a nested page table or a virtual IOMMU. */
export function invalidate(
  iommufd: Iommufd,
  id: number,
  dataType: number,
  entryLength: number,
  entries: Uint8Array,
): InvalidateResult {
  integer(dataType, 'dataType', 0, 0xffff_ffff);
  integer(entryLength, 'entryLength', 1, 4096);
  if (bytes(entries, 'entries').length % entryLength !== 0) {
    throw valueError('entries', `a whole number of entries of ${entryLength} bytes`, entries.length);
  }
  const { handled, errno } = native().hwptInvalidate(iommufd.handle, id, dataType, entryLength, entries);
  if (errno === 0) return Object.freeze({ handled });
  throw new VfioError(
    `Invalidating page table ${id} failed after ${handled} of ${entries.length / entryLength} entries: IOMMU_HWPT_INVALIDATE answered ${errno}`,
    {
      code: errnoName(errno),
      errno: -errno,
      syscall: 'IOMMU_HWPT_INVALIDATE',
      path: Iommufd.path,
    },
  );
}

function errnoName(errno: number): string {
  return util.getSystemErrorName(-errno);
}
