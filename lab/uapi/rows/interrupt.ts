import { each, like, type Section } from '../row.js';

export const interrupts = {
  title: 'Interrupts',
  rows: {
    VFIO_DEVICE_GET_IRQ_INFO: '`device.irqs`',
    VFIO_IRQ_INFO_EVENTFD: '`device.irq(n).eventfd`',
    VFIO_IRQ_INFO_MASKABLE: '`device.irq(n).maskable`',
    VFIO_IRQ_INFO_AUTOMASKED: '`device.irq(n).automasked`',
    VFIO_IRQ_INFO_NORESIZE: '`device.irq(n).noResize`, `device.msix.canGrow`',
    VFIO_PCI_INTX_IRQ_INDEX: '`device.intx`',
    VFIO_PCI_MSI_IRQ_INDEX: '`device.msi`',
    VFIO_PCI_MSIX_IRQ_INDEX: '`device.msix`',
    VFIO_PCI_ERR_IRQ_INDEX: "`device.on('error')`",
    VFIO_PCI_REQ_IRQ_INDEX: "`device.on('release-request')`",
    VFIO_DEVICE_SET_IRQS: '`device.msix.enable()` and what follows',
    VFIO_IRQ_SET_DATA_NONE: '`vector.trigger()`, `device.intx.mask()`, `device.msix.disable()`',
    VFIO_IRQ_SET_DATA_BOOL: '`device.msix.trigger()`',
    VFIO_IRQ_SET_DATA_EVENTFD: '`device.msix.enable()`',
    VFIO_IRQ_SET_ACTION_MASK: '`device.intx.mask()`',
    VFIO_IRQ_SET_ACTION_UNMASK: '`device.intx.unmask()`, `device.intx.unmaskEventFd`',
    VFIO_IRQ_SET_ACTION_TRIGGER: '`vector.trigger()`, `device.msix.enable()`',
    ...each(
      ['VFIO_CCW_IO_IRQ_INDEX', 'VFIO_CCW_CRW_IRQ_INDEX', 'VFIO_CCW_REQ_IRQ_INDEX'],
      like('VFIO_DEVICE_FLAGS_CCW', '`device.irq(n)`'),
    ),
    ...each(
      ['VFIO_AP_REQ_IRQ_INDEX', 'VFIO_AP_CFG_CHG_IRQ_INDEX'],
      like('VFIO_DEVICE_FLAGS_AP', '`device.irq(n)`'),
    ),
  },
} as const satisfies Section;

export const ioeventfds = {
  title: 'Register writes by the kernel',
  rows: {
    VFIO_DEVICE_IOEVENTFD: '`region.ioeventfd()`',
    VFIO_DEVICE_IOEVENTFD_8: '`region.ioeventfd(offset, 8, value)`',
    VFIO_DEVICE_IOEVENTFD_16: '`region.ioeventfd(offset, 16, value)`',
    VFIO_DEVICE_IOEVENTFD_32: '`region.ioeventfd(offset, 32, value)`',
    VFIO_DEVICE_IOEVENTFD_64: '`region.ioeventfd(offset, 64, value)`',
  },
} as const satisfies Section;
