import type { Container } from './container';
import type { AddressSpace, Geometry } from './dma/address-space';
import { attempt } from './errors/explain';
import { VfioError } from './errors/vfio-error';
import { native, type DmaMapHandle, type Maybe, type MemoryHandle } from './native';

/** The IOMMU of a container, once it is set. */
export class Type1Space implements AddressSpace {
  readonly #container: Container;

  readonly type1 = true;

  constructor(container: Container) {
    this.#container = container;
  }

  get ready(): boolean {
    return !this.#container.closed && this.#container.iommuType !== undefined;
  }

  assertReady(): void {
    this.#container.assertOpen();
    if (this.#container.iommuType !== undefined) return;
    throw new VfioError('There is nothing to map memory into: the container has no IOMMU yet', {
      code: 'ERR_VFIO_NO_IOMMU',
      cure: 'attach a group and call setIommu() first',
    });
  }

  geometry(): Geometry {
    const { iovaRanges, pageSizes } = this.#container.iommuInfo();
    return { iovaRanges, pageSize: pageSizes[0] ?? BigInt(native().pageSize) };
  }

  map(
    memory: MemoryHandle,
    length: number,
    iova: bigint,
    flags: number,
    async: boolean,
  ): Maybe<DmaMapHandle> {
    return native().dmaMap(this.#container.handle, memory, 0, length, iova, flags, async);
  }

  /** `VFIO_DMA_UNMAP_FLAG_ALL`, kernel 5.12. */
  unmapAll(): void {
    if (this.#container.checkExtension('UnmapAll') === 0) return;
    attempt({ doing: 'Unmapping all DMA memory' }, () => native().dmaUnmapAll(this.#container.handle, false));
  }
}
