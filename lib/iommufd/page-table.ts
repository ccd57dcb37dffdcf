import { closedError } from '../errors/vfio-error';
import type { Dma } from '../dma/dma';
import { propertyOf, typeError } from '../validate';
import type { Iommufd } from './iommufd';

/** What a device opened by its cdev can be attached to: an {@link Ioas}, or a hardware page table over one. */
export interface PageTable {
  readonly iommufd: Iommufd;
  /** The kernel's id of the object. */
  readonly id: number;
  /** The memory that an attached device reaches. */
  readonly dma: Dma;
  readonly closed: boolean;
  /** @internal Devices came or went: which IOVAs are valid may have changed. */
  refresh(): void;
}

const made = new WeakSet<PageTable>();

/** What only looks like a page table must not get as far as the kernel, which goes by the number alone. */
export function registerPageTable(table: PageTable): void {
  made.add(table);
}

/** Refuses what a device of an iommufd cannot be attached to. */
export function checkPageTable(target: PageTable, iommufd: Iommufd): void {
  if (propertyOf(target, 'iommufd') !== iommufd || !made.has(target)) {
    throw typeError('target', 'an Ioas or HwPageTable of the same iommufd', target);
  }
  if (target.closed) throw closedError(`Page table ${target.id}`);
}
