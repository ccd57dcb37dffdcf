/**
 * The part of the native layer that speaks iommufd (`/dev/iommu`, linux/iommufd.h) and the device character devices
 * (`/dev/vfio/devices/vfioN`). The rules of `native.ts` hold. Objects inside an iommufd are the kernel's 32-bit ids; they
 * end with `iommufdDestroy` or with the iommufd itself.
 */
import type { DeviceHandle, DmaMapHandle, Handle, Maybe, MemoryHandle } from './native';

export type IommufdHandle = Handle<'iommufd'>;
/** A file the kernel handed out: a migration stream, a fault queue, a dma-buf. */
export type FileHandle = Handle<'file'>;

export interface RawIovaRange {
  start: bigint;
  last: bigint;
}

export interface NativeIommufd {
  // native/iommufd.cc
  iommufdOpen(path: string): IommufdHandle;
  iommufdClose(iommufd: IommufdHandle): void;
  /** `IOMMU_DESTROY` */
  iommufdDestroy(iommufd: IommufdHandle, id: number): void;
  /** `IOMMU_OPTION`: `operation` 0 sets, 1 gets; returns the value. `objectId` 0 where the option is the iommufd's. */
  iommufdOption(
    iommufd: IommufdHandle,
    option: number,
    operation: number,
    objectId: number,
    value: bigint,
  ): bigint;
  /** `IOMMU_VFIO_IOAS`: `operation` 0 gets, 1 sets, 2 clears the IOAS of the compatibility mode; returns its id. */
  iommufdVfioIoas(iommufd: IommufdHandle, operation: number, ioas: number): number;
  /** `IOMMU_IOAS_CHANGE_PROCESS` */
  iommufdChangeProcess(iommufd: IommufdHandle): void;

  // native/ioas.cc
  ioasAlloc(iommufd: IommufdHandle): number;
  /** `IOMMU_IOAS_IOVA_RANGES`, asked again with a larger array as the kernel wants (EMSGSIZE). */
  ioasIovaRanges(iommufd: IommufdHandle, ioas: number): { ranges: RawIovaRange[]; alignment: bigint };
  ioasAllowIovas(iommufd: IommufdHandle, ioas: number, ranges: RawIovaRange[]): void;
  /**
   * `IOMMU_IOAS_MAP`; `flags`: 1 the device may read, 2 it may write (as `dmaMap`); `iova` null lets the kernel choose.
   * The mapping keeps `memory` and `iommufd` alive, and is taken down with `dmaUnmap`.
   */
  ioasMap(
    iommufd: IommufdHandle,
    ioas: number,
    memory: MemoryHandle,
    offset: number,
    length: number,
    iova: bigint | null,
    flags: number,
    async: boolean,
  ): Maybe<DmaMapHandle>;
  /** `IOMMU_IOAS_MAP_FILE`: a memfd, or a dma-buf of a BAR. */
  ioasMapFile(
    iommufd: IommufdHandle,
    ioas: number,
    fd: number,
    start: number,
    length: number,
    iova: bigint | null,
    flags: number,
  ): DmaMapHandle;
  /** `IOMMU_IOAS_COPY`: maps what `sourceIova` of `source` shows into `target` too. */
  ioasCopy(
    iommufd: IommufdHandle,
    target: number,
    source: number,
    length: bigint,
    iova: bigint | null,
    sourceIova: bigint,
    flags: number,
  ): DmaMapHandle;
  /** Where a mapping lies: the kernel's choice when `iova` was null. */
  dmaMapIova(map: DmaMapHandle): bigint;
  /** `IOMMU_IOAS_UNMAP` of everything: every `DmaMapHandle` of that IOAS counts as unmapped afterwards. */
  ioasUnmapAll(iommufd: IommufdHandle, ioas: number, async: false): bigint;
  ioasUnmapAll(iommufd: IommufdHandle, ioas: number, async: boolean): Maybe<bigint>;
  /** `IOMMU_IOAS_NOIOMMU_GET_PA` (7.3), of at most `length` bytes. */
  ioasNoIommuGetPa(
    iommufd: IommufdHandle,
    ioas: number,
    iova: bigint,
    length: bigint,
  ): { physical: bigint; length: bigint };

  // native/hwpt.cc
  /** `IOMMU_HWPT_ALLOC`; returns the id. */
  hwptAlloc(
    iommufd: IommufdHandle,
    flags: number,
    deviceId: number,
    parentId: number,
    dataType: number,
    data: Uint8Array | null,
    faultId: number,
  ): number;
  /** `IOMMU_GET_HW_INFO`; `requestType` selects with IOMMU_HW_INFO_FLAG_INPUT_TYPE, 0 leaves it to the kernel. */
  hwInfo(
    iommufd: IommufdHandle,
    deviceId: number,
    requestType: number,
  ): { flags: number; dataType: number; maxPasidLog2: number; capabilities: bigint; data: Uint8Array };
  hwptSetDirtyTracking(iommufd: IommufdHandle, hwpt: number, on: boolean): void;
  /** `IOMMU_HWPT_GET_DIRTY_BITMAP` into `bitmap`, one bit a page; flag 1 leaves the dirty bits set. */
  hwptGetDirtyBitmap(
    iommufd: IommufdHandle,
    hwpt: number,
    iova: bigint,
    length: bigint,
    pageSize: bigint,
    flags: number,
    bitmap: BigUint64Array,
  ): void;
  /** `IOMMU_HWPT_INVALIDATE`; returns how many entries the kernel handled, also when it then failed. */
  hwptInvalidate(
    iommufd: IommufdHandle,
    hwpt: number,
    dataType: number,
    entryLength: number,
    entries: Uint8Array,
  ): { handled: number; errno: number };
  faultQueueAlloc(iommufd: IommufdHandle): { id: number; file: FileHandle };

  // native/viommu.cc
  viommuAlloc(
    iommufd: IommufdHandle,
    type: number,
    deviceId: number,
    hwptId: number,
    data: Uint8Array | null,
  ): { id: number; data: Uint8Array };
  vdeviceAlloc(iommufd: IommufdHandle, viommu: number, deviceId: number, virtualId: bigint): number;
  veventqAlloc(
    iommufd: IommufdHandle,
    viommu: number,
    type: number,
    depth: number,
  ): { id: number; file: FileHandle };
  hwQueueAlloc(
    iommufd: IommufdHandle,
    viommu: number,
    type: number,
    index: number,
    iova: bigint,
    length: bigint,
  ): number;

  // The device's side (native/cdev.cc)
  deviceOpenCdev(path: string, async: boolean): Maybe<DeviceHandle>;
  /** `VFIO_DEVICE_BIND_IOMMUFD` (resets the device as opening does); `token` 16 bytes or null. Returns the device id. */
  deviceBindIommufd(
    device: DeviceHandle,
    iommufd: IommufdHandle,
    token: Uint8Array | null,
    async: boolean,
  ): Maybe<number>;
  /** `VFIO_DEVICE_ATTACH_IOMMUFD_PT`, of a PASID where given; returns the page table's id. Replaces an attached one. */
  deviceAttach(device: DeviceHandle, pageTableId: number, pasid: number | null): number;
  deviceDetach(device: DeviceHandle, pasid: number | null): void;

  // Files the kernel handed out (native/file.cc)
  /**
   * Bytes moved; 0 at the end. At once it reads what is there, which is nothing (0) for an empty queue of faults; with
   * `async` it waits on the thread pool until there is something. `fileClose` ends the wait: `ERR_VFIO_CLOSED`.
   */
  fileRead(file: FileHandle, target: Uint8Array, async: false): number;
  fileRead(file: FileHandle, target: Uint8Array, async: boolean): Maybe<number>;
  fileWrite(file: FileHandle, source: Uint8Array, async: false): number;
  fileWrite(file: FileHandle, source: Uint8Array, async: boolean): Maybe<number>;
  fileNumber(file: FileHandle): number;
  fileClose(file: FileHandle): void;
  /**
   * Makes a file's readability a source of the loop, as `loopAdd` does for an eventfd; unlike there, it fires again for as
   * long as something is left to read. `EPERM` when the file is always readable, as some migration streams are.
   */
  loopAddFile(file: FileHandle, id: number): void;
  loopRemoveFile(file: FileHandle): void;
}
