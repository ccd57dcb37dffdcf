import { attempt, attemptStep } from '../errors/explain';
import { closedError, unsupportedError, VfioError } from '../errors/vfio-error';
import { native, type MemoryHandle } from '../native';
import type { Steps } from '../steps';
import { hex, rangeError, valueError } from '../validate';
import { Dma } from './dma';
import { DmaBuffer } from './dma-buffer';
import { IovaAllocator } from './iova-allocator';
import { type AllocOptions, type AllocPlan, hugePageSizes, planAlloc } from './options';
import { physicalAddress } from './physical-address';

/** A huge page of ours, contiguous in physical memory, and what of it is handed out. */
interface HugePage {
  readonly memory: MemoryHandle;
  readonly buffer: ArrayBuffer;
  readonly physical: bigint;
  readonly size: number;
  users: number;
}

/** What holds the pages together while devices may use them: a no-IOMMU container. */
interface PhysicalSpace {
  assertReady(): void;
}

/**
 * Memory for devices without an IOMMU: their addresses are physical, and no hardware keeps them to the memory they were
 * given. A wrong address in a descriptor overwrites anything in the machine.
 *
 * The kernel may move ordinary pages even when they are locked, so all of it comes from explicit huge pages, which stay
 * where they are; a buffer is contiguous and lies within one. `iova` is the physical address, from
 * `/proc/self/pagemap`, which needs CAP_SYS_ADMIN.
 */
export class PhysicalDma extends Dma {
  readonly #space: PhysicalSpace;
  readonly #pages: HugePage[] = [];
  readonly #free = new IovaAllocator();
  readonly #taken = new Map<DmaBuffer, HugePage>();

  /** @internal */
  constructor(space: PhysicalSpace) {
    super();
    this.#space = space;
  }

  override get buffers(): readonly DmaBuffer[] {
    return [...this.#taken.keys()];
  }

  override freeAll(): void {
    for (const buffer of this.buffers) this.release(buffer);
  }

  /** @internal */
  memoryOf(buffer: DmaBuffer): MemoryHandle {
    const page = this.#taken.get(buffer);
    if (page === undefined) throw closedError(`The DMA buffer at ${hex(buffer.iova)}`);
    return page.memory;
  }

  /** @internal */
  release(buffer: DmaBuffer): void {
    const page = this.#taken.get(buffer);
    if (page === undefined) return;
    this.#taken.delete(buffer);
    this.#free.release(buffer.iova);
    buffer.markFreed();
    if (--page.users > 0) return;
    this.#pages.splice(this.#pages.indexOf(page), 1);
    this.#setValid();
    native().memoryFree(page.memory);
  }

  /** @internal */
  protected override *allocSteps(bytes: number, options: AllocOptions | undefined): Steps<DmaBuffer> {
    // A piece of a huge page is rounded to ordinary pages, whatever size of huge page it comes from.
    const hugePageSize = planAlloc(bytes, options, native().pageSize).hugePageSize || hugePageSizes['2M'];
    const plan = planAlloc(bytes, { ...options, hugepages: false }, native().pageSize);
    if (plan.iova !== undefined) {
      throw valueError(
        'options.iova',
        'left out in no-IOMMU mode: the address is where the memory is',
        plan.iova,
      );
    }
    if (plan.length > hugePageSize) {
      throw rangeError(
        'bytes',
        `at most ${hugePageSize} in no-IOMMU mode, one huge page, to be contiguous`,
        bytes,
      );
    }
    if (plan.align > hugePageSize) {
      throw rangeError('options.align', `at most ${hugePageSize} in no-IOMMU mode`, plan.align);
    }
    this.#space.assertReady();
    return this.#carve(plan) ?? (yield* this.#grow(plan, hugePageSize));
  }

  // eslint-disable-next-line require-yield -- it refuses before there is a step to take
  protected override *mapSteps(): Steps<DmaBuffer> {
    throw unsupportedError(
      'Memory of yours cannot be given to a device without an IOMMU: the kernel may move it at any moment',
      'dma.alloc(), whose memory stays where it is',
    );
  }

  *#grow(plan: AllocPlan, hugePageSize: number): Steps<DmaBuffer> {
    const context = {
      doing: `Allocating a huge page for no-IOMMU DMA`,
      size: hugePageSize,
      facts: { hugePageSize },
    };
    const memory = yield* attemptStep(context, async =>
      native().memoryAlloc(hugePageSize, hugePageSize, hugePageSize, plan.numaNode, async),
    );
    try {
      this.#space.assertReady();
      const physical = physicalAddress(native().memoryAddress(memory));
      const buffer = attempt(context, () => native().memoryBuffer(memory));
      this.#pages.push({ memory, buffer, physical, size: hugePageSize, users: 0 });
      this.#setValid();
      const carved = this.#carve(plan);
      if (carved !== undefined) return carved;
      this.#pages.pop();
      this.#setValid();
      throw new VfioError(
        `No physical memory for ${plan.length} bytes at or below ${hex(plan.last)}: the free huge page is at ${hex(physical)}`,
        { code: 'ERR_VFIO_NO_IOVA', cure: 'reserve huge pages early, when low memory is free' },
      );
    } catch (error) {
      native().memoryFree(memory);
      throw error;
    }
  }

  /** A piece of the pages there are. */
  #carve(plan: AllocPlan): DmaBuffer | undefined {
    const physical = this.#free.take(BigInt(plan.length), BigInt(plan.align), plan.last);
    if (physical === undefined) return undefined;
    const page = this.#pages.find(
      one => physical >= one.physical && physical < one.physical + BigInt(one.size),
    );
    if (page === undefined) throw new Error('every free address lies in a page');
    const view = new Uint8Array(page.buffer, Number(physical - page.physical), plan.length);
    view.fill(0); // the piece may have been used before
    page.users++;
    const buffer = new DmaBuffer(this, physical, view, { deviceReads: true, deviceWrites: true });
    this.#taken.set(buffer, page);
    return buffer;
  }

  #setValid(): void {
    const ranges = this.#pages.map(({ physical, size }) => ({
      start: physical,
      last: physical + BigInt(size) - 1n,
    }));
    this.#free.setValid(ranges.sort((a, b) => (a.start < b.start ? -1 : 1)));
  }
}
