import { runAsync, runSync, type Steps } from '../steps';
import type { DmaBuffer } from './dma-buffer';
import type { AllocOptions, MapOptions } from './options';

/** Memory the user may bring: it must not be able to go away while a device writes to it. */
export type ShareableMemory = SharedArrayBuffer | ArrayBufferView<SharedArrayBuffer>;

/**
 * The memory that the devices of one I/O address space can reach.
 *
 * A device sees memory at I/O virtual addresses (IOVAs) of the space's own; what is not mapped it cannot touch. Every
 * mapping costs one entry of a budget (65,535 in a container by default) and pins its memory against RLIMIT_MEMLOCK, so a
 * driver does best with a few large buffers that it divides itself.
 *
 * In no-IOMMU mode the addresses are physical and nothing limits the device to them; see {@link PhysicalDma}.
 */
export abstract class Dma {
  /** What is mapped now. */
  abstract get buffers(): readonly DmaBuffer[];

  /** Bytes mapped now. */
  get bytesMapped(): number {
    return this.buffers.reduce((sum, one) => sum + one.byteLength, 0);
  }

  /**
   * Zeroed memory, pinned, excluded from fork, and mapped for the device. The length is rounded up to whole pages.
   *
   * Takes microseconds for a ring, a second for gigabytes of ordinary pages: {@link allocAsync} is for those.
   *
   * @param bytes more than 0
   * @throws VfioError `ENOMEM` with the numbers of the limit that stood in the way, `ENOSPC` when the budget of mappings is
   *   used up, `ERR_VFIO_NO_IOVA` when no free address range fits, `EEXIST` when `options.iova` overlaps,
   *   `ERR_VFIO_NO_IOMMU` before `setIommu()`. Nothing stays allocated then.
   */
  alloc(bytes: number, options?: AllocOptions): DmaBuffer {
    return runSync(this.allocSteps(bytes, options));
  }

  /** {@link alloc}, off the loop. */
  allocAsync(bytes: number, options?: AllocOptions): Promise<DmaBuffer> {
    return runAsync(this.allocSteps(bytes, options));
  }

  /**
   * Maps memory the user brought: a SharedArrayBuffer, which a shared `WebAssembly.Memory` has too, or a view of one. Its
   * address and length must be multiples of the page size. An ordinary ArrayBuffer is refused, as it could be transferred
   * away, and its memory be reused for something else, while the device writes to it.
   *
   * `free()` on the result only unmaps. The memory is kept alive until then.
   */
  map(memory: ShareableMemory, options?: MapOptions): DmaBuffer {
    return runSync(this.mapSteps(memory, options));
  }

  /** {@link map}, off the loop. */
  mapAsync(memory: ShareableMemory, options?: MapOptions): Promise<DmaBuffer> {
    return runAsync(this.mapSteps(memory, options));
  }

  /** Frees every buffer; in one call where the kernel has it (`VFIO_DMA_UNMAP_FLAG_ALL`, 5.12). */
  abstract freeAll(): void;

  /** @internal */
  protected abstract allocSteps(bytes: number, options: AllocOptions | undefined): Steps<DmaBuffer>;
  /** @internal */
  protected abstract mapSteps(memory: ShareableMemory, options: MapOptions | undefined): Steps<DmaBuffer>;
}
