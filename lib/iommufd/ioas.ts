import type { AddressSpace, Geometry } from '../dma/address-space';
import type { Dma } from '../dma/dma';
import { IommuDma } from '../dma/iommu-dma';
import { attempt } from '../errors/explain';
import { closedError } from '../errors/vfio-error';
import type { IovaRange } from '../iommu-info';
import { native, type DmaMapHandle, type Maybe, type MemoryHandle } from '../native';
import { Iommufd } from './iommufd';
import type { PageTable } from './page-table';

/**
 * An I/O address space of an iommufd: a set of mappings that any number of devices can be attached to. It outlives them,
 * and devices can be moved from one to another while they run.
 */
export class Ioas implements PageTable, AddressSpace, Disposable {
  readonly iommufd: Iommufd;
  readonly id: number;
  readonly #dma: IommuDma;
  #closed = false;

  /** @internal */
  constructor(iommufd: Iommufd) {
    this.iommufd = iommufd;
    this.id = attempt({ doing: 'Allocating an I/O address space', path: Iommufd.path }, () =>
      native().ioasAlloc(iommufd.handle),
    );
    this.#dma = new IommuDma(this);
    this.refresh();
  }

  /** The memory mapped in it. */
  get dma(): Dma {
    return this.#dma;
  }

  get closed(): boolean {
    return this.#closed || this.iommufd.closed;
  }

  /** Which IOVAs can be mapped, given the devices attached now (`IOMMU_IOAS_IOVA_RANGES`). */
  iovaRanges(): readonly IovaRange[] {
    return this.geometry().iovaRanges;
  }

  /** @internal */
  get ready(): boolean {
    return !this.closed;
  }

  /** @internal */
  assertReady(): void {
    if (this.closed) throw closedError(`I/O address space ${this.id}`);
  }

  /** @internal */
  geometry(): Geometry {
    this.assertReady();
    const { ranges, alignment } = attempt({ doing: 'Asking for IOVA ranges', path: Iommufd.path }, () =>
      native().ioasIovaRanges(this.iommufd.handle, this.id),
    );
    // Without a device attached the kernel takes single bytes; pages are what every device will want.
    const page = BigInt(native().pageSize);
    return {
      iovaRanges: Object.freeze(ranges.map(range => Object.freeze({ ...range }))),
      pageSize: alignment > page ? alignment : page,
    };
  }

  /** @internal */
  map(memory: MemoryHandle, length: number, iova: bigint, flags: number, async: boolean): Maybe<DmaMapHandle> {
    return native().ioasMap(this.iommufd.handle, this.id, memory, 0, length, iova, flags, async);
  }

  /** @internal */
  unmapAll(): void {
    attempt({ doing: 'Unmapping all DMA memory', path: Iommufd.path }, () =>
      native().ioasUnmapAll(this.iommufd.handle, this.id, false),
    );
  }

  /** @internal */
  refresh(): void {
    this.#dma.refreshGeometry();
  }

  /**
   * Frees its DMA buffers and destroys it (`IOMMU_DESTROY`). Devices must be detached. Does nothing the second time.
   *
   * @throws VfioError `EBUSY` while a device or a hardware page table uses it
   */
  close(): void {
    if (this.closed) return;
    this.#dma.freeAll();
    this.iommufd.destroy(`I/O address space ${this.id}`, this.id);
    this.#closed = true;
    this.iommufd.disown(this);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
