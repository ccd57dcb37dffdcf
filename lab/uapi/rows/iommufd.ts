import type { Section } from '../row.js';

export const iommufd = {
  title: 'iommufd: objects, options, compatibility mode',
  rows: {
    IOMMU_DESTROY: '`ioas.close()`, `hwpt.close()` and the like',
    IOMMU_OPTION: '`iommufd.chargeProcess`, `ioas.hugePages`',
    IOMMU_OPTION_OP_SET: 'setting one of them',
    IOMMU_OPTION_OP_GET: 'reading one of them',
    IOMMU_OPTION_RLIMIT_MODE: '`iommufd.chargeProcess`',
    IOMMU_OPTION_HUGE_PAGES: '`ioas.hugePages`',
    IOMMU_VFIO_IOAS: '`iommufd.compatIoasId()` and the two below; `Container.open({ iommufd })`',
    IOMMU_VFIO_IOAS_GET: '`iommufd.compatIoasId()`',
    IOMMU_VFIO_IOAS_SET: '`iommufd.setCompatIoas()`',
    IOMMU_VFIO_IOAS_CLEAR: '`iommufd.clearCompatIoas()`',
    IOMMU_IOAS_CHANGE_PROCESS: '`iommufd.changeProcess()`',
  },
} as const satisfies Section;

export const ioas = {
  title: 'iommufd: I/O address spaces',
  rows: {
    IOMMU_IOAS_ALLOC: '`iommufd.allocIoas()`',
    IOMMU_IOAS_IOVA_RANGES: '`ioas.iovaRanges()`',
    IOMMU_IOAS_ALLOW_IOVAS: '`ioas.allowIovas()`',
    IOMMU_IOAS_MAP: '`ioas.dma.alloc()`, `ioas.dma.map()`',
    IOMMU_IOAS_MAP_FIXED_IOVA: '`ioas.dma.alloc(n, { iova })`',
    IOMMU_IOAS_MAP_WRITEABLE: '`ioas.dma.alloc(n, { deviceWrites })`',
    IOMMU_IOAS_MAP_READABLE: '`ioas.dma.alloc(n, { deviceReads })`',
    IOMMU_IOAS_MAP_FILE: '`ioas.mapFile()`',
    IOMMU_IOAS_COPY: '`ioas.copy()`',
    IOMMU_IOAS_NOIOMMU_GET_PA: '`ioas.physicalAddress()`',
    IOMMU_IOAS_UNMAP: '`buffer.free()`, `mapping.close()`',
  },
} as const satisfies Section;
