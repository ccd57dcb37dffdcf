import type { Device } from '../device';
import type { Dma } from '../dma/dma';
import { attempt } from '../errors/explain';
import { closedError } from '../errors/vfio-error';
import { native } from '../native';
import { pageBitmap } from '../page-bitmap';
import {
  address64,
  boolean,
  bytes,
  instanceOf,
  isInstance,
  integer,
  options as checkOptions,
  powerOfTwo,
  typeError,
} from '../validate';
import { idWithin } from './bound-device';
import { FaultQueue } from './fault-queue';
import { Ioas } from './ioas';
import { Iommufd } from './iommufd';
import { invalidate, type InvalidateResult } from './invalidate';
import { type PageTable, registerPageTable } from './page-table';
import { Viommu } from './viommu';

/** Options of {@link HwPageTable}'s allocation (`IOMMU_HWPT_ALLOC`, kernel 6.6). */
export interface HwPageTableOptions {
  /** May be the parent of page tables that a guest or a process writes itself. */
  nestParent?: boolean;
  /** Keeps note of the pages devices write (kernel 6.7). */
  dirtyTracking?: boolean;
  /** Devices may use it for a PASID (kernel 6.15). What their untagged DMA is attached to must then be one such, too. */
  pasid?: boolean;
  /** Where the page faults of its devices go (kernel 6.11). */
  faultQueue?: FaultQueue;
  /** The user's own page table: its format, `IOMMU_HWPT_DATA_*`, and the format's struct. */
  user?: { type: number; data: Uint8Array };
}

/** `IOMMU_HWPT_DATA_*`: formats of page tables that userspace writes. */
export const HwptDataType = Object.freeze({ None: 0, VtdS1: 1, ArmSmmuV3: 2, AmdGuest: 3 });

const flags = { nestParent: 1, dirtyTracking: 2, faultQueue: 4, pasid: 8 } as const;

/** What a page table can be allocated over: an address space, a nest parent, or a virtual IOMMU of one. */
export type HwptParent = Ioas | HwPageTable | Viommu;

/**
 * A page table of the IOMMU hardware. Attaching a device to an {@link Ioas} makes one by itself; this is for those that
 * need a property the automatic one lacks: dirty tracking, page faults, PASIDs, or nesting.
 */
export class HwPageTable implements PageTable, Disposable {
  readonly iommufd: Iommufd;
  readonly id: number;
  /** The address space whose mappings it holds; of a nested one, its parent's. */
  readonly ioas: Ioas;
  readonly #faultQueue: FaultQueue | undefined;
  #closed = false;

  /** @internal */
  constructor(device: Device, parent: HwptParent, options?: HwPageTableOptions) {
    const given = checkOptions(options, 'options', [
      'nestParent',
      'dirtyTracking',
      'pasid',
      'faultQueue',
      'user',
    ]);
    if (!isInstance(parent, Ioas) && !isInstance(parent, HwPageTable) && !isInstance(parent, Viommu)) {
      throw typeError('parent', 'an Ioas, a HwPageTable or a Viommu', parent);
    }
    const { faultQueue, user } = given;
    if (parent.closed) throw closedError('The parent');
    const deviceId = idWithin(parent.iommufd, device);
    if (faultQueue !== undefined) checkQueue(faultQueue, parent.iommufd);
    if (user !== undefined) {
      checkOptions(user, 'options.user', ['type', 'data']);
      integer(user.type, 'options.user.type', 0, 0xffff_ffff);
      bytes(user.data, 'options.user.data');
    }
    const bit = (name: 'nestParent' | 'dirtyTracking' | 'pasid'): number =>
      boolean(given[name] ?? false, `options.${name}`) ? flags[name] : 0;
    const bits =
      bit('nestParent') |
      bit('dirtyTracking') |
      bit('pasid') |
      (faultQueue === undefined ? 0 : flags.faultQueue);
    this.iommufd = parent.iommufd;
    this.ioas = parent instanceof Ioas ? parent : parent.ioas;
    const context = {
      doing: `Allocating a page table for ${device.address}`,
      address: device.address,
      path: Iommufd.path,
      since: youngest(bits),
    };
    this.id = attempt(context, () =>
      native().hwptAlloc(
        this.iommufd.handle,
        bits,
        deviceId,
        parent.id,
        user?.type ?? HwptDataType.None,
        user?.data ?? null,
        faultQueue?.id ?? 0,
      ),
    );
    this.#faultQueue = faultQueue;
    faultQueue?.adopt(this);
    this.iommufd.adopt(this);
    registerPageTable(this);
  }

  /**
   * A page table for a device over an address space, a nest parent or a virtual IOMMU.
   *
   * @param device opened by its cdev, bound to the same iommufd; it is not attached by this
   * @throws VfioError `ENOTSUP` where the hardware lacks what `options` ask for, `ERR_VFIO_UNSUPPORTED` where the kernel is
   *   too old to know it
   */
  static alloc(device: Device, parent: HwptParent, options?: HwPageTableOptions): HwPageTable {
    return new HwPageTable(device, parent, options);
  }

  get dma(): Dma {
    return this.ioas.dma;
  }

  get closed(): boolean {
    return this.#closed || this.iommufd.closed;
  }

  /** @internal */
  get over(): { dma: Dma; title: string } {
    return { dma: this.dma, title: `page table ${this.id}` };
  }

  /** @internal */
  refresh(): void {
    if (!this.ioas.closed) this.ioas.refresh();
  }

  /** Starts or stops noting which pages devices write (`IOMMU_HWPT_SET_DIRTY_TRACKING`, kernel 6.7). */
  setDirtyTracking(on: boolean): void {
    boolean(on, 'on');
    this.#attempt('Setting dirty tracking', id => native().hwptSetDirtyTracking(this.iommufd.handle, id, on));
  }

  /**
   * Which pages devices wrote (`IOMMU_HWPT_GET_DIRTY_BITMAP`, kernel 6.7), one bit a page, lowest first. What is mapped
   * with larger pages is dirty in whole; what is not mapped at all is clean.
   *
   * @param iova the first byte
   * @param length bytes; both whole pages
   * @param options `pageSize` in bytes, default 4,096; `keep`: do not clear the bits in the hardware, default false
   */
  dirtyBitmap(iova: bigint, length: number, options?: { pageSize?: number; keep?: boolean }): BigUint64Array {
    const { pageSize = 4096, keep = false } = checkOptions(options, 'options', ['pageSize', 'keep']);
    const start = address64(iova, 'iova');
    powerOfTwo(pageSize, 'options.pageSize', 1, 2 ** 40);
    integer(length, 'length', 1, 2 ** 46);
    boolean(keep, 'options.keep');
    const bitmap = pageBitmap(length, pageSize);
    this.#attempt('Reading the dirty bitmap', id =>
      native().hwptGetDirtyBitmap(
        this.iommufd.handle,
        id,
        start,
        BigInt(length),
        BigInt(pageSize),
        keep ? 1 : 0,
        bitmap,
      ),
    );
    return bitmap;
  }

  /** Tells the IOMMU that entries of a user-written table changed (`IOMMU_HWPT_INVALIDATE`, kernel 6.8). */
  invalidate(dataType: number, entryLength: number, entries: Uint8Array): InvalidateResult {
    this.#assertOpen();
    return invalidate(this.iommufd, this.id, dataType, entryLength, entries);
  }

  /** Destroys it. Devices must be detached. Does nothing the second time. */
  close(): void {
    if (this.closed) return;
    this.iommufd.destroy(`page table ${this.id}`, this.id);
    this.#closed = true;
    this.#faultQueue?.disown(this);
    this.iommufd.disown(this);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #assertOpen(): void {
    if (this.closed) throw closedError(`Page table ${this.id}`);
  }

  #attempt<T>(doing: string, work: (id: number) => T): T {
    this.#assertOpen();
    // Both calls on a page table that fail this way are about dirty pages.
    const since = { what: 'dirty tracking', kernel: '6.7' };
    return attempt({ doing: `${doing} of page table ${this.id}`, path: Iommufd.path, since }, () =>
      work(this.id),
    );
  }
}

function checkQueue(queue: FaultQueue, iommufd: Iommufd): void {
  if (instanceOf(queue, FaultQueue, 'options.faultQueue').iommufd !== iommufd) {
    throw typeError('options.faultQueue', 'of the same iommufd', queue);
  }
  if (queue.closed) throw closedError('The page-fault queue');
}

/** The youngest of what was asked for: the kernel must be as new as that. */
function youngest(bits: number): { what: string; kernel: string } {
  if ((bits & flags.pasid) !== 0) return { what: 'a page table for PASIDs', kernel: '6.15' };
  if ((bits & flags.faultQueue) !== 0) return { what: 'a page table with a fault queue', kernel: '6.11' };
  if ((bits & flags.dirtyTracking) !== 0) return { what: 'dirty tracking', kernel: '6.7' };
  return { what: 'IOMMU_HWPT_ALLOC', kernel: '6.6' };
}
