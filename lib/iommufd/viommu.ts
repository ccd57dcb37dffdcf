import { EventEmitter } from 'node:events';
import type { Device } from '../device';
import { attempt } from '../errors/explain';
import { closedError } from '../errors/vfio-error';
import { native } from '../native';
import type { FileHandle } from '../native-iommufd';
import { address64, bytes, instanceOf, integer } from '../validate';
import { idWithin } from './bound-device';
import { FileSource } from './file-source';
import { HwPageTable } from './hw-page-table';
import type { Ioas } from './ioas';
import { invalidate, type InvalidateResult } from './invalidate';
import { Iommufd } from './iommufd';

/** `IOMMU_VIOMMU_TYPE_*` */
export const ViommuType = Object.freeze({ Default: 0, ArmSmmuV3: 1, Tegra241Cmdqv: 2 });

/** An object of an iommufd that has an id and is destroyed by it. */
abstract class IommuObject implements Disposable {
  readonly iommufd: Iommufd;
  readonly id: number;
  readonly #what: string;
  #closed = false;

  protected constructor(iommufd: Iommufd, what: string, id: number) {
    this.iommufd = iommufd;
    this.#what = what;
    this.id = id;
    iommufd.adopt(this);
  }

  get closed(): boolean {
    return this.#closed || this.iommufd.closed;
  }

  /** Destroys it (`IOMMU_DESTROY`). Does nothing the second time. */
  close(): void {
    if (this.closed) return;
    this.iommufd.destroy(this.#what, this.id);
    this.#closed = true;
    this.iommufd.disown(this);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  protected assertOpen(): void {
    if (this.closed) throw closedError(this.#what);
  }
}

/**
 * A slice of a physical IOMMU for one virtual machine (`IOMMU_VIOMMU_ALLOC`, kernel 6.13). Only some IOMMUs have it; the
 * others answer `ENOTSUP`.
 */
export class Viommu extends IommuObject {
  readonly ioas: Ioas;
  /** What the hardware wanted to tell: the type's own struct. */
  readonly data: Uint8Array;

  private constructor(parent: HwPageTable, id: number, data: Uint8Array) {
    super(parent.iommufd, 'the virtual IOMMU', id);
    this.ioas = parent.ioas;
    this.data = data;
  }

  /**
   * @param type one of {@link ViommuType}
   * @param parent a page table made with `nestParent`
   * @param data the type's own struct, for those that have one
   */
  static alloc(device: Device, type: number, parent: HwPageTable, data?: Uint8Array): Viommu {
    integer(type, 'type', 0, 0xffff_ffff);
    if (data !== undefined) bytes(data, 'data');
    instanceOf(parent, HwPageTable, 'parent');
    if (parent.closed) throw closedError('The parent');
    const deviceId = idWithin(parent.iommufd, device);
    const since = { what: 'IOMMU_VIOMMU_ALLOC', kernel: '6.13' };
    const made = attempt(
      { doing: 'Allocating a virtual IOMMU', address: device.address, path: Iommufd.path, since },
      () => native().viommuAlloc(parent.iommufd.handle, type, deviceId, parent.id, data ?? null),
    );
    return new Viommu(parent, made.id, made.data);
  }

  /** Says which device of the virtual machine a device is (`IOMMU_VDEVICE_ALLOC`, kernel 6.13). */
  addDevice(device: Device, virtualId: bigint): VirtualDevice {
    this.assertOpen();
    const deviceId = idWithin(this.iommufd, device);
    const wanted = address64(virtualId, 'virtualId');
    const since = { what: 'IOMMU_VDEVICE_ALLOC', kernel: '6.13' };
    const id = attempt(
      { doing: 'Allocating a virtual device', address: device.address, path: Iommufd.path, since },
      () => native().vdeviceAlloc(this.iommufd.handle, this.id, deviceId, wanted),
    );
    return new VirtualDevice(this.iommufd, id);
  }

  /**
   * A queue of the events the virtual machine must hear of (`IOMMU_VEVENTQ_ALLOC`, kernel 6.15).
   *
   * @param depth how many events it holds
   */
  addEventQueue(type: number, depth: number): VirtualEventQueue {
    this.assertOpen();
    integer(type, 'type', 0, 0xffff_ffff);
    integer(depth, 'depth', 1, 0xffff_ffff);
    const since = { what: 'IOMMU_VEVENTQ_ALLOC', kernel: '6.15' };
    const made = attempt({ doing: 'Allocating a virtual event queue', path: Iommufd.path, since }, () =>
      native().veventqAlloc(this.iommufd.handle, this.id, type, depth),
    );
    return new VirtualEventQueue(this.iommufd, made.id, made.file);
  }

  /** A queue of the hardware's for the virtual machine (`IOMMU_HW_QUEUE_ALLOC`, kernel 6.17). */
  addHwQueue(type: number, index: number, iova: bigint, length: number): HwQueue {
    this.assertOpen();
    integer(type, 'type', 0, 0xffff_ffff);
    integer(index, 'index', 0, 0xffff_ffff);
    integer(length, 'length', 1, 2 ** 40);
    const base = address64(iova, 'iova');
    const since = { what: 'IOMMU_HW_QUEUE_ALLOC', kernel: '6.17' };
    const id = attempt({ doing: 'Allocating a hardware queue', path: Iommufd.path, since }, () =>
      native().hwQueueAlloc(this.iommufd.handle, this.id, type, index, base, BigInt(length)),
    );
    return new HwQueue(this.iommufd, id);
  }

  /** Passes on invalidations of the virtual machine (`IOMMU_HWPT_INVALIDATE`). */
  invalidate(dataType: number, entryLength: number, entries: Uint8Array): InvalidateResult {
    this.assertOpen();
    return invalidate(this.iommufd, this.id, dataType, entryLength, entries);
  }
}

/** A device as a virtual machine knows it. */
export class VirtualDevice extends IommuObject {
  /** @internal */
  constructor(iommufd: Iommufd, id: number) {
    super(iommufd, 'the virtual device', id);
  }
}

/** A queue of the hardware's own, in the memory of a virtual machine. */
export class HwQueue extends IommuObject {
  /** @internal */
  constructor(iommufd: Iommufd, id: number) {
    super(iommufd, 'the hardware queue', id);
  }
}

/**
 * Events for a virtual machine.
 *
 * @fires events with the bytes read: each event a header (flags, sequence) and the type's own struct
 */
export class VirtualEventQueue extends EventEmitter<{ events: [Uint8Array] }> implements Disposable {
  readonly iommufd: Iommufd;
  readonly id: number;
  readonly #file: FileHandle;
  readonly #source: FileSource;
  #closed = false;

  /** @internal */
  constructor(iommufd: Iommufd, id: number, file: FileHandle) {
    super();
    this.iommufd = iommufd;
    this.id = id;
    this.#file = file;
    this.#source = new FileSource(this, 'events', file, () => this.emit('events', this.read()));
    iommufd.adopt(this);
  }

  /** The events waiting now, as bytes. */
  read(): Uint8Array {
    if (this.#closed) throw closedError('The virtual event queue');
    const buffer = new Uint8Array(4096);
    const length = attempt({ doing: 'Reading events' }, () => native().fileRead(this.#file, buffer, false));
    return buffer.subarray(0, length);
  }

  /** Does nothing the second time. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#source.close();
    native().fileClose(this.#file);
    if (!this.iommufd.closed) this.iommufd.destroy('the virtual event queue', this.id);
    this.iommufd.disown(this);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
