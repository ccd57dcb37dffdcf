/** What the user may say about DMA memory, and what was made of it. */
import {
  address64,
  boolean,
  integer,
  options as check,
  powerOfTwo,
  rangeError,
  valueError,
} from '../validate';

interface AccessOptions {
  /**
   * Whether the device may read the memory. Default true. Not every IOMMU, or kernel driver of one, can keep a device from
   * reading what it may write.
   */
  deviceReads?: boolean;
  /** Whether the device may write the memory. Default true. */
  deviceWrites?: boolean;
  /** How many address bits the device drives (its "DMA mask"), 12 to 64: all of it lies below 2^bits. Default 64. */
  addressBits?: number;
}

/** Options of `dma.alloc`. */
export interface AllocOptions extends AccessOptions {
  /** Alignment of the IOVA and of the memory in bytes, a power of two. Default the page, for 2 MiB and more 2 MiB. */
  align?: number;
  /** Explicit huge pages from the kernel's pool: `true` is 2 MiB. The length is rounded up to them. Default false. */
  hugepages?: boolean | '2M' | '1G';
  /** The NUMA node the memory must come from; `findDevice(address).numaNode` is the device's own. Default anywhere. */
  numa?: number;
  /** The address the device shall see; `'va'`: the same as this process sees. Default is a free one. */
  iova?: bigint | number | 'va';
}

/** Options of `dma.map`. */
export interface MapOptions extends AccessOptions {
  /** The address the device shall see; `'va'`: the same as this process sees. Default is a free one. */
  iova?: bigint | number | 'va';
}

export interface Placement {
  iova: bigint | 'va' | undefined;
  /** The highest address any byte may have. */
  last: bigint;
  deviceReads: boolean;
  deviceWrites: boolean;
}
export interface AllocPlan extends Placement {
  length: number;
  align: number;
  hugePageSize: number;
  numaNode: number;
}

const MiB = 2 ** 20;
export const hugePageSizes = { '2M': 2 * MiB, '1G': 1024 * MiB } as const;
/** A node number is an index into the kernel's node mask; MAX_NUMNODES is 1,024 at most. */
const lastNumaNode = 1023;

export function planAlloc(bytes: number, options: AllocOptions | undefined, page: number): AllocPlan {
  integer(bytes, 'bytes', 1, 2 ** 46);
  const allowed = [
    'deviceReads',
    'deviceWrites',
    'addressBits',
    'align',
    'hugepages',
    'numa',
    'iova',
  ] as const;
  const given = check(options, 'options', allowed);
  const hugePageSize = hugePages(given.hugepages);
  const unit = Math.max(page, hugePageSize);
  const length = Math.ceil(bytes / unit) * unit;
  // Larger pages in the IOMMU's tables and the processor's need both addresses aligned to them.
  const natural = Math.max(unit, length >= 2 * MiB ? 2 * MiB : unit);
  const align =
    given.align === undefined
      ? natural
      : Math.max(unit, powerOfTwo(given.align, 'options.align', 1, 2 ** 40));
  const iova = wantedIova(given.iova);
  const numaNode = given.numa === undefined ? -1 : integer(given.numa, 'options.numa', 0, lastNumaNode);
  return { ...access(given), iova, length, align, hugePageSize, numaNode };
}

export function planMap(options: MapOptions | undefined): Placement {
  const given = check(options, 'options', ['deviceReads', 'deviceWrites', 'addressBits', 'iova']);
  return { ...access(given), iova: wantedIova(given.iova) };
}

function wantedIova(iova: AllocOptions['iova']): Placement['iova'] {
  return iova === undefined || iova === 'va' ? iova : address64(iova, 'options.iova');
}

function access(given: AccessOptions): Pick<Placement, 'last' | 'deviceReads' | 'deviceWrites'> {
  const { deviceReads = true, deviceWrites = true, addressBits = 64 } = given;
  boolean(deviceReads, 'options.deviceReads');
  boolean(deviceWrites, 'options.deviceWrites');
  if (!deviceReads && !deviceWrites) {
    throw valueError(
      'options.deviceReads or options.deviceWrites',
      'true, or the device could do nothing',
      false,
    );
  }
  integer(addressBits, 'options.addressBits', 12, 64);
  return { deviceReads, deviceWrites, last: (1n << BigInt(addressBits)) - 1n };
}

function hugePages(wanted: unknown): number {
  if (wanted === undefined || wanted === false) return 0;
  if (wanted === true) return hugePageSizes['2M'];
  if (wanted !== '2M' && wanted !== '1G')
    throw valueError('options.hugepages', "true, false, '2M' or '1G'", wanted);
  return hugePageSizes[wanted];
}

/** Refuses an address the device could not drive, or that is not on a page. */
export function checkIova(iova: bigint, length: number, page: bigint, last: bigint): void {
  if (iova % page !== 0n)
    throw rangeError('options.iova', `a multiple of the IOMMU's page size, ${page}`, iova);
  if (iova + BigInt(length) - 1n > last) {
    throw rangeError(
      'options.iova',
      `such that all ${length} bytes lie below 2^${last.toString(2).length}`,
      iova,
    );
  }
}
