#pragma once

#include <linux/ioctl.h>

#include <cstddef>
#include <cstdint>

/**
 * The commands of /dev/iommu, laid out from the kernel's ABI: the headers of Linux 6.1 and before have none
 * of them. Each struct carries its ioctl's number and name; `size` is filled in by `IommufdFile::run`.
 * A kernel that knows a shorter struct takes a longer one as long as what it does not know is zero.
 */
namespace vfio::uapi {

constexpr unsigned long iommuRequest(unsigned number) {
  return _IO(';', number);
}

struct Destroy {
  static constexpr unsigned long kRequest = iommuRequest(0x80);
  static constexpr const char* kName = "IOMMU_DESTROY";

  uint32_t size;
  uint32_t id;
};
static_assert(sizeof(Destroy) == 8);
static_assert(offsetof(Destroy, id) == 4);

struct IoasAlloc {
  static constexpr unsigned long kRequest = iommuRequest(0x81);
  static constexpr const char* kName = "IOMMU_IOAS_ALLOC";

  uint32_t size;
  uint32_t flags;
  uint32_t ioas;
};
static_assert(sizeof(IoasAlloc) == 12);
static_assert(offsetof(IoasAlloc, ioas) == 8);

/** `struct iommu_iova_range`: both ends belong to it. */
struct IovaRange {
  alignas(8) uint64_t start;
  alignas(8) uint64_t last;
};
static_assert(sizeof(IovaRange) == 16);
static_assert(offsetof(IovaRange, last) == 8);

struct IoasAllowIovas {
  static constexpr unsigned long kRequest = iommuRequest(0x82);
  static constexpr const char* kName = "IOMMU_IOAS_ALLOW_IOVAS";

  uint32_t size;
  uint32_t ioas;
  uint32_t count;
  uint32_t reserved;
  alignas(8) uint64_t ranges;
};
static_assert(sizeof(IoasAllowIovas) == 24);
static_assert(offsetof(IoasAllowIovas, count) == 8);
static_assert(offsetof(IoasAllowIovas, ranges) == 16);

struct IoasCopy {
  static constexpr unsigned long kRequest = iommuRequest(0x83);
  static constexpr const char* kName = "IOMMU_IOAS_COPY";

  uint32_t size;
  uint32_t flags;
  uint32_t target;
  uint32_t source;
  alignas(8) uint64_t length;
  alignas(8) uint64_t iova;
  alignas(8) uint64_t sourceIova;
};
static_assert(sizeof(IoasCopy) == 40);
static_assert(offsetof(IoasCopy, target) == 8);
static_assert(offsetof(IoasCopy, length) == 16);
static_assert(offsetof(IoasCopy, iova) == 24);
static_assert(offsetof(IoasCopy, sourceIova) == 32);

struct IoasIovaRanges {
  static constexpr unsigned long kRequest = iommuRequest(0x84);
  static constexpr const char* kName = "IOMMU_IOAS_IOVA_RANGES";

  uint32_t size;
  uint32_t ioas;
  uint32_t count;
  uint32_t reserved;
  alignas(8) uint64_t ranges;
  alignas(8) uint64_t alignment;
};
static_assert(sizeof(IoasIovaRanges) == 32);
static_assert(offsetof(IoasIovaRanges, count) == 8);
static_assert(offsetof(IoasIovaRanges, ranges) == 16);
static_assert(offsetof(IoasIovaRanges, alignment) == 24);

/** `enum iommufd_ioas_map_flags` */
constexpr uint32_t kMapFixedIova = 1 << 0;
constexpr uint32_t kMapWriteable = 1 << 1;
constexpr uint32_t kMapReadable = 1 << 2;

struct IoasMap {
  static constexpr unsigned long kRequest = iommuRequest(0x85);
  static constexpr const char* kName = "IOMMU_IOAS_MAP";

  uint32_t size;
  uint32_t flags;
  uint32_t ioas;
  uint32_t reserved;
  alignas(8) uint64_t address;
  alignas(8) uint64_t length;
  alignas(8) uint64_t iova;
};
static_assert(sizeof(IoasMap) == 40);
static_assert(offsetof(IoasMap, ioas) == 8);
static_assert(offsetof(IoasMap, address) == 16);
static_assert(offsetof(IoasMap, length) == 24);
static_assert(offsetof(IoasMap, iova) == 32);

struct IoasUnmap {
  static constexpr unsigned long kRequest = iommuRequest(0x86);
  static constexpr const char* kName = "IOMMU_IOAS_UNMAP";

  uint32_t size;
  uint32_t ioas;
  alignas(8) uint64_t iova;
  alignas(8) uint64_t length;
};
static_assert(sizeof(IoasUnmap) == 24);
static_assert(offsetof(IoasUnmap, iova) == 8);
static_assert(offsetof(IoasUnmap, length) == 16);

struct Option {
  static constexpr unsigned long kRequest = iommuRequest(0x87);
  static constexpr const char* kName = "IOMMU_OPTION";

  uint32_t size;
  uint32_t option;
  uint16_t operation;
  uint16_t reserved;
  uint32_t object;
  alignas(8) uint64_t value;
};
static_assert(sizeof(Option) == 24);
static_assert(offsetof(Option, operation) == 8);
static_assert(offsetof(Option, object) == 12);
static_assert(offsetof(Option, value) == 16);

struct VfioIoas {
  static constexpr unsigned long kRequest = iommuRequest(0x88);
  static constexpr const char* kName = "IOMMU_VFIO_IOAS";

  uint32_t size;
  uint32_t ioas;
  uint16_t operation;
  uint16_t reserved;
};
static_assert(sizeof(VfioIoas) == 12);
static_assert(offsetof(VfioIoas, operation) == 8);

/** 6.13 */
struct IoasMapFile {
  static constexpr unsigned long kRequest = iommuRequest(0x8f);
  static constexpr const char* kName = "IOMMU_IOAS_MAP_FILE";

  uint32_t size;
  uint32_t flags;
  uint32_t ioas;
  int32_t fd;
  alignas(8) uint64_t start;
  alignas(8) uint64_t length;
  alignas(8) uint64_t iova;
};
static_assert(sizeof(IoasMapFile) == 40);
static_assert(offsetof(IoasMapFile, fd) == 12);
static_assert(offsetof(IoasMapFile, start) == 16);
static_assert(offsetof(IoasMapFile, length) == 24);
static_assert(offsetof(IoasMapFile, iova) == 32);

/** 6.14 */
struct IoasChangeProcess {
  static constexpr unsigned long kRequest = iommuRequest(0x92);
  static constexpr const char* kName = "IOMMU_IOAS_CHANGE_PROCESS";

  uint32_t size;
  uint32_t reserved;
};
static_assert(sizeof(IoasChangeProcess) == 8);

/** 7.3; `length`, which is not 0, limits the answer, and is how much lies in one piece afterwards. */
struct IoasNoIommuGetPa {
  static constexpr unsigned long kRequest = iommuRequest(0x95);
  static constexpr const char* kName = "IOMMU_IOAS_NOIOMMU_GET_PA";

  uint32_t size;
  uint32_t flags;
  uint32_t ioas;
  uint32_t reserved;
  alignas(8) uint64_t iova;
  alignas(8) uint64_t length;
  alignas(8) uint64_t physical;
};
static_assert(sizeof(IoasNoIommuGetPa) == 40);
static_assert(offsetof(IoasNoIommuGetPa, iova) == 16);
static_assert(offsetof(IoasNoIommuGetPa, length) == 24);
static_assert(offsetof(IoasNoIommuGetPa, physical) == 32);

}  // namespace vfio::uapi
