import { types } from 'node:util';
import { attempt, attemptStep, type Context } from '../errors/explain';
import { closedError, unsupportedError, VfioError } from '../errors/vfio-error';
import type { IovaRange } from '../iommu-info';
import { native, type DmaMapHandle, type MemoryHandle } from '../native';
import type { Steps } from '../steps';
import { pageBitmap } from '../page-bitmap';
import { coded, hex, rangeError, typeError, valueError } from '../validate';
import type { AddressSpace } from './address-space';
import { Dma, type ShareableMemory } from './dma';
import { DmaBuffer } from './dma-buffer';
import { freeMemory } from './memory';
import { IovaAllocator } from './iova-allocator';
import { checkIova, planAlloc, planMap } from './options';
import type { AllocOptions, AllocPlan, MapOptions, Placement } from './options';

interface Mapped {
  memory: MemoryHandle;
  map: DmaMapHandle;
}

/** Below 4 GiB lie programs that are not position independent, and what small IOMMUs need for others. */
const firstSharedAddress = 1n << 32n;
/** The highest address a process can have with four-level page tables. */
const lastUserAddress = (1n << 47n) - 1n;

const everywhere: IovaRange = { start: 0n, last: 2n ** 64n - 1n };

/** Memory mapped in an IOMMU: of a container or of an iommufd's IOAS. */
export class IommuDma extends Dma {
  readonly #space: AddressSpace;
  readonly #iovas = new IovaAllocator();
  readonly #mapped = new Map<DmaBuffer, Mapped>();
  /** What is mapped that is not memory of ours. */
  readonly #others = new Set<{ readonly iova: bigint; close?(): void }>();
  #page = 4096n;
  /** How many calls are having the kernel map memory at the moment. */
  #mapping = 0;
  /** Where addresses are chosen from; everywhere when `undefined`. */
  #allowed: readonly IovaRange[] | undefined;

  /** @internal */
  constructor(space: AddressSpace) {
    super();
    this.#space = space;
  }

  override get buffers(): readonly DmaBuffer[] {
    return [...this.#mapped.keys()];
  }

  override freeAll(): void {
    for (const other of this.#others) other.close?.();
    if (this.#mapped.size === 0) return;
    // One call for all would take along, unnoticed, what is just being mapped.
    if (this.#mapping === 0) this.#space.unmapAll();
    for (const buffer of this.buffers) this.release(buffer);
  }

  /** @internal Takes an IOVA range for something that is not memory of ours; the flags say what devices may do. */
  reserve(length: number, options: MapOptions | undefined): { iova: bigint; flags: number } {
    const plan = planMap(options);
    if (plan.iova === 'va') throw valueError('options.iova', 'an address, or left out', plan.iova);
    return { iova: this.#place(plan, length, Number(this.#page)), flags: accessFlags(plan) };
  }

  /** @internal */
  adopt<T extends { readonly iova: bigint; close(): void }>(mapping: T): T {
    this.#others.add(mapping);
    return mapping;
  }

  /** @internal */
  unreserve(mapping: { readonly iova: bigint }): void {
    this.#others.delete(mapping);
    this.#iovas.release(mapping.iova);
  }

  /** @internal Called when what the space accepts may have changed: devices came or went. */
  refreshGeometry(): void {
    if (!this.#space.ready) return;
    const { iovaRanges, pageSize, allowed } = this.#space.geometry();
    this.#iovas.setValid(iovaRanges);
    this.#page = pageSize;
    this.#allowed = allowed;
  }

  /** @internal */
  memoryOf(buffer: DmaBuffer): MemoryHandle {
    return this.#get(buffer).memory;
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
    freeMemory(mapped.memory);
  }

  /** @internal */
  releaseDirty(buffer: DmaBuffer, pageSize: number): BigUint64Array {
    this.#assertType1();
    const { map } = this.#get(buffer);
    const bitmap = pageBitmap(buffer.byteLength, pageSize);
    const context: Context = {
      doing: `Unmapping ${hex(buffer.iova)} with a bitmap of its dirty pages`,
      iova: buffer.iova,
      size: buffer.byteLength,
      facts: { bitmapPage: pageSize },
    };
    attempt(context, () => native().dmaUnmapDirty(map, BigInt(pageSize), bitmap));
    this.release(buffer);
    return bitmap;
  }

  /** @internal */
  move(buffer: DmaBuffer, memory: ShareableMemory): DmaBuffer {
    this.#assertType1();
    const { map, memory: before } = this.#get(buffer);
    const view = shareable(memory);
    if (view.byteLength !== buffer.byteLength) {
      throw rangeError('memory', `as long as the buffer, ${buffer.byteLength} bytes`, view.byteLength);
    }
    const handle = native().memoryFromView(view);
    try {
      checkPages(native().memoryAddress(handle), view.byteLength, this.#page);
      attempt(
        { doing: `Moving the memory at ${hex(buffer.iova)}`, iova: buffer.iova, size: buffer.byteLength },
        () => {
          native().dmaForgetAddress(map);
          try {
            native().dmaNewAddress(map, handle);
          } catch (error) {
            // Without an address the whole container takes no further group.
            native().dmaNewAddress(map, before);
            throw error;
          }
        },
      );
    } catch (error) {
      native().memoryFree(handle);
      throw error;
    }
    const moved = new DmaBuffer(this, buffer.iova, view, buffer);
    this.#mapped.delete(buffer);
    this.#mapped.set(moved, { memory: handle, map });
    buffer.markFreed();
    native().memoryFree(before);
    return moved;
  }

  #assertType1(): void {
    if (this.#space.type1 !== true)
      throw unsupportedError('This memory is in an address space of an iommufd, not in a container');
  }

  #get(buffer: DmaBuffer): Mapped {
    const mapped = this.#mapped.get(buffer);
    if (mapped === undefined) throw closedError(`The DMA buffer at IOVA ${hex(buffer.iova)}`);
    return mapped;
  }

  /** @internal */
  protected override *allocSteps(bytes: number, options: AllocOptions | undefined): Steps<DmaBuffer> {
    const plan = planAlloc(bytes, options, Math.max(Number(this.#page), native().pageSize));
    if (plan.iova === 'va') return yield* this.#allocShared(plan);
    const { length, align, hugePageSize, numaNode } = plan;
    const iova = this.#place(plan, length, align);
    return yield* this.#undoing(iova, function* (this: IommuDma) {
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

  /**
   * Memory whose address is the same for the device and for this process. The addresses that both can have are few where
   * the IOMMU is narrower than the processor, so the memory is put where an IOVA is free, not the other way round.
   */
  *#allocShared(plan: AllocPlan): Steps<DmaBuffer> {
    const { length, align, hugePageSize, numaNode } = plan;
    const context: Context = { doing: `Allocating ${length} bytes at a shared address`, size: length };
    const last = plan.last < lastUserAddress ? plan.last : lastUserAddress;
    this.#space.assertReady();
    for (let first = firstSharedAddress; ;) {
      const iova = this.#take(length, align, last, first);
      if (iova === undefined) throw this.#noIova(length, align, last);
      let memory: MemoryHandle;
      try {
        memory = yield* attemptStep(context, async =>
          native().memoryAllocAt(length, iova, hugePageSize, numaNode, async),
        );
      } catch (error) {
        this.#iovas.release(iova);
        // Something of this process lies there: look further up.
        if (!(error instanceof VfioError) || error.code !== 'EEXIST') throw error;
        first = iova + BigInt(length);
        continue;
      }
      return yield* this.#undoing(iova, function* (this: IommuDma) {
        return yield* this.#commit(memory, length, iova, plan, () => {
          const buffer = attempt(context, () => native().memoryBuffer(memory));
          return { buffer, byteOffset: 0, byteLength: length };
        });
      });
    }
  }

  /** @internal */
  protected override *mapSteps(memory: ShareableMemory, options: MapOptions | undefined): Steps<DmaBuffer> {
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
    return yield* this.#undoing(iova, function* (this: IommuDma) {
      return yield* this.#commit(handle, view.byteLength, iova, placed, () => view);
    });
  }

  /** Chooses the address, or takes the one asked for. */
  #place(plan: Placement, length: number, align: number): bigint {
    this.#space.assertReady();
    const size = BigInt(length);
    if (typeof plan.iova === 'bigint') {
      checkIova(plan.iova, length, this.#page, plan.last);
      this.#takeAt(plan.iova, size);
      return plan.iova;
    }
    const iova = this.#take(length, align, plan.last);
    if (iova !== undefined) return iova;
    throw this.#noIova(length, align, plan.last);
  }

  /** A free range, as low as it gets. */
  #take(length: number, align: number, last: bigint, first = IovaAllocator.lowest): bigint | undefined {
    for (const range of this.#allowed ?? [everywhere]) {
      const from = range.start > first ? range.start : first;
      const to = range.last < last ? range.last : last;
      const iova = this.#iovas.take(BigInt(length), BigInt(align), to, from);
      if (iova !== undefined) return iova;
    }
    return undefined;
  }

  #noIova(length: number, align: number, last: bigint): VfioError {
    return new VfioError(
      `No free IOVA range of ${length} bytes, aligned to ${align}, ends at or below ${hex(last)}`,
      {
        code: 'ERR_VFIO_NO_IOVA',
        likelyCause:
          `the IOMMU accepts ${this.#validText()}, of which ${this.bytesMapped} bytes are mapped` +
          (this.#allowed === undefined ? '' : `; addresses are chosen from ${textOf(this.#allowed)}`),
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
  *#undoing(iova: bigint, body: (this: IommuDma) => Steps<DmaBuffer>): Steps<DmaBuffer> {
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
    const flags = accessFlags(access);
    const context: Context = {
      doing: `Mapping ${length} bytes at IOVA ${hex(iova)}`,
      iova,
      size: length,
      facts: { validRanges: this.#validText(), mapped: this.#mapped.size },
    };
    let map: DmaMapHandle | undefined;
    this.#mapping++;
    try {
      map = yield* attemptStep(context, async => this.#space.map(memory, length, iova, flags, async));
      // Closed or emptied while the kernel was pinning: nobody would ever free this buffer.
      this.#space.assertReady();
      const buffer = new DmaBuffer(this, iova, view(), access);
      this.#mapped.set(buffer, { memory, map });
      return buffer;
    } catch (error) {
      try {
        if (map !== undefined) native().dmaUnmap(map, false);
        native().memoryFree(memory);
      } catch {
        // What cannot be unmapped keeps its memory until the address space closes: a device may still write to it.
      }
      // The kernel only says EINVAL of an address space that went away meanwhile.
      throw this.#space.ready ? error : closedError('The address space');
    } finally {
      this.#mapping--;
    }
  }

  #validText(): string {
    return textOf(this.#iovas.valid);
  }
}

function textOf(ranges: readonly IovaRange[]): string {
  return ranges.map(({ start, last }) => `${hex(start)}-${hex(last)}`).join(', ') || 'nothing';
}

function accessFlags(access: Placement): number {
  return (access.deviceReads ? 1 : 0) | (access.deviceWrites ? 2 : 0);
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
