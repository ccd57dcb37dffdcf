import { absent, each, lacks, like, type Section } from '../row.js';

export const device = {
  title: 'Device: information and resets',
  rows: {
    VFIO_DEVICE_GET_INFO: '`device.info`',
    VFIO_DEVICE_FLAGS_RESET: '`device.info.reset`',
    VFIO_DEVICE_FLAGS_PCI: '`device.info.pci`',
    VFIO_DEVICE_FLAGS_PLATFORM: absent(lacks.platform, '`device.info.platform`'),
    VFIO_DEVICE_FLAGS_AMBA: absent(lacks.platform, '`device.info.amba`'),
    VFIO_DEVICE_FLAGS_CCW: absent(lacks.s390, '`device.info.ccw`'),
    VFIO_DEVICE_FLAGS_AP: absent(lacks.s390, '`device.info.ap`'),
    VFIO_DEVICE_FLAGS_FSL_MC: absent(lacks.fslMc, '`device.info.fslMc`'),
    VFIO_DEVICE_FLAGS_CDX: absent(lacks.cdx, '`device.info.cdx`'),
    VFIO_DEVICE_FLAGS_CAPS: like('VFIO_DEVICE_INFO_CAP_PCI_ATOMIC_COMP', '`device.info.capabilities`'),
    VFIO_DEVICE_INFO_CAP_PCI_ATOMIC_COMP: absent(lacks.atomics, '`device.info.atomics`'),
    VFIO_PCI_ATOMIC_COMP32: like('VFIO_DEVICE_INFO_CAP_PCI_ATOMIC_COMP', '`device.info.atomics.bits32`'),
    VFIO_PCI_ATOMIC_COMP64: like('VFIO_DEVICE_INFO_CAP_PCI_ATOMIC_COMP', '`device.info.atomics.bits64`'),
    VFIO_PCI_ATOMIC_COMP128: like('VFIO_DEVICE_INFO_CAP_PCI_ATOMIC_COMP', '`device.info.atomics.bits128`'),
    ...each(
      [
        'VFIO_DEVICE_INFO_CAP_ZPCI_BASE',
        'VFIO_DEVICE_INFO_CAP_ZPCI_GROUP',
        'VFIO_DEVICE_INFO_CAP_ZPCI_UTIL',
        'VFIO_DEVICE_INFO_CAP_ZPCI_PFIP',
      ],
      absent(lacks.s390, '`device.info.capabilities`, as raw bytes'),
    ),
    VFIO_DEVICE_RESET: '`device.reset()`',
    VFIO_DEVICE_GET_PCI_HOT_RESET_INFO: '`device.hotResetPlan()`',
    VFIO_PCI_HOT_RESET_FLAG_DEV_ID: '`device.hotResetPlan()` of a device opened by its cdev',
    VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED: '`device.hotResetPlan().possible`',
    VFIO_PCI_DEVID_OWNED: '`device.hotResetPlan().devices[n].owned` of another one of its group',
    VFIO_PCI_DEVID_NOT_OWNED: '`device.hotResetPlan().devices[n].owned`',
    VFIO_DEVICE_PCI_HOT_RESET: '`device.hotReset()`',
  },
} as const satisfies Section;

export const cdev = {
  title: 'Device by its own node, on an iommufd',
  rows: {
    VFIO_DEVICE_BIND_IOMMUFD: '`iommufd.openDevice()`, `Device.open()`',
    VFIO_DEVICE_BIND_FLAG_TOKEN: '`iommufd.openDevice(address, { vfToken })`',
    VFIO_DEVICE_ATTACH_IOMMUFD_PT: '`device.attach()`',
    VFIO_DEVICE_ATTACH_PASID: absent(lacks.pasid, '`device.attach(target, { pasid })`'),
    VFIO_DEVICE_DETACH_IOMMUFD_PT: '`device.detach()`',
    VFIO_DEVICE_DETACH_PASID: absent(lacks.pasid, '`device.detach({ pasid })`'),
  },
} as const satisfies Section;
