import { absent, lacks, like, type Section } from '../row.js';

export const container = {
  title: 'Container and group',
  rows: {
    VFIO_API_VERSION: '`container.apiVersion`; any other is refused by `Container.open()`',
    VFIO_GET_API_VERSION: '`container.apiVersion`',
    VFIO_CHECK_EXTENSION: '`container.checkExtension()`',
    VFIO_TYPE1_IOMMU: "`container.checkExtension('Type1')`, `container.setIommu(Iommu.Type1)`",
    VFIO_TYPE1v2_IOMMU: "`container.checkExtension('Type1v2')`, `container.setIommu(Iommu.Type1v2)`",
    VFIO_NOIOMMU_IOMMU: "`container.checkExtension('NoIommu')`, `container.setIommu(Iommu.NoIommu)`",
    VFIO_DMA_CC_IOMMU: "`container.checkExtension('DmaCacheCoherent')`",
    VFIO_UNMAP_ALL: "`container.checkExtension('UnmapAll')`",
    VFIO_UPDATE_VADDR: "`container.checkExtension('UpdateVaddr')`",
    __VFIO_RESERVED_TYPE1_NESTING_IOMMU:
      '`container.checkExtension(6)`: kernels up to 6.12 say 1, later ones 0',
    VFIO_SPAPR_TCE_IOMMU: absent(lacks.powerpc, "`container.checkExtension('SpaprTce')`"),
    VFIO_SPAPR_TCE_v2_IOMMU: absent(lacks.powerpc, "`container.checkExtension('SpaprTceV2')`"),
    VFIO_EEH: absent(lacks.powerpc, "`container.checkExtension('Eeh')`"),
    VFIO_SET_IOMMU: '`container.setIommu()`',
    VFIO_GROUP_GET_STATUS: '`group.status()`',
    VFIO_GROUP_FLAGS_VIABLE: '`group.status().viable`',
    VFIO_GROUP_FLAGS_CONTAINER_SET: '`group.status().containerSet`',
    VFIO_GROUP_SET_CONTAINER: '`container.attach()`',
    VFIO_GROUP_UNSET_CONTAINER: '`container.detach()`',
    VFIO_GROUP_GET_DEVICE_FD: '`group.openDevice()`',
  },
} as const satisfies Section;

export const type1 = {
  title: 'Type1 IOMMU',
  rows: {
    VFIO_IOMMU_GET_INFO: '`container.iommuInfo()`',
    VFIO_IOMMU_INFO_PGSIZES: '`container.iommuInfo().pageSizes`',
    VFIO_IOMMU_INFO_CAPS: 'what of `container.iommuInfo()` comes from its capability chain',
    VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE: '`container.iommuInfo().iovaRanges`',
    VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION: '`container.iommuInfo().migration`',
    VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL: '`container.iommuInfo().mappingsAvailable`',
    VFIO_IOMMU_MAP_DMA: '`dma.alloc()`, `dma.map()`',
    VFIO_DMA_MAP_FLAG_READ: '`dma.alloc(n, { deviceReads })`',
    VFIO_DMA_MAP_FLAG_WRITE: '`dma.alloc(n, { deviceWrites })`',
    VFIO_DMA_MAP_FLAG_VADDR: '`buffer.moveTo()`',
    VFIO_IOMMU_UNMAP_DMA: '`buffer.free()`',
    VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP: '`buffer.freeDirty()`',
    VFIO_DMA_UNMAP_FLAG_ALL: '`dma.freeAll()`',
    VFIO_DMA_UNMAP_FLAG_VADDR: '`buffer.moveTo()`',
    VFIO_IOMMU_DIRTY_PAGES: '`container.startDirtyTracking()` and the two below',
    VFIO_IOMMU_DIRTY_PAGES_FLAG_START: '`container.startDirtyTracking()`',
    VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP: '`container.stopDirtyTracking()`',
    VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP: '`container.dirtyBitmap()`',
    VFIO_IOMMU_ENABLE: like('VFIO_SPAPR_TCE_IOMMU'),
    VFIO_IOMMU_DISABLE: like('VFIO_SPAPR_TCE_IOMMU'),
  },
} as const satisfies Section;
