#pragma once

#include <cstdint>
#include <optional>

#include "fd.h"
#include "resource.h"

namespace vfio {

/** What a DMA mapping may be asked for, as `dmaMap` takes it: VFIO_DMA_MAP_FLAG_READ and _WRITE. */
constexpr uint32_t kDeviceReads = 1 << 0;
constexpr uint32_t kDeviceWrites = 1 << 1;

/** A range of this process's memory, and where the device shall see it; no IOVA leaves that to the kernel. */
struct MapRequest {
  uint64_t address;
  uint64_t length;
  std::optional<uint64_t> iova;
  uint32_t access;
};

/** An address space of devices that memory is mapped into: a container is one, an iommufd holds many. */
class IoSpace {
 public:
  IoSpace(const IoSpace&) = delete;
  IoSpace& operator=(const IoSpace&) = delete;
  virtual ~IoSpace() = default;

  /** The file whose ioctls act on it, and with which its mappings end. */
  virtual const Resource& file() const noexcept = 0;
  /** Tells the address spaces of one file apart. */
  virtual uint32_t number() const noexcept = 0;
  bool same(const IoSpace& other) const noexcept {
    return &file() == &other.file() && number() == other.number();
  }

  virtual const SharedFd& descriptor() const noexcept = 0;
  /** Returns where the memory lies now; `fd` is the file's. */
  virtual uint64_t map(int fd, const MapRequest& request) const = 0;
  /** Returns the bytes unmapped; 0 when nothing lies there any more. */
  virtual uint64_t unmap(int fd, uint64_t iova, uint64_t length) const = 0;

 protected:
  IoSpace() = default;
};

}  // namespace vfio
