#pragma once

#include "io-space.h"
#include "iommufd.h"

namespace vfio {

/** One IO address space of an iommufd, named by its number: as light as the pair of the two. */
class Ioas final : public IoSpace {
 public:
  Ioas(std::shared_ptr<IommufdFile> iommufd, uint32_t id) : iommufd_(std::move(iommufd)), id_(id) {}

  const Resource& file() const noexcept override { return *iommufd_; }
  uint32_t number() const noexcept override { return id_; }
  const SharedFd& descriptor() const noexcept override { return iommufd_->fd; }
  uint64_t map(int fd, const MapRequest& request) const override;
  uint64_t unmap(int fd, uint64_t iova, uint64_t length) const override;

  /** Pages of a file instead of this process's memory. */
  uint64_t mapFile(int fd, int file, uint64_t start, const MapRequest& request) const;
  /** What `source` shows at `sourceIova`. */
  uint64_t copy(int fd, const Ioas& source, uint64_t sourceIova, const MapRequest& request) const;
  /** Returns the bytes unmapped. */
  uint64_t unmapAll(int fd) const;

 private:
  const std::shared_ptr<IommufdFile> iommufd_;
  const uint32_t id_;
};

void exportIoas(Exports& exports);
void exportIoasMap(Exports& exports);

}  // namespace vfio
