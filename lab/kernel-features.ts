import { release as runningRelease } from 'node:os';
import { isAtLeast } from './kernel-options.js';

/**
 * What not all of the lab's kernels can do, by the mainline release that brought it. A test asks before it relies on
 * one (and asks for the refusal where it is missing); configuration plays no part, see lab/kernel-config for that.
 */
export const kernelFeatures = {
  /** VFIO_DEVICE_BIND_IOMMUFD and /dev/vfio/devices: the device cdev. */
  deviceCdev: '6.6',
  /** IOMMU_HWPT_ALLOC_DIRTY_TRACKING and IOMMU_HWPT_GET_DIRTY_BITMAP. */
  hwptDirtyTracking: '6.7',
  /** IOMMU_HWPT_INVALIDATE. */
  hwptInvalidate: '6.8',
  /** IOMMU_FAULT_QUEUE_ALLOC. */
  faultQueue: '6.11',
  /** IOMMU_IOAS_MAP_FILE, of a memfd. */
  ioasMapFile: '6.13',
  /** IOMMU_IOAS_CHANGE_PROCESS. */
  ioasChangeProcess: '6.13',
  /** IOMMU_VIOMMU_ALLOC and IOMMU_VDEVICE_ALLOC. */
  viommu: '6.13',
  /** IOMMU_VEVENTQ_ALLOC. */
  veventq: '6.15',
  /** VFIO_DEVICE_ATTACH_PASID and IOMMU_HWPT_ALLOC_PASID. */
  pasidAttach: '6.15',
  /** IOMMU_HW_QUEUE_ALLOC. */
  hwQueue: '6.17',
  /** VFIO_DEVICE_BIND_FLAG_TOKEN: a VF token without a group. */
  bindToken: '6.17',
  /** VFIO_DEVICE_FEATURE_DMA_BUF: a BAR as a dma-buf. */
  barDmaBuf: '6.19',
  /** VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2. */
  precopyInfoV2: '7.1',
  /** VFIO_PCI_ERR_IRQ_INDEX of devices that are not PCI Express. */
  errorsOfAnyPci: '7.3',
  /** VFIO_DEVICE_GET_PCI_HOT_RESET_INFO of a physical function names its virtual ones. */
  resetNamesVirtualFunctions: '7.3',
  /** IOMMU_IOAS_NOIOMMU_GET_PA and no-IOMMU devices over the cdev. */
  noiommuCdev: '7.3',
} as const;

export type KernelFeature = keyof typeof kernelFeatures;

/** Whether a kernel is new enough for a feature; the running one unless `release` (as of uname -r) says which. */
export function kernelHas(feature: KernelFeature, release = runningRelease()): boolean {
  return isAtLeast(release, kernelFeatures[feature]);
}

/** What a kernel is too old for. */
export function missingFeatures(release = runningRelease()): KernelFeature[] {
  return (Object.keys(kernelFeatures) as KernelFeature[]).filter(feature => !kernelHas(feature, release));
}
