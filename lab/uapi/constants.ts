import {
  Extension,
  Feature,
  HwptDataType,
  Iommu,
  IrqIndex,
  migrationStates,
  RegionIndex,
  ViommuType,
} from '../../lib/index.js';
import type { Check } from './check.js';
import type { UapiEntry } from './rows/index.js';
import type { Header } from './table.js';

/** Numbers that this package gives to its users under names of its own. */
const constants: Partial<Record<UapiEntry, number>> = {
  VFIO_TYPE1_IOMMU: Iommu.Type1,
  VFIO_TYPE1v2_IOMMU: Iommu.Type1v2,
  VFIO_NOIOMMU_IOMMU: Iommu.NoIommu,
  VFIO_SPAPR_TCE_IOMMU: Extension.SpaprTce,
  VFIO_SPAPR_TCE_v2_IOMMU: Extension.SpaprTceV2,
  VFIO_DMA_CC_IOMMU: Extension.DmaCacheCoherent,
  VFIO_EEH: Extension.Eeh,
  VFIO_UNMAP_ALL: Extension.UnmapAll,
  VFIO_UPDATE_VADDR: Extension.UpdateVaddr,
  VFIO_PCI_BAR0_REGION_INDEX: RegionIndex.Bar0,
  VFIO_PCI_ROM_REGION_INDEX: RegionIndex.Rom,
  VFIO_PCI_CONFIG_REGION_INDEX: RegionIndex.Config,
  VFIO_PCI_VGA_REGION_INDEX: RegionIndex.Vga,
  VFIO_PCI_INTX_IRQ_INDEX: IrqIndex.Intx,
  VFIO_PCI_MSI_IRQ_INDEX: IrqIndex.Msi,
  VFIO_PCI_MSIX_IRQ_INDEX: IrqIndex.Msix,
  VFIO_PCI_ERR_IRQ_INDEX: IrqIndex.Err,
  VFIO_PCI_REQ_IRQ_INDEX: IrqIndex.Req,
  VFIO_DEVICE_FEATURE_PCI_VF_TOKEN: Feature.PciVfToken,
  VFIO_DEVICE_FEATURE_MIGRATION: Feature.Migration,
  VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE: Feature.MigrationDeviceState,
  VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY: Feature.LowPowerEntry,
  VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP: Feature.LowPowerEntryWithWakeup,
  VFIO_DEVICE_FEATURE_LOW_POWER_EXIT: Feature.LowPowerExit,
  VFIO_DEVICE_FEATURE_DMA_LOGGING_START: Feature.DmaLoggingStart,
  VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP: Feature.DmaLoggingStop,
  VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT: Feature.DmaLoggingReport,
  VFIO_DEVICE_FEATURE_MIG_DATA_SIZE: Feature.MigrationDataSize,
  VFIO_DEVICE_FEATURE_BUS_MASTER: Feature.BusMaster,
  VFIO_DEVICE_FEATURE_DMA_BUF: Feature.DmaBuf,
  VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2: Feature.MigrationPrecopyInfoV2,
  VFIO_DEVICE_STATE_ERROR: migrationStates.indexOf('error'),
  VFIO_DEVICE_STATE_STOP: migrationStates.indexOf('stop'),
  VFIO_DEVICE_STATE_RUNNING: migrationStates.indexOf('running'),
  VFIO_DEVICE_STATE_STOP_COPY: migrationStates.indexOf('stop-copy'),
  VFIO_DEVICE_STATE_RESUMING: migrationStates.indexOf('resuming'),
  VFIO_DEVICE_STATE_RUNNING_P2P: migrationStates.indexOf('running-p2p'),
  VFIO_DEVICE_STATE_PRE_COPY: migrationStates.indexOf('pre-copy'),
  VFIO_DEVICE_STATE_PRE_COPY_P2P: migrationStates.indexOf('pre-copy-p2p'),
  IOMMU_HWPT_DATA_NONE: HwptDataType.None,
  IOMMU_HWPT_DATA_VTD_S1: HwptDataType.VtdS1,
  IOMMU_HWPT_DATA_ARM_SMMUV3: HwptDataType.ArmSmmuV3,
  IOMMU_HWPT_DATA_AMD_GUEST: HwptDataType.AmdGuest,
  IOMMU_VIOMMU_TYPE_DEFAULT: ViommuType.Default,
  IOMMU_VIOMMU_TYPE_ARM_SMMUV3: ViommuType.ArmSmmuV3,
  IOMMU_VIOMMU_TYPE_TEGRA241_CMDQV: ViommuType.Tegra241Cmdqv,
};

/** Compares them with what the headers say. Names that no header has are another check's business. */
export function checkConstants(headers: readonly Header[]): Check {
  const values = new Map(headers.flatMap(({ entries }) => entries.map(({ name, value }) => [name, value])));
  const problems = (Object.entries(constants) as [string, number][]).flatMap(([name, ours]) => {
    const theirs = values.get(name);
    return theirs === undefined || theirs === BigInt(ours) ? [] : [`${name} is ${theirs}, not ${ours}`];
  });
  return { title: "the constants of the API have the kernel's values", problems };
}
