import { types } from 'node:util';
import type { Container } from '../container';
import { attempt, attemptStep, type Context } from '../errors/explain';
import { closedError, VfioError } from '../errors/vfio-error';
import { native, type DmaMapHandle, type MemoryHandle } from '../native';
import { runAsync, runSync, type Steps } from '../steps';
import { coded, hex, typeError } from '../validate';
import { DmaBuffer } from './dma-buffer';
import { IovaAllocator } from './iova-allocator';
import { checkIova, planAlloc, planMap, type AllocOptions, type MapOptions, type Placement } from './options';

/** Memory the user may bring: it must not be able to go away while a device writes to it. */
export type ShareableMemory = SharedArrayBuffer | ArrayBufferView<SharedArrayBuffer>;

interface Mapped {
  memory: MemoryHandle;
  map: DmaMapHandle;
}

/**
 * The memory that the devices of one container can reach.
 *
 * A device sees memory at I/O virtual addresses (IOVAs) of the container's own; what is not mapped it cannot touch. Every
 * mapping costs one entry of a budget (65,535 by default) and pins its memory against RLIMIT_MEMLOCK, so a driver
 * does best with a few large buffers that it divides itself.
 */
export class Dma {
  readonly #container: Container;
  readonly #iovas = new IovaAllocator();
  readonly #mapped = new Map<DmaBuffer, Mapped>();
  #page = 4096n;
  /** How many calls are having the kernel map memory at the moment. */
  #mapping = 0;

  /** @internal */
  constructor(container: Container) {
    this.#container = container;
  }

  /** What is mapped now. */
  get buffers(): readonly DmaBuffer[] {
    return [...this.#mapped.keys()];
  }

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
    return runSync(this.#alloc(bytes, options));
  }

  /** {@link alloc}, off the loop. */
  allocAsync(bytes: number, options?: AllocOptions): Promise<DmaBuffer> {
    return runAsync(this.#alloc(bytes, options));
  }

  /**
   * Maps memory the user brought: a SharedArrayBuffer, which a shared `WebAssembly.Memory` has too, or a view of one. Its
   * address and length must be multiples of the page size. An ordinary ArrayBuffer is refused, as it could be transferred
   * away, and its memory be reused for something else, while the device writes to it.
   *
   * `free()` on the result only unmaps. The memory is kept alive until then.
   */
  map(memory: ShareableMemory, options?: MapOptions): DmaBuffer {
    return runSync(this.#map(memory, options));
  }

  /** {@link map}, off the loop. */
  mapAsync(memory: ShareableMemory, options?: MapOptions): Promise<DmaBuffer> {
    return runAsync(this.#map(memory, options));
  }

  /** Frees every buffer; in one call where the kernel has it (`VFIO_DMA_UNMAP_FLAG_ALL`, 5.12). */
  freeAll(): void {
    if (this.#mapped.size === 0) return;
    // One call for all would take along, unnoticed, what is just being mapped.
    if (this.#mapping === 0 && this.#container.checkExtension('UnmapAll') > 0) {
      attempt({ doing: 'Unmapping all DMA memory' }, () =>
        native().dmaUnmapAll(this.#container.handle, false),
      );
    }
    for (const buffer of this.buffers) this.release(buffer);
  }

  /** @internal Called when the set of groups or the IOMMU changes. */
  refreshRanges(): void {
    if (this.#container.iommuType === undefined) return;
    const { iovaRanges, pageSizes } = this.#container.iommuInfo();
    this.#iovas.setValid(iovaRanges);
    this.#page = pageSizes[0] ?? BigInt(native().pageSize);
  }

  /** @internal */
  release(buffer: DmaBuffer): void {
    const mapped = this.#mapped.get(buffer);
    if (mapped === undefined) return;
    attempt({ doing: `Unmapping ${hex(buffer.iova)}`, iova: buffer.iova, size: buffer.byteLength }, () =>
      native().dmaUnmap(mapped.map, false),
    );
    this.#mapped.delete(buffer);
    this.#iovas.release(buffer.iova);
    buffer.markFreed();
    native().memoryFree(mapped.memory);
  }

  *#alloc(bytes: number, options: AllocOptions | undefined): Steps<DmaBuffer> {
    const plan = planAlloc(bytes, options, Math.max(Number(this.#page), native().pageSize));
    const { length, align, hugePageSize, numaNode } = plan;
    const iova = this.#place(plan, length, align);
    return yield* this.#undoing(iova, function* (this: Dma) {
      const context: Context = {
        doing: `Allocating ${length} bytes`,
        size: length,
        facts: { hugePageSize: hugePageSize === 0 ? undefined : hugePageSize },
      };
      const memory = yield* attemptStep(context, async =>
        native().memoryAlloc(length, align, hugePageSize, numaNode, async),
      );
      return yield* this.#commit(memory, length, iova, plan, () => {
        const buffer = attempt(context, () => native().memoryBuffer(memory));
        return { buffer, byteOffset: 0, byteLength: length };
      });
    });
  }

  *#map(memory: ShareableMemory, options: MapOptions | undefined): Steps<DmaBuffer> {
    const view = shareable(memory);
    if (view.byteLength === 0) throw pagesError(0n, 0, this.#page);
    const plan = planMap(options);
    const handle = native().memoryFromView(view);
    const start = native().memoryAddress(handle);
    const placed = { ...plan, iova: plan.iova === 'va' ? start : plan.iova };
    let iova: bigint;
    try {
      checkPages(start, view.byteLength, this.#page);
      iova = this.#place(placed, view.byteLength, Number(this.#page));
    } catch (error) {
      native().memoryFree(handle);
      throw error;
    }
    return yield* this.#undoing(iova, function* (this: Dma) {
      return yield* this.#commit(handle, view.byteLength, iova, placed, () => view);
    });
  }

  /** Chooses the address, or takes the one asked for. */
  #place(plan: Placement, length: number, align: number): bigint {
    this.#container.assertOpen();
    if (this.#container.iommuType === undefined) {
      throw new VfioError('There is nothing to map memory into: the container has no IOMMU yet', {
        code: 'ERR_VFIO_NO_IOMMU',
        cure: 'attach a group and call setIommu() first',
      });
    }
    const size = BigInt(length);
    if (typeof plan.iova === 'bigint') {
      checkIova(plan.iova, length, this.#page, plan.last);
      this.#takeAt(plan.iova, size);
      return plan.iova;
    }
    const iova = this.#iovas.take(size, BigInt(align), plan.last);
    if (iova !== undefined) return iova;
    throw new VfioError(
      `No free IOVA range of ${length} bytes, aligned to ${align}, ends at or below ${hex(plan.last)}`,
      {
        code: 'ERR_VFIO_NO_IOVA',
        likelyCause: `the IOMMU accepts ${this.#validText()}, of which ${this.bytesMapped} bytes are mapped`,
      },
    );
  }

  #takeAt(iova: bigint, size: bigint): void {
    const refusal = this.#iovas.takeAt(iova, size);
    if (refusal === undefined) return;
    const range = `${hex(iova)}-${hex(iova + size - 1n)}`;
    if (refusal === 'outside') {
      throw new VfioError(`The IOMMU does not accept IOVA ${range}`, {
        code: 'EINVAL',
        likelyCause: `it accepts ${this.#validText()}; the rest is reserved or beyond its width`,
      });
    }
    const other = this.#iovas.overlapping(iova, size);
    const taken = other === undefined ? '' : ` by ${hex(other.start)}-${hex(other.start + other.size - 1n)}`;
    throw new VfioError(`IOVA ${range} is mapped already, in whole or in part${taken}`, {
      code: 'EEXIST',
      cure: 'free that buffer first, or leave the IOVA to the allocator',
    });
  }

  /** Gives the address range back when the rest fails. */
  *#undoing(iova: bigint, body: (this: Dma) => Steps<DmaBuffer>): Steps<DmaBuffer> {
    try {
      return yield* body.call(this);
    } catch (error) {
      this.#iovas.release(iova);
      throw error;
    }
  }

  /** Maps memory that is there and an address that is taken; frees the memory when that fails. */
  *#commit(
    memory: MemoryHandle,
    length: number,
    iova: bigint,
    access: Placement,
    view: () => { buffer: ArrayBufferLike; byteOffset: number; byteLength: number },
  ): Steps<DmaBuffer> {
    const flags = (access.deviceReads ? 1 : 0) | (access.deviceWrites ? 2 : 0);
    const context: Context = {
      doing: `Mapping ${length} bytes at IOVA ${hex(iova)}`,
      iova,
      size: length,
      facts: { validRanges: this.#validText(), mapped: this.#mapped.size },
    };
    let map: DmaMapHandle | undefined;
    this.#mapping++;
    try {
      const container = this.#container.handle;
      map = yield* attemptStep(context, async =>
        native().dmaMap(container, memory, 0, length, iova, flags, async),
      );
      // Closed or emptied while the kernel was pinning: nobody would ever free this buffer.
      if (this.#container.iommuType === undefined) throw closedError('The container');
      const buffer = new DmaBuffer(this, iova, view(), access);
      this.#mapped.set(buffer, { memory, map });
      return buffer;
    } catch (error) {
      if (map !== undefined) native().dmaUnmap(map, false);
      native().memoryFree(memory);
      // The kernel only says EINVAL of an address space that went away meanwhile.
      throw this.#container.iommuType === undefined ? closedError('The container') : error;
    } finally {
      this.#mapping--;
    }
  }

  #validText(): string {
    return this.#iovas.valid.map(({ start, last }) => `${hex(start)}-${hex(last)}`).join(', ') || 'nothing';
  }
}

function checkPages(start: bigint, length: number, page: bigint): void {
  if (start % page !== 0n || BigInt(length) % page !== 0n) throw pagesError(start, length, page);
}

function pagesError(start: bigint, length: number, page: bigint): RangeError {
  return coded(
    new RangeError(
      `memory must start on a page and be whole pages long (the IOMMU's are ${page} bytes); ` +
        `got ${length} bytes at ${hex(start)}`,
    ),
    'ERR_OUT_OF_RANGE',
  );
}

/** The bytes of what the user brought, if it is memory that cannot go away. */
function shareable(memory: unknown): Uint8Array {
  const [buffer, offset, length] = ArrayBuffer.isView(memory)
    ? [memory.buffer, memory.byteOffset, memory.byteLength]
    : [memory, 0, undefined];
  if (types.isSharedArrayBuffer(buffer)) return new Uint8Array(buffer, offset, length ?? buffer.byteLength);
  throw typeError(
    'memory',
    'a SharedArrayBuffer or a view of one (an ArrayBuffer can be transferred away while a device writes to it)',
    memory,
  );
}
