import { attempt } from './errors/explain';
import { busyError, closedError, unsupportedError, VfioError } from './errors/vfio-error';
import type { Dma } from './dma/dma';
import { IommuDma } from './dma/iommu-dma';
import { PhysicalDma } from './dma/physical-dma';
import { Group } from './group';
import { Iommufd } from './iommufd/iommufd';
import { decodeIommuInfo, type IommuInfo } from './iommu-info';
import { native, type ContainerHandle } from './native';
import { Type1Space } from './type1-space';
import { pageBitmap } from './page-bitmap';
import {
  address64,
  instanceOf,
  integer,
  options as checkOptions,
  powerOfTwo,
  rangeError,
  valueError,
} from './validate';

/** IOMMU models a container can be set to, and other extensions it can be asked for (`VFIO_CHECK_EXTENSION`). */
export const Extension = Object.freeze({
  Type1: 1,
  SpaprTce: 2,
  Type1v2: 3,
  DmaCacheCoherent: 4,
  Eeh: 5,
  SpaprTceV2: 7,
  NoIommu: 8,
  UnmapAll: 9,
  UpdateVaddr: 10,
});
export type ExtensionName = keyof typeof Extension;

/** The IOMMU models this library drives. */
export const Iommu = Object.freeze({
  /** The first version: unmapping may split mappings. */
  Type1: Extension.Type1,
  /** What everything of the last ten years has; unmaps only what was mapped. */
  Type1v2: Extension.Type1v2,
  /** No IOMMU at all: DMA addresses are physical and the device can reach all memory. Only for no-IOMMU groups. */
  NoIommu: Extension.NoIommu,
});
export type IommuType = (typeof Iommu)[keyof typeof Iommu];

/** Options of {@link Container.open}. */
export interface ContainerOptions {
  /**
   * Uses an iommufd as the container (its compatibility mode, kernel 6.2): the calls stay, the memory is in an address
   * space of the iommufd.
   */
  iommufd?: Iommufd;
}

/**
 * An I/O address space: what its groups' devices see when they do DMA. Behind it stands `/dev/vfio/vfio`.
 *
 * The order is fixed by the kernel: open, {@link attach} at least one group, {@link setIommu}, and only then map memory
 * ({@link dma}) and open devices. `Device.open()` does all of it for one device.
 */
export class Container implements Disposable {
  static readonly path = '/dev/vfio/vfio';

  /** `VFIO_GET_API_VERSION`: 0 on every kernel so far. */
  readonly apiVersion: number;
  #handle: ContainerHandle | undefined;
  #iommuType: IommuType | undefined;
  readonly #groups = new Set<Group>();
  readonly #iommuDma = new IommuDma(new Type1Space(this));
  readonly #physicalDma = new PhysicalDma(new Type1Space(this));

  private constructor(iommufd: Iommufd | undefined) {
    const handle = attempt({ doing: 'Opening a container', path: Container.path }, () =>
      iommufd === undefined
        ? native().containerOpen(Container.path)
        : native().containerFromIommufd(iommufd.handle),
    );
    try {
      this.apiVersion = attempt({ doing: 'Asking for the API version', path: Container.path }, () =>
        native().containerGetApiVersion(handle),
      );
      if (this.apiVersion !== 0) {
        throw unsupportedError(
          `This kernel speaks VFIO API version ${this.apiVersion}; the library speaks version 0`,
        );
      }
    } catch (error) {
      native().containerClose(handle);
      throw error;
    }
    this.#handle = handle;
  }

  /**
   * Opens an empty container.
   *
   * @throws VfioError `ENOENT` when the vfio module is not loaded, `EACCES` when this user may not
   */
  static open(options?: ContainerOptions): Container {
    const { iommufd } = checkOptions(options, 'options', ['iommufd']);
    if (iommufd !== undefined) instanceOf(iommufd, Iommufd, 'options.iommufd');
    return new Container(iommufd);
  }

  /** @internal */
  get handle(): ContainerHandle {
    if (this.#handle === undefined) throw closedError('The container');
    return this.#handle;
  }

  /** Tells a container from what merely has its prototype. */
  static [Symbol.hasInstance](value: unknown): value is Container {
    return typeof value === 'object' && value !== null && #handle in value;
  }

  get closed(): boolean {
    return this.#handle === undefined;
  }

  /** @internal */
  assertOpen(): void {
    if (this.closed) throw closedError('The container');
  }

  /** The memory that devices of this container can reach. */
  get dma(): Dma {
    return this.#iommuType === Iommu.NoIommu ? this.#physicalDma : this.#iommuDma;
  }

  /** The groups in it. */
  get groups(): readonly Group[] {
    return [...this.#groups];
  }

  /** The model set by {@link setIommu}; `undefined` before. */
  get iommuType(): IommuType | undefined {
    return this.#iommuType;
  }

  /**
   * `VFIO_CHECK_EXTENSION`: 0 when the kernel does not have it, else 1 or a value of the extension's own.
   *
   * @param extension its name, or its number for those this library does not name
   */
  checkExtension(extension: ExtensionName | number): number {
    if (typeof extension === 'string' && !Object.hasOwn(Extension, extension)) {
      throw valueError('extension', `a number or one of ${Object.keys(Extension).join(', ')}`, extension);
    }
    const number =
      typeof extension === 'string' ? Extension[extension] : integer(extension, 'extension', 0, 2 ** 31 - 1);
    return attempt({ doing: `Asking for extension ${extension}`, path: Container.path }, () =>
      native().containerCheckExtension(this.handle, number),
    );
  }

  /**
   * Puts a group into the container: its devices then share this address space. When the IOMMU is set already, the group
   * joins it at once and must be of the same kind.
   *
   * @throws VfioError `ERR_VFIO_NOT_VIABLE`, naming the member in the way
   */
  attach(group: Group): void {
    instanceOf(group, Group, 'group');
    this.assertOpen();
    const other = [...this.#groups].find(one => one.noIommu !== group.noIommu);
    if (other !== undefined) {
      throw busyError(
        `Group ${group.id} is ${group.noIommu ? '' : 'not '}a no-IOMMU group, but group ${other.id} of the container is ${other.noIommu ? '' : 'not'}`,
        'a container of its own: what an IOMMU guards and what it does not cannot share one',
      );
    }
    group.join(this);
    this.#groups.add(group);
    this.#refreshGeometry();
  }

  /**
   * Takes a group out. Its devices must be closed. With the last group the kernel drops the IOMMU and every mapping, so
   * all DMA buffers are freed first and {@link setIommu} is needed again.
   */
  detach(group: Group): void {
    instanceOf(group, Group, 'group');
    if (!this.#groups.has(group))
      throw busyError(`Group ${group.id} is not in this container`, 'attach it first');
    if (group.devices.length > 0) {
      throw busyError(
        `Group ${group.id} still has ${group.devices.map(one => one.address).join(', ')} open`,
        'close its devices before detaching it',
      );
    }
    group.assertNoneOpening();
    const last = this.#groups.size === 1;
    if (last) this.dma.freeAll();
    group.leave();
    this.#groups.delete(group);
    if (last) this.#iommuType = undefined;
    this.#refreshGeometry();
  }

  /**
   * `VFIO_SET_IOMMU`. Needs at least one group.
   *
   * @param type default NoIommu for no-IOMMU groups, Type1v2 where the kernel has it, else Type1
   * @throws VfioError `EPERM` when interrupts are not remapped
   */
  setIommu(type?: IommuType): void {
    const handle = this.handle;
    if (type !== undefined && !(Object.values(Iommu) as number[]).includes(integer(type, 'type', 1, 255))) {
      throw rangeError('type', 'Iommu.Type1 (1), Iommu.Type1v2 (3) or Iommu.NoIommu (8)', type);
    }
    if (this.#groups.size === 0) {
      throw new VfioError('Cannot set the IOMMU of an empty container', {
        code: 'ERR_VFIO_NO_IOMMU',
        cure: 'attach a group first: it decides which IOMMU there is',
      });
    }
    if (this.#iommuType !== undefined) {
      throw busyError(
        'The container has its IOMMU already',
        'the model can be set once, until the last group leaves',
      );
    }
    const chosen = type ?? this.#defaultType();
    attempt({ doing: `Setting IOMMU type ${chosen}`, path: Container.path }, () =>
      native().containerSetIommu(handle, chosen),
    );
    this.#iommuType = chosen;
    this.#refreshGeometry();
  }

  #defaultType(): IommuType {
    if ([...this.#groups].some(group => group.noIommu)) return Iommu.NoIommu;
    return this.checkExtension('Type1v2') > 0 ? Iommu.Type1v2 : Iommu.Type1;
  }

  /** Which IOVAs are valid depends on all groups in the container. */
  #refreshGeometry(): void {
    if (this.#iommuType !== Iommu.NoIommu) this.#iommuDma.refreshGeometry();
  }

  /** `VFIO_IOMMU_GET_INFO` with its capability chain. Needs {@link setIommu}. */
  iommuInfo(): IommuInfo {
    const handle = this.#withIommu();
    if (this.#iommuType === Iommu.NoIommu)
      throw unsupportedError('Without an IOMMU there is nothing to tell about it');
    return decodeIommuInfo(
      attempt({ doing: 'Asking for IOMMU info', path: Container.path }, () =>
        native().containerGetIommuInfo(handle),
      ),
    );
  }

  /**
   * Starts noting which pages devices may have written (`VFIO_IOMMU_DIRTY_PAGES`, kernel 5.8): with a device behind an
   * IOMMU that is every mapped page at any time, since a container never asks the IOMMU; with mediated devices only, those
   * that their drivers used. Page tables of an iommufd know better: `HwPageTable`. Takes {@link Iommu.Type1v2}.
   *
   * @throws VfioError `EACCES` with {@link Iommu.Type1}
   */
  startDirtyTracking(): void {
    this.#dirty('Starting', true);
  }

  /** Stops it. Does nothing when it is off. */
  stopDirtyTracking(): void {
    this.#dirty('Stopping', false);
  }

  /**
   * The pages that may have been written since the last call, one bit a page, lowest first. What of the range is not mapped
   * has no bits; no mapping may be in it in part. Better ask for one mapping at a time: of a range with several, kernels
   * (7.2 too) leave bits of one answer behind in the next.
   *
   * @param length bytes
   * @param pageSize bytes a bit stands for: the smallest page of the IOMMU. Default 4,096
   * @throws VfioError `EINVAL` unless tracking was started
   */
  dirtyBitmap(iova: bigint, length: number, pageSize = 4096): BigUint64Array {
    const start = address64(iova, 'iova');
    powerOfTwo(pageSize, 'pageSize', 1, 2 ** 40);
    integer(length, 'length', 1, 2 ** 46);
    const handle = this.#withIommu();
    const bitmap = pageBitmap(length, pageSize);
    attempt({ doing: 'Reading the dirty bitmap', path: Container.path, iova: start, size: length }, () =>
      native().dirtyBitmap(handle, start, BigInt(length), BigInt(pageSize), bitmap),
    );
    return bitmap;
  }

  #dirty(verb: string, on: boolean): void {
    const handle = this.#withIommu();
    attempt({ doing: `${verb} dirty-page tracking`, path: Container.path }, () =>
      native().dirtyTracking(handle, on),
    );
  }

  /** The handle, for calls that go to the IOMMU's driver. */
  #withIommu(): ContainerHandle {
    const handle = this.handle;
    if (this.#iommuType !== undefined) return handle;
    throw new VfioError('The container has no IOMMU yet', {
      code: 'ERR_VFIO_NO_IOMMU',
      cure: 'attach a group and call setIommu() first',
    });
  }

  /**
   * Ends all that depends on it, in order: devices of its groups are closed, DMA memory is unmapped, groups are detached
   * (they stay open), the file is closed. Does nothing the second time.
   *
   * @throws VfioError `ERR_VFIO_BUSY` while a device of it is being opened or reset
   */
  close(): void {
    const handle = this.#handle;
    if (handle === undefined) return;
    for (const group of this.#groups) group.assertNoneOpening();
    for (const group of this.#groups) for (const device of group.devices) device.closeSync();
    for (const group of this.#groups) this.detach(group);
    this.#handle = undefined;
    native().containerClose(handle);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
