import { types } from 'node:util';
import { closedError, unsupportedError, type VfioError } from '../errors/vfio-error';
import { type MemoryHandle, native } from '../native';
import { share, type Shared } from '../shared';
import { address64, hex, integer, powerOfTwo, rangeError } from '../validate';
import type { ShareableMemory } from './dma';

/** What a buffer needs from the {@link Dma} that made it, or from the thread it was adopted from. */
interface Owner {
  release(buffer: DmaBuffer): void;
  memoryOf(buffer: DmaBuffer): MemoryHandle;
  /** Of a buffer that was adopted: whether its own owner has freed it. */
  readonly over?: boolean;
  releaseDirty?(buffer: DmaBuffer, pageSize: number): BigUint64Array;
  move?(buffer: DmaBuffer, memory: ShareableMemory): DmaBuffer;
}

/**
 * Memory that a device can reach: pinned, and mapped in the container's IOMMU at {@link iova}.
 *
 * It is ordinary coherent memory to this process, so the typed arrays over it are the fast path: descriptor rings are
 * best read and written as one `u32` array. They may be kept; after {@link free} they see zeroes that no device knows,
 * and asking the buffer for one throws.
 *
 * It stays mapped until {@link free}, or until its container closes, whether or not somebody still holds it: a device
 * may write to it at any moment. Make the device stop before freeing.
 */
export class DmaBuffer implements Disposable {
  /** Where the device sees its first byte. */
  readonly iova: bigint;
  /** The lower 32 bits of {@link iova}, for descriptors; no bigint on hot paths. */
  readonly iovaLo: number;
  /** The upper 32 bits of {@link iova}. */
  readonly iovaHi: number;
  /** Bytes, a multiple of the IOMMU's page size. */
  readonly byteLength: number;
  /** Whether the device may read it. */
  readonly deviceReads: boolean;
  /** Whether the device may write it. */
  readonly deviceWrites: boolean;
  #owner: Owner | undefined;
  readonly #buffer: ArrayBufferLike;
  readonly #byteOffset: number;
  #shared: Shared<DmaBuffer> | undefined;
  readonly #views = new Map<ViewType<ArrayBufferView>, ArrayBufferView>();

  /** @internal */
  constructor(
    owner: Owner,
    iova: bigint,
    view: { buffer: ArrayBufferLike; byteOffset: number; byteLength: number },
    access: { deviceReads: boolean; deviceWrites: boolean },
    shared?: Shared<DmaBuffer>,
  ) {
    this.#shared = shared;
    this.#owner = owner;
    this.iova = iova;
    this.iovaLo = Number(iova & 0xffff_ffffn);
    this.iovaHi = Number(iova >> 32n);
    this.byteLength = view.byteLength;
    this.deviceReads = access.deviceReads;
    this.deviceWrites = access.deviceWrites;
    this.#buffer = view.buffer;
    this.#byteOffset = view.byteOffset;
  }

  get freed(): boolean {
    return this.#owner?.over ?? this.#owner === undefined;
  }

  /** The memory. It may be larger than the mapping when it was brought by the user: it starts at {@link byteOffset}. */
  get buffer(): ArrayBufferLike {
    this.#check();
    return this.#buffer;
  }

  /** Where in {@link buffer} the mapping starts. */
  get byteOffset(): number {
    return this.#byteOffset;
  }

  get u8(): Uint8Array {
    return this.#view(Uint8Array);
  }
  get u16(): Uint16Array {
    return this.#view(Uint16Array);
  }
  get u32(): Uint32Array {
    return this.#view(Uint32Array);
  }
  get i32(): Int32Array {
    return this.#view(Int32Array);
  }
  get u64(): BigUint64Array {
    return this.#view(BigUint64Array);
  }
  get f64(): Float64Array {
    return this.#view(Float64Array);
  }

  /** The device's address of the byte at `offset`. `offset` may equal the length: one past the end. */
  iovaAt(offset: number): bigint {
    return this.iova + BigInt(integer(offset, 'offset', 0, this.byteLength));
  }

  /** Where in the buffer a device address lies: the reverse of {@link iovaAt}. */
  offsetOf(iova: bigint): number {
    const offset = address64(iova, 'iova') - this.iova;
    if (offset < 0n || offset >= BigInt(this.byteLength)) {
      throw rangeError(
        'iova',
        `from ${hex(this.iova)} to ${hex(this.iova + BigInt(this.byteLength) - 1n)}`,
        iova,
      );
    }
    return Number(offset);
  }

  /**
   * Lets other threads of this process use it: `adopt()` makes a buffer of the result there, over the same memory, at the
   * same {@link iova}. Keep the typed arrays there in variables: each of the getters asks whether it was freed.
   */
  share(): Shared<DmaBuffer> {
    this.#check();
    return (this.#shared ??= this.#share());
  }

  /**
   * Takes it out of the IOMMU (`VFIO_IOMMU_UNMAP_DMA`) and gives the memory back; the device faults if it still uses it.
   * Of a buffer that was adopted it lets go, and changes nothing for the device. Does nothing the second time.
   */
  free(): void {
    this.#owner?.release(this);
  }

  /**
   * {@link free}, and the pages that devices may have written since the last `container.dirtyBitmap()`, one bit a page
   * (`VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP`, kernel 5.8). Only in a container that tracks dirty pages.
   *
   * @param pageSize bytes a bit stands for: the smallest page of the IOMMU, default 4,096
   * @throws VfioError `ERR_VFIO_UNSUPPORTED` outside of a container, `EINVAL` unless dirty pages are tracked; the buffer is
   *   still there then
   */
  freeDirty(pageSize = 4096): BigUint64Array {
    this.#check();
    powerOfTwo(pageSize, 'pageSize', 1, 2 ** 40);
    if (this.#owner?.releaseDirty === undefined) throw this.#notHere();
    return this.#owner.releaseDirty(this, pageSize);
  }

  /**
   * Tells the kernel that the same pages are elsewhere in this process now (`VFIO_DMA_UNMAP_FLAG_VADDR`, then
   * `VFIO_DMA_MAP_FLAG_VADDR`, kernel 5.12): for programs that replace themselves while devices run. What devices see does
   * not change, even if the kernel is told a lie: it does not look at the memory, and devices go on with the old pages,
   * which stay pinned.
   *
   * @param memory the same pages at their new address, of the same length; see `dma.map()`
   * @returns the buffer over the new address; this one counts as freed
   * @throws VfioError `ERR_VFIO_UNSUPPORTED` outside of a container, `EBUSY` in one with a mediated device
   */
  moveTo(memory: ShareableMemory): DmaBuffer {
    this.#check();
    if (this.#owner?.move === undefined) throw this.#notHere();
    return this.#owner.move(this, memory);
  }

  /** @internal Called by the owner once the IOMMU let go. */
  markFreed(): void {
    // The memory may stay for a while after it, under another mapping or a neighbour on a huge page.
    if (this.#shared !== undefined && this.#owner?.over === undefined) native().shareRevoke(this.#shared.key);
    this.#owner = undefined;
    this.#views.clear();
  }

  [Symbol.dispose](): void {
    this.free();
  }

  #check(): void {
    if (this.freed) throw closedError(`The DMA buffer at IOVA ${hex(this.iova)}`);
  }

  #share(): Shared<DmaBuffer> {
    const { byteOffset, byteLength, deviceReads, deviceWrites } = this;
    const brought = types.isSharedArrayBuffer(this.#buffer);
    const iova = hex(this.iova);
    return share(
      'buffer',
      { iova, brought, byteOffset, byteLength, deviceReads, deviceWrites },
      (key, about) => {
        if (this.#owner !== undefined) native().shareMemory(this.#owner.memoryOf(this), key, about);
      },
      types.isSharedArrayBuffer(this.#buffer) ? this.#buffer : undefined,
    );
  }

  #notHere(): VfioError {
    return unsupportedError(
      this.#owner?.over === undefined
        ? 'No IOMMU knows of this memory'
        : 'Only the thread that made this buffer can change its mapping',
    );
  }

  #view<T extends ArrayBufferView>(type: ViewType<T>): T {
    this.#check();
    let view = this.#views.get(type);
    if (view === undefined) {
      view = new type(this.#buffer, this.#byteOffset, Math.floor(this.byteLength / type.BYTES_PER_ELEMENT));
      this.#views.set(type, view);
    }
    return view as T;
  }
}

interface ViewType<out T> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
}
