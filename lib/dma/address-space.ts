import type { IovaRange } from '../iommu-info';
import type { DmaMapHandle, Maybe, MemoryHandle } from '../native';

/** What an address space accepts. */
export interface Geometry {
  readonly iovaRanges: readonly IovaRange[];
  /** The smallest page of the IOMMU in bytes: addresses and lengths are multiples of it. */
  readonly pageSize: bigint;
  /** Where addresses are chosen from, if not anywhere in {@link iovaRanges}. */
  readonly allowed?: readonly IovaRange[];
}

/** Where memory is mapped for devices: the IOMMU of a container, or an I/O address space of an iommufd. */
export interface AddressSpace {
  /** Whether memory can be mapped now. */
  readonly ready: boolean;
  /** Throws, saying what is missing, unless {@link ready}. */
  assertReady(): void;
  /** Whether it is that of a container, with the calls that only a container has. */
  readonly type1?: boolean;
  geometry(): Geometry;
  /** @param flags 1: devices may read, 2: they may write */
  map(memory: MemoryHandle, length: number, iova: bigint, flags: number, async: boolean): Maybe<DmaMapHandle>;
  /** Unmaps everything in one call, where the kernel has one. */
  unmapAll(): void;
}
