#pragma once

#include "uapi-iommufd.h"

/** The commands of /dev/iommu for hardware page tables, virtual IOMMUs and their queues. */
namespace vfio::uapi {

/** 6.6; the fault queue since 6.11. */
struct HwptAlloc {
  static constexpr unsigned long kRequest = iommuRequest(0x89);
  static constexpr const char* kName = "IOMMU_HWPT_ALLOC";

  uint32_t size;
  uint32_t flags;
  uint32_t device;
  uint32_t parent;
  uint32_t hwpt;
  uint32_t reserved;
  uint32_t dataType;
  uint32_t dataLength;
  alignas(8) uint64_t data;
  uint32_t fault;
  uint32_t reserved2;
};
static_assert(sizeof(HwptAlloc) == 48);
static_assert(offsetof(HwptAlloc, hwpt) == 16);
static_assert(offsetof(HwptAlloc, dataType) == 24);
static_assert(offsetof(HwptAlloc, data) == 32);
static_assert(offsetof(HwptAlloc, fault) == 40);

/** 6.6; `dataType` is also what is asked for with the flag. */
struct GetHwInfo {
  static constexpr unsigned long kRequest = iommuRequest(0x8a);
  static constexpr const char* kName = "IOMMU_GET_HW_INFO";
  /** IOMMU_HW_INFO_FLAG_INPUT_TYPE */
  static constexpr uint32_t kInputType = 1 << 0;

  uint32_t size;
  uint32_t flags;
  uint32_t device;
  uint32_t dataLength;
  alignas(8) uint64_t data;
  uint32_t dataType;
  uint8_t maxPasidLog2;
  uint8_t reserved[3];
  alignas(8) uint64_t capabilities;
};
static_assert(sizeof(GetHwInfo) == 40);
static_assert(offsetof(GetHwInfo, data) == 16);
static_assert(offsetof(GetHwInfo, dataType) == 24);
static_assert(offsetof(GetHwInfo, maxPasidLog2) == 28);
static_assert(offsetof(GetHwInfo, capabilities) == 32);

/** 6.7; flag 1 turns it on. */
struct HwptSetDirtyTracking {
  static constexpr unsigned long kRequest = iommuRequest(0x8b);
  static constexpr const char* kName = "IOMMU_HWPT_SET_DIRTY_TRACKING";

  uint32_t size;
  uint32_t flags;
  uint32_t hwpt;
  uint32_t reserved;
};
static_assert(sizeof(HwptSetDirtyTracking) == 16);
static_assert(offsetof(HwptSetDirtyTracking, hwpt) == 8);

/** 6.7 */
struct HwptGetDirtyBitmap {
  static constexpr unsigned long kRequest = iommuRequest(0x8c);
  static constexpr const char* kName = "IOMMU_HWPT_GET_DIRTY_BITMAP";

  uint32_t size;
  uint32_t hwpt;
  uint32_t flags;
  uint32_t reserved;
  alignas(8) uint64_t iova;
  alignas(8) uint64_t length;
  alignas(8) uint64_t pageSize;
  alignas(8) uint64_t bitmap;
};
static_assert(sizeof(HwptGetDirtyBitmap) == 48);
static_assert(offsetof(HwptGetDirtyBitmap, iova) == 16);
static_assert(offsetof(HwptGetDirtyBitmap, pageSize) == 32);
static_assert(offsetof(HwptGetDirtyBitmap, bitmap) == 40);

/** 6.8; `count` is how many were handled afterwards. */
struct HwptInvalidate {
  static constexpr unsigned long kRequest = iommuRequest(0x8d);
  static constexpr const char* kName = "IOMMU_HWPT_INVALIDATE";

  uint32_t size;
  uint32_t hwpt;
  alignas(8) uint64_t data;
  uint32_t dataType;
  uint32_t entryLength;
  uint32_t count;
  uint32_t reserved;
};
static_assert(sizeof(HwptInvalidate) == 32);
static_assert(offsetof(HwptInvalidate, data) == 8);
static_assert(offsetof(HwptInvalidate, dataType) == 16);
static_assert(offsetof(HwptInvalidate, count) == 24);

/** 6.11 */
struct FaultQueueAlloc {
  static constexpr unsigned long kRequest = iommuRequest(0x8e);
  static constexpr const char* kName = "IOMMU_FAULT_QUEUE_ALLOC";

  uint32_t size;
  uint32_t flags;
  uint32_t fault;
  uint32_t fd;
};
static_assert(sizeof(FaultQueueAlloc) == 16);
static_assert(offsetof(FaultQueueAlloc, fd) == 12);

/** 6.13; the data since 6.17. */
struct ViommuAlloc {
  static constexpr unsigned long kRequest = iommuRequest(0x90);
  static constexpr const char* kName = "IOMMU_VIOMMU_ALLOC";

  uint32_t size;
  uint32_t flags;
  uint32_t type;
  uint32_t device;
  uint32_t hwpt;
  uint32_t viommu;
  uint32_t dataLength;
  uint32_t reserved;
  alignas(8) uint64_t data;
};
static_assert(sizeof(ViommuAlloc) == 40);
static_assert(offsetof(ViommuAlloc, viommu) == 20);
static_assert(offsetof(ViommuAlloc, data) == 32);

/** 6.13 */
struct VdeviceAlloc {
  static constexpr unsigned long kRequest = iommuRequest(0x91);
  static constexpr const char* kName = "IOMMU_VDEVICE_ALLOC";

  uint32_t size;
  uint32_t viommu;
  uint32_t device;
  uint32_t vdevice;
  alignas(8) uint64_t virtualId;
};
static_assert(sizeof(VdeviceAlloc) == 24);
static_assert(offsetof(VdeviceAlloc, vdevice) == 12);
static_assert(offsetof(VdeviceAlloc, virtualId) == 16);

/** 6.15 */
struct VeventqAlloc {
  static constexpr unsigned long kRequest = iommuRequest(0x93);
  static constexpr const char* kName = "IOMMU_VEVENTQ_ALLOC";

  uint32_t size;
  uint32_t flags;
  uint32_t viommu;
  uint32_t type;
  uint32_t depth;
  uint32_t veventq;
  uint32_t fd;
  uint32_t reserved;
};
static_assert(sizeof(VeventqAlloc) == 32);
static_assert(offsetof(VeventqAlloc, veventq) == 20);
static_assert(offsetof(VeventqAlloc, fd) == 24);

/** 6.17 */
struct HwQueueAlloc {
  static constexpr unsigned long kRequest = iommuRequest(0x94);
  static constexpr const char* kName = "IOMMU_HW_QUEUE_ALLOC";

  uint32_t size;
  uint32_t flags;
  uint32_t viommu;
  uint32_t type;
  uint32_t index;
  uint32_t queue;
  alignas(8) uint64_t iova;
  alignas(8) uint64_t length;
};
static_assert(sizeof(HwQueueAlloc) == 40);
static_assert(offsetof(HwQueueAlloc, queue) == 20);
static_assert(offsetof(HwQueueAlloc, iova) == 24);
static_assert(offsetof(HwQueueAlloc, length) == 32);

}  // namespace vfio::uapi
