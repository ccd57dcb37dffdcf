import { each, like, type Section } from '../row.js';

/** Nothing of it can be asked for where the container lacks the extension, and no API of this package asks. */
export const powerpc = {
  title: 'IOMMU and error handling of PowerPC',
  rows: {
    ...each(
      ['VFIO_IOMMU_SPAPR_TCE_GET_INFO', 'VFIO_IOMMU_SPAPR_TCE_CREATE', 'VFIO_IOMMU_SPAPR_TCE_REMOVE'],
      like('VFIO_SPAPR_TCE_IOMMU'),
    ),
    ...each(
      ['VFIO_IOMMU_SPAPR_INFO_DDW', 'VFIO_IOMMU_SPAPR_REGISTER_MEMORY', 'VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY'],
      like('VFIO_SPAPR_TCE_v2_IOMMU'),
    ),
    ...each(
      [
        'VFIO_EEH_PE_OP',
        'VFIO_EEH_PE_DISABLE',
        'VFIO_EEH_PE_ENABLE',
        'VFIO_EEH_PE_UNFREEZE_IO',
        'VFIO_EEH_PE_UNFREEZE_DMA',
        'VFIO_EEH_PE_GET_STATE',
        'VFIO_EEH_PE_STATE_NORMAL',
        'VFIO_EEH_PE_STATE_RESET',
        'VFIO_EEH_PE_STATE_STOPPED',
        'VFIO_EEH_PE_STATE_STOPPED_DMA',
        'VFIO_EEH_PE_STATE_UNAVAIL',
        'VFIO_EEH_PE_RESET_DEACTIVATE',
        'VFIO_EEH_PE_RESET_HOT',
        'VFIO_EEH_PE_RESET_FUNDAMENTAL',
        'VFIO_EEH_PE_CONFIGURE',
        'VFIO_EEH_PE_INJECT_ERR',
      ],
      like('VFIO_EEH'),
    ),
  },
} as const satisfies Section;
