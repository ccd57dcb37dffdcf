#pragma once

#include <cstdint>

#include "seam.h"

namespace vfio {

/** Where the PCI configuration space starts in a device's file, or -1: not a PCI device. */
int64_t findPciConfig(Seam& seam, int device) noexcept;

/** A whole interrupt index off; a device that is gone has none, so failure means nothing. */
void disableIrq(Seam& seam, int device, uint32_t index) noexcept;

/** Stops the device from starting any more DMA or message-signalled interrupts. */
void clearBusMaster(Seam& seam, int device, uint64_t config) noexcept;

}  // namespace vfio
