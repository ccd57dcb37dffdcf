import { absent, lacks, like, type Section } from '../row.js';

export const pageTables = {
  title: 'iommufd: page tables of the hardware',
  rows: {
    IOMMU_HWPT_ALLOC: '`HwPageTable.alloc()`',
    IOMMU_HWPT_ALLOC_NEST_PARENT: '`HwPageTable.alloc(…, { nestParent })`',
    IOMMU_HWPT_ALLOC_DIRTY_TRACKING: '`HwPageTable.alloc(…, { dirtyTracking })`',
    IOMMU_HWPT_FAULT_ID_VALID: '`HwPageTable.alloc(…, { faultQueue })`',
    IOMMU_HWPT_ALLOC_PASID: '`HwPageTable.alloc(…, { pasid })`',
    IOMMU_HWPT_DATA_NONE: '`HwPageTable.alloc()` without `user`',
    IOMMU_HWPT_DATA_VTD_S1: absent(lacks.vtdNesting, '`HwptDataType.VtdS1`'),
    IOMMU_VTD_S1_SRE: like('IOMMU_HWPT_DATA_VTD_S1', '`user.data`'),
    IOMMU_VTD_S1_EAFE: like('IOMMU_HWPT_DATA_VTD_S1', '`user.data`'),
    IOMMU_VTD_S1_WPE: like('IOMMU_HWPT_DATA_VTD_S1', '`user.data`'),
    IOMMU_HWPT_DATA_ARM_SMMUV3: absent(lacks.arm, '`HwptDataType.ArmSmmuV3`'),
    IOMMU_HWPT_DATA_AMD_GUEST: absent(lacks.amdNesting, '`HwptDataType.AmdGuest`'),
    IOMMU_HWPT_SET_DIRTY_TRACKING: '`hwpt.setDirtyTracking()`',
    IOMMU_HWPT_DIRTY_TRACKING_ENABLE: '`hwpt.setDirtyTracking(true)`',
    IOMMU_HWPT_GET_DIRTY_BITMAP: '`hwpt.dirtyBitmap()`',
    IOMMU_HWPT_GET_DIRTY_BITMAP_NO_CLEAR: '`hwpt.dirtyBitmap(…, { keep: true })`',
    IOMMU_HWPT_INVALIDATE: '`hwpt.invalidate()`, `viommu.invalidate()`',
    IOMMU_HWPT_INVALIDATE_DATA_VTD_S1: absent(lacks.vtdNesting, '`hwpt.invalidate(0, …)`'),
    IOMMU_VTD_INV_FLAGS_LEAF: like('IOMMU_HWPT_INVALIDATE_DATA_VTD_S1', 'the bytes of an entry'),
    IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3: absent(lacks.arm, '`viommu.invalidate(1, …)`'),
  },
} as const satisfies Section;

export const hwInfo = {
  title: 'iommufd: what the IOMMU can do',
  rows: {
    IOMMU_GET_HW_INFO: '`iommufd.hwInfo()`',
    IOMMU_HW_INFO_FLAG_INPUT_TYPE: '`iommufd.hwInfo(device, { dataType })`',
    IOMMU_HW_INFO_TYPE_NONE: '`iommufd.hwInfo().dataType`',
    IOMMU_HW_INFO_TYPE_DEFAULT: '`iommufd.hwInfo(device)`',
    IOMMU_HW_INFO_TYPE_INTEL_VTD: '`iommufd.hwInfo().name`',
    IOMMU_HW_INFO_TYPE_AMD: '`iommufd.hwInfo().name`',
    IOMMU_HW_INFO_TYPE_ARM_SMMUV3: absent(lacks.arm, '`iommufd.hwInfo().name`'),
    IOMMU_HW_INFO_ARM_SMMUV3_ERRATA_REPEAT_TLBI_CFGI: like(
      'IOMMU_HW_INFO_TYPE_ARM_SMMUV3',
      '`iommufd.hwInfo().data`',
    ),
    IOMMU_HW_INFO_TYPE_TEGRA241_CMDQV: absent(lacks.tegra, '`iommufd.hwInfo().name`'),
    IOMMU_HW_INFO_VTD_ERRATA_772415_SPR17: '`iommufd.hwInfo().data`',
    IOMMU_HW_CAP_DIRTY_TRACKING: '`iommufd.hwInfo().dirtyTracking`',
    IOMMU_HW_CAP_PCI_PASID_EXEC: absent(lacks.pasid, '`iommufd.hwInfo().pasidExecute`'),
    IOMMU_HW_CAP_PCI_PASID_PRIV: absent(lacks.pasid, '`iommufd.hwInfo().pasidPrivileged`'),
    IOMMU_HW_CAP_PCI_ATS_NOT_SUPPORTED: '`iommufd.hwInfo().atsUnsupported`',
  },
} as const satisfies Section;

export const faults = {
  title: 'iommufd: page faults of devices',
  rows: {
    IOMMU_FAULT_QUEUE_ALLOC: '`FaultQueue.alloc()`',
    IOMMU_PGFAULT_FLAGS_PASID_VALID: '`fault.pasid`',
    IOMMU_PGFAULT_FLAGS_LAST_PAGE: '`fault.last`',
    IOMMU_PGFAULT_PERM_READ: '`fault.read`',
    IOMMU_PGFAULT_PERM_WRITE: '`fault.write`',
    IOMMU_PGFAULT_PERM_EXEC: '`fault.execute`',
    IOMMU_PGFAULT_PERM_PRIV: '`fault.privileged`',
    IOMMUFD_PAGE_RESP_SUCCESS: '`queue.respond(fault, true)`',
    IOMMUFD_PAGE_RESP_INVALID: '`queue.respond(fault, false)`',
  },
} as const satisfies Section;

export const virtualIommus = {
  title: 'iommufd: virtual IOMMUs',
  rows: {
    IOMMU_VIOMMU_ALLOC: '`Viommu.alloc()`',
    IOMMU_VIOMMU_TYPE_DEFAULT: absent(lacks.reserved, '`ViommuType.Default`'),
    IOMMU_VIOMMU_TYPE_ARM_SMMUV3: absent(lacks.arm, '`ViommuType.ArmSmmuV3`'),
    IOMMU_VIOMMU_TYPE_TEGRA241_CMDQV: absent(lacks.tegra, '`ViommuType.Tegra241Cmdqv`'),
    IOMMU_VDEVICE_ALLOC: '`viommu.addDevice()`',
    IOMMU_VEVENTQ_ALLOC: '`viommu.addEventQueue()`',
    IOMMU_VEVENTQ_TYPE_DEFAULT: absent(lacks.reserved, '`viommu.addEventQueue(0, …)`'),
    IOMMU_VEVENTQ_TYPE_ARM_SMMUV3: like('IOMMU_VIOMMU_TYPE_ARM_SMMUV3', '`viommu.addEventQueue(1, …)`'),
    IOMMU_VEVENTQ_TYPE_TEGRA241_CMDQV: like(
      'IOMMU_VIOMMU_TYPE_TEGRA241_CMDQV',
      '`viommu.addEventQueue(2, …)`',
    ),
    IOMMU_VEVENTQ_FLAG_LOST_EVENTS: "the bytes of `queue.on('events')`",
    IOMMU_HW_QUEUE_ALLOC: '`viommu.addHwQueue()`',
    IOMMU_HW_QUEUE_TYPE_DEFAULT: absent(lacks.reserved, '`viommu.addHwQueue(0, …)`'),
    IOMMU_HW_QUEUE_TYPE_TEGRA241_CMDQV: absent(lacks.tegra, '`viommu.addHwQueue(1, …)`'),
  },
} as const satisfies Section;
