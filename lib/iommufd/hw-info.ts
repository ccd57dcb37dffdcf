import type { Device } from '../device';
import { attempt } from '../errors/explain';
import { native } from '../native';
import { integer, options as checkOptions } from '../validate';
import { idWithin } from './bound-device';
import { Iommufd } from './iommufd';

/** Options of {@link Iommufd.hwInfo}. */
export interface HwInfoOptions {
  /** Which of several formats {@link HwInfo.data} shall have, `IOMMU_HW_INFO_TYPE_*` (kernel 6.17). Default the driver's own. */
  dataType?: number;
}

/** What the IOMMU behind a device can do (`struct iommu_hw_info`). */
export interface HwInfo {
  /** `'Intel VT-d'`, `'ARM SMMUv3'`, …; `undefined` where the driver tells nothing, or something new. */
  readonly name: string | undefined;
  /** `IOMMU_HW_INFO_TYPE_*`: the format of {@link data}. */
  readonly dataType: number;
  /** The hardware's own struct, undecoded: capability registers. */
  readonly data: Uint8Array;
  /** Page tables can note which pages devices write. */
  readonly dirtyTracking: boolean;
  /** PASIDs the device and IOMMU take, as a power of two; 0: none. */
  readonly maxPasidLog2: number;
  readonly pasidExecute: boolean;
  readonly pasidPrivileged: boolean;
  /** Address translation in the device (ATS) cannot be used. */
  readonly atsUnsupported: boolean;
  /** All capability bits, named or not (`IOMMU_HW_CAP_*`). */
  readonly capabilities: bigint;
}

const names: Record<number, string> = {
  1: 'Intel VT-d',
  2: 'ARM SMMUv3',
  3: 'NVIDIA Tegra241 CMDQV',
  4: 'AMD-Vi',
};
const capability = { dirtyTracking: 1n, pasidExecute: 2n, pasidPrivileged: 4n, atsUnsupported: 8n } as const;

export function hwInfo(iommufd: Iommufd, device: Device, options: HwInfoOptions | undefined): HwInfo {
  const id = idWithin(iommufd, device);
  const { dataType } = checkOptions(options, 'options', ['dataType']);
  const type = dataType === undefined ? 0 : integer(dataType, 'options.dataType', 1, 0xffff_ffff);
  const context = {
    doing: `Asking for the IOMMU of ${device.address}`,
    address: device.address,
    path: Iommufd.path,
    since:
      type === 0
        ? { what: 'IOMMU_GET_HW_INFO', kernel: '6.6' }
        : { what: 'a choice of its format', kernel: '6.17' },
  };
  const raw = attempt(context, () => native().hwInfo(iommufd.handle, id, type));
  const has = (bit: bigint): boolean => (raw.capabilities & bit) !== 0n;
  return Object.freeze({
    name: names[raw.dataType],
    dataType: raw.dataType,
    data: raw.data,
    dirtyTracking: has(capability.dirtyTracking),
    maxPasidLog2: raw.maxPasidLog2,
    pasidExecute: has(capability.pasidExecute),
    pasidPrivileged: has(capability.pasidPrivileged),
    atsUnsupported: has(capability.atsUnsupported),
    capabilities: raw.capabilities,
  });
}
