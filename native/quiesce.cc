#include "quiesce.h"

#include <linux/pci_regs.h>

#include <exception>

#include "sys.h"
#include "uapi.h"

namespace vfio {

int64_t findPciConfig(Seam& seam, int device) noexcept {
  vfio_device_info info{};
  info.argsz = sizeof info;
  if (sys::tryIoctl(seam, device, VFIO_DEVICE_GET_INFO, "VFIO_DEVICE_GET_INFO", &info) < 0) return -1;
  if ((info.flags & VFIO_DEVICE_FLAGS_PCI) == 0) return -1;
  vfio_region_info region{};
  region.argsz = sizeof region;
  region.index = VFIO_PCI_CONFIG_REGION_INDEX;
  if (sys::tryIoctl(seam, device, VFIO_DEVICE_GET_REGION_INFO, "VFIO_DEVICE_GET_REGION_INFO", &region) < 0)
    return -1;
  return static_cast<int64_t>(region.offset);
}

void disableIrq(Seam& seam, int device, uint32_t index) noexcept {
  vfio_irq_set request{};
  request.argsz = sizeof request;
  request.flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER;
  request.index = index;
  sys::tryIoctl(seam, device, VFIO_DEVICE_SET_IRQS, "VFIO_DEVICE_SET_IRQS", &request);
}

void clearBusMaster(Seam& seam, int device, uint64_t config) noexcept {
  uint16_t command = 0;
  try {
    if (sys::pread(seam, device, &command, sizeof command, config + PCI_COMMAND, {}) != sizeof command)
      return;
    // All-ones is a device that does not answer.
    if (command == 0xffff || (command & PCI_COMMAND_MASTER) == 0) return;
    command &= static_cast<uint16_t>(~PCI_COMMAND_MASTER);
    sys::pwrite(seam, device, &command, sizeof command, config + PCI_COMMAND, {});
  } catch (const std::exception&) {
    // The kernel clears it too when the last descriptor closes.
  }
}

}  // namespace vfio
