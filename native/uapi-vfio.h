#pragma once

#include <linux/ioctl.h>
#include <linux/vfio.h>

#include <cstddef>
#include <cstdint>

/**
 * What linux/vfio.h gained after Linux 6.1, laid out here from the kernel's ABI, because distributions ship
 * headers that are older than the kernels they run on. The names are our own, so that a newer header does not
 * collide with them; each says which of the kernel's it stands for.
 */
namespace vfio::uapi {

/** VFIO_DEVICE_BIND_IOMMUFD (6.6; the token since 6.17, until when its flag is refused). */
struct BindIommufd {
  static constexpr unsigned long kRequest = _IO(VFIO_TYPE, VFIO_BASE + 18);
  static constexpr const char* kName = "VFIO_DEVICE_BIND_IOMMUFD";
  /** VFIO_DEVICE_BIND_FLAG_TOKEN */
  static constexpr uint32_t kToken = 1 << 0;

  uint32_t argsz;
  uint32_t flags;
  int32_t iommufd;
  uint32_t deviceId;
  alignas(8) uint64_t token;
};
static_assert(sizeof(BindIommufd) == 24);
static_assert(offsetof(BindIommufd, iommufd) == 8);
static_assert(offsetof(BindIommufd, deviceId) == 12);
static_assert(offsetof(BindIommufd, token) == 16);

/** VFIO_DEVICE_ATTACH_IOMMUFD_PT (6.6; the PASID since 6.15). */
struct AttachPageTable {
  static constexpr unsigned long kRequest = _IO(VFIO_TYPE, VFIO_BASE + 19);
  static constexpr const char* kName = "VFIO_DEVICE_ATTACH_IOMMUFD_PT";
  /** VFIO_DEVICE_ATTACH_PASID */
  static constexpr uint32_t kPasid = 1 << 0;

  uint32_t argsz;
  uint32_t flags;
  uint32_t pageTable;
  uint32_t pasid;
};
static_assert(sizeof(AttachPageTable) == 16);
static_assert(offsetof(AttachPageTable, pageTable) == 8);
static_assert(offsetof(AttachPageTable, pasid) == 12);

/** VFIO_DEVICE_DETACH_IOMMUFD_PT (6.6; the PASID since 6.15). */
struct DetachPageTable {
  static constexpr unsigned long kRequest = _IO(VFIO_TYPE, VFIO_BASE + 20);
  static constexpr const char* kName = "VFIO_DEVICE_DETACH_IOMMUFD_PT";
  /** VFIO_DEVICE_DETACH_PASID */
  static constexpr uint32_t kPasid = 1 << 0;

  uint32_t argsz;
  uint32_t flags;
  uint32_t pasid;
};
static_assert(sizeof(DetachPageTable) == 12);
static_assert(offsetof(DetachPageTable, pasid) == 8);

/** VFIO_MIG_GET_PRECOPY_INFO (6.2), of a migration stream. */
struct PrecopyInfo {
  static constexpr unsigned long kRequest = _IO(VFIO_TYPE, VFIO_BASE + 21);
  static constexpr const char* kName = "VFIO_MIG_GET_PRECOPY_INFO";

  uint32_t argsz;
  uint32_t flags;
  alignas(8) uint64_t initialBytes;
  alignas(8) uint64_t dirtyBytes;
};
static_assert(sizeof(PrecopyInfo) == 24);
static_assert(offsetof(PrecopyInfo, initialBytes) == 8);
static_assert(offsetof(PrecopyInfo, dirtyBytes) == 16);

/** VFIO_PCI_HOT_RESET_FLAG_DEV_ID (6.6): the devices are told by iommufd device id instead of group. */
constexpr uint32_t kHotResetDeviceIds = 1 << 0;

}  // namespace vfio::uapi
