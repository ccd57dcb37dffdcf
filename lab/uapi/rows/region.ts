import { absent, each, lacks, like, type Section } from '../row.js';

export const regions = {
  title: 'Regions',
  rows: {
    VFIO_DEVICE_GET_REGION_INFO: '`device.regions[n].info`',
    VFIO_REGION_INFO_FLAG_READ: '`region.info.readable`',
    VFIO_REGION_INFO_FLAG_WRITE: '`region.info.writable`',
    VFIO_REGION_INFO_FLAG_MMAP: '`region.info.mappable`, `region.map()`',
    VFIO_REGION_INFO_FLAG_CAPS: 'what of `region.info` comes from its capability chain',
    VFIO_REGION_INFO_CAP_SPARSE_MMAP: absent(lacks.sparse, '`region.info.sparseAreas`'),
    VFIO_REGION_INFO_CAP_TYPE: '`region.info.type`',
    VFIO_REGION_INFO_CAP_MSIX_MAPPABLE: '`region.info.msixMappable`',
    VFIO_PCI_BAR0_REGION_INDEX: '`device.bar(0)`',
    VFIO_PCI_BAR1_REGION_INDEX: '`device.bar(1)`',
    VFIO_PCI_BAR2_REGION_INDEX: '`device.bar(2)`',
    VFIO_PCI_BAR3_REGION_INDEX: '`device.bar(3)`',
    VFIO_PCI_BAR4_REGION_INDEX: '`device.bar(4)`',
    VFIO_PCI_BAR5_REGION_INDEX: '`device.bar(5)`',
    VFIO_PCI_ROM_REGION_INDEX: '`device.rom`',
    VFIO_PCI_CONFIG_REGION_INDEX: '`device.config`',
    VFIO_PCI_VGA_REGION_INDEX: '`device.vga`',
    VFIO_REGION_TYPE_GFX: '`region.info.type.type`',
    VFIO_REGION_SUBTYPE_GFX_EDID: '`region.info.type.subtype`',
    VFIO_DEVICE_GFX_LINK_STATE_UP: '`region.write32()` to the region of that type',
    VFIO_DEVICE_GFX_LINK_STATE_DOWN: '`region.write32()` to the region of that type',
    VFIO_REGION_TYPE_PCI_VENDOR_TYPE: absent(lacks.igd, '`region.info.type.type`'),
    ...each(
      [
        'VFIO_REGION_SUBTYPE_INTEL_IGD_OPREGION',
        'VFIO_REGION_SUBTYPE_INTEL_IGD_HOST_CFG',
        'VFIO_REGION_SUBTYPE_INTEL_IGD_LPC_CFG',
      ],
      like('VFIO_REGION_TYPE_PCI_VENDOR_TYPE', '`region.info.type.subtype`'),
    ),
    VFIO_REGION_TYPE_CCW: like('VFIO_DEVICE_FLAGS_CCW', '`region.info.type.type`'),
    ...each(
      ['VFIO_REGION_SUBTYPE_CCW_ASYNC_CMD', 'VFIO_REGION_SUBTYPE_CCW_SCHIB', 'VFIO_REGION_SUBTYPE_CCW_CRW'],
      like('VFIO_DEVICE_FLAGS_CCW', '`region.info.type.subtype`'),
    ),
    VFIO_CCW_CONFIG_REGION_INDEX: like('VFIO_DEVICE_FLAGS_CCW', '`device.region(0)`'),
    VFIO_REGION_TYPE_MIGRATION_DEPRECATED: absent(lacks.removed, '`region.info.type.type`'),
    VFIO_REGION_SUBTYPE_MIGRATION_DEPRECATED: like('VFIO_REGION_TYPE_MIGRATION_DEPRECATED'),
    ...each(
      [
        'VFIO_DEVICE_STATE_V1_STOP',
        'VFIO_DEVICE_STATE_V1_RUNNING',
        'VFIO_DEVICE_STATE_V1_SAVING',
        'VFIO_DEVICE_STATE_V1_RESUMING',
      ],
      like('VFIO_REGION_TYPE_MIGRATION_DEPRECATED'),
    ),
    ...each(
      ['VFIO_REGION_SUBTYPE_NVIDIA_NVLINK2_RAM', 'VFIO_REGION_SUBTYPE_IBM_NVLINK2_ATSD'],
      absent(lacks.removed, '`region.info.type.subtype`'),
    ),
    ...each(
      ['VFIO_REGION_INFO_CAP_NVLINK2_SSATGT', 'VFIO_REGION_INFO_CAP_NVLINK2_LNKSPD'],
      absent(lacks.removed, '`region.info.unknown`, as raw bytes'),
    ),
  },
} as const satisfies Section;

export const display = {
  title: 'Display planes',
  rows: {
    VFIO_DEVICE_QUERY_GFX_PLANE: '`device.display.plane()`',
    VFIO_GFX_PLANE_TYPE_PROBE: '`device.display.supports()`',
    VFIO_GFX_PLANE_TYPE_DMABUF: "`device.display.plane({ via: 'dma-buf' })`",
    VFIO_GFX_PLANE_TYPE_REGION: "`device.display.plane({ via: 'region' })`",
    VFIO_DEVICE_GET_GFX_DMABUF: '`device.display.dmaBuf()`',
  },
} as const satisfies Section;
