/**
 * The part of the native layer for what some devices and some kernels have beyond the basics: device features, hot
 * reset, migration, display planes, dirty-page tracking and address updates of type1. The rules of `native.ts` hold.
 */
import type { ContainerHandle, DeviceHandle, DmaMapHandle, GroupHandle, Maybe, MemoryHandle } from './native';
import type { FileHandle } from './native-iommufd';

export interface RawHotResetDevice {
  /** The group's number, or in the answer for a device opened by its cdev, the iommufd device id (or -1, 0). */
  id: number;
  segment: number;
  bus: number;
  /** Device number in the upper five bits, function in the lower three. */
  devfn: number;
}

/** The result of `VFIO_DEVICE_FEATURE` (a file descriptor for some, else 0) and the payload as the kernel left it. */
export interface RawFeature {
  result: number;
  payload: Uint8Array;
}

export interface NativeFeatures {
  // native/feature.cc
  /**
   * `VFIO_DEVICE_FEATURE`: `flags` are GET, SET and PROBE bits with the feature's number, `payload` is what follows the
   * header, in and out. Returns the call's result and the payload after it. A payload that carries an eventfd or file
   * number is written by the caller with `eventFdNumber`/`fileNumber`.
   */
  deviceFeature(device: DeviceHandle, flags: number, payload: Uint8Array, async: false): RawFeature;
  deviceFeature(device: DeviceHandle, flags: number, payload: Uint8Array, async: boolean): Maybe<RawFeature>;
  /** Takes ownership of a file descriptor that a feature's answer carries (migration data, dma-buf, dma-buf of a plane). */
  fileAdopt(fd: number): FileHandle;
  /** `VFIO_MIG_GET_PRECOPY_INFO` on a migration stream: bytes. */
  migrationPrecopyInfo(file: FileHandle): { flags: number; initial: bigint; dirty: bigint };

  // native/hot-reset.cc
  /** `VFIO_DEVICE_GET_PCI_HOT_RESET_INFO`, asked again with a larger array as the kernel wants (ENOSPC). */
  hotResetInfo(device: DeviceHandle): { flags: number; devices: RawHotResetDevice[] };
  /** `VFIO_DEVICE_PCI_HOT_RESET`, proving ownership of these groups; none for a device opened by its cdev. */
  hotReset(device: DeviceHandle, groups: readonly GroupHandle[], async: boolean): Maybe<void>;

  // native/display.cc
  /** `VFIO_DEVICE_QUERY_GFX_PLANE`; `flags` 1 probe, 2 dma-buf, 4 region. The struct's fields after the call. */
  queryGfxPlane(device: DeviceHandle, flags: number, planeType: number): RawGfxPlane;
  /** `VFIO_DEVICE_GET_GFX_DMABUF` */
  getGfxDmaBuf(device: DeviceHandle, dmaBufId: number): FileHandle;

  // native/dirty.cc
  /** `VFIO_IOMMU_DIRTY_PAGES` start (true) or stop. */
  dirtyTracking(container: ContainerHandle, on: boolean): void;
  /** `VFIO_IOMMU_DIRTY_PAGES` get bitmap: one bit a page into `bitmap`. */
  dirtyBitmap(
    container: ContainerHandle,
    iova: bigint,
    length: bigint,
    pageSize: bigint,
    bitmap: BigUint64Array,
  ): void;
  /** `VFIO_IOMMU_UNMAP_DMA` with `FLAG_GET_DIRTY_BITMAP`. */
  dmaUnmapDirty(map: DmaMapHandle, pageSize: bigint, bitmap: BigUint64Array): number;
  /** `VFIO_DMA_UNMAP_FLAG_VADDR`: the mapping stays, its process address becomes invalid until `dmaNewAddress`. */
  dmaForgetAddress(map: DmaMapHandle): void;
  /** `VFIO_DMA_MAP_FLAG_VADDR`: the mapping's memory is `memory` from now on, which must hold the same pages. */
  dmaNewAddress(map: DmaMapHandle, memory: MemoryHandle): void;
}

/** `struct vfio_device_gfx_plane_info` */
export interface RawGfxPlane {
  flags: number;
  drmPlaneType: number;
  drmFormat: number;
  drmFormatModifier: bigint;
  width: number;
  height: number;
  stride: number;
  size: number;
  x: number;
  y: number;
  hotX: number;
  hotY: number;
  /** Region index or dma-buf id, depending on how it was asked. */
  regionOrDmaBuf: number;
}
