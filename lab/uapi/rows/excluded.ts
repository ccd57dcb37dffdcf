/** Names of the headers that get no row, since there is nothing to reach, and why. Include guards need no mention. */
export const excluded: Readonly<Record<string, string>> = {
  ...because('the letter that the numbers of all ioctls share', ['VFIO_TYPE', 'IOMMUFD_TYPE']),
  ...because('where the numbers of the ioctls start', ['VFIO_BASE', 'IOMMUFD_CMD_BASE']),
  ...because('the number of the ioctl of that name, which has a row', [
    'IOMMUFD_CMD_DESTROY',
    'IOMMUFD_CMD_IOAS_ALLOC',
    'IOMMUFD_CMD_IOAS_ALLOW_IOVAS',
    'IOMMUFD_CMD_IOAS_COPY',
    'IOMMUFD_CMD_IOAS_IOVA_RANGES',
    'IOMMUFD_CMD_IOAS_NOIOMMU_GET_PA',
    'IOMMUFD_CMD_IOAS_MAP',
    'IOMMUFD_CMD_IOAS_UNMAP',
    'IOMMUFD_CMD_OPTION',
    'IOMMUFD_CMD_VFIO_IOAS',
    'IOMMUFD_CMD_HWPT_ALLOC',
    'IOMMUFD_CMD_GET_HW_INFO',
    'IOMMUFD_CMD_HWPT_SET_DIRTY_TRACKING',
    'IOMMUFD_CMD_HWPT_GET_DIRTY_BITMAP',
    'IOMMUFD_CMD_HWPT_INVALIDATE',
    'IOMMUFD_CMD_FAULT_QUEUE_ALLOC',
    'IOMMUFD_CMD_IOAS_MAP_FILE',
    'IOMMUFD_CMD_VIOMMU_ALLOC',
    'IOMMUFD_CMD_VDEVICE_ALLOC',
    'IOMMUFD_CMD_IOAS_CHANGE_PROCESS',
    'IOMMUFD_CMD_VEVENTQ_ALLOC',
    'IOMMUFD_CMD_HW_QUEUE_ALLOC',
  ]),
  ...because('which bits of a value belong to a field whose values have rows', [
    'VFIO_IRQ_SET_DATA_TYPE_MASK',
    'VFIO_IRQ_SET_ACTION_TYPE_MASK',
    'VFIO_DEVICE_IOEVENTFD_SIZE_MASK',
    'VFIO_DEVICE_FEATURE_MASK',
    'VFIO_REGION_TYPE_PCI_VENDOR_MASK',
    'VFIO_DEVICE_STATE_MASK',
  ]),
  ...because('takes a state of the first migration protocol apart, whose states have rows', [
    'VFIO_DEVICE_STATE_VALID',
    'VFIO_DEVICE_STATE_IS_ERROR',
    'VFIO_DEVICE_STATE_SET_ERROR',
  ]),
  ...because('how many of its kind there are, not one of them', [
    'VFIO_PCI_NUM_REGIONS',
    'VFIO_PCI_NUM_IRQS',
    'VFIO_CCW_NUM_REGIONS',
    'VFIO_CCW_NUM_IRQS',
    'VFIO_AP_NUM_IRQS',
    'VFIO_DEVICE_STATE_NR',
  ]),
  ...because('a text that drivers of mediated devices show in sysfs; no call takes it or returns it', [
    'VFIO_DEVICE_API_PCI_STRING',
    'VFIO_DEVICE_API_PLATFORM_STRING',
    'VFIO_DEVICE_API_AMBA_STRING',
    'VFIO_DEVICE_API_CCW_STRING',
    'VFIO_DEVICE_API_AP_STRING',
  ]),
};

function because(reason: string, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map(name => [name, reason]));
}
