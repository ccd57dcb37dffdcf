import type { Dma } from '../dma/dma';
import type { Iommufd } from './iommufd';

/** What a device opened by its cdev can be attached to: an {@link Ioas}, or a hardware page table over one. */
export interface PageTable {
  readonly iommufd: Iommufd;
  /** The kernel's id of the object. */
  readonly id: number;
  /** The memory that an attached device reaches. */
  readonly dma: Dma;
  /** @internal Devices came or went: which IOVAs are valid may have changed. */
  refresh(): void;
}
