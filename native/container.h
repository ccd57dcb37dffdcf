#pragma once

#include <string>

#include "call.h"
#include "fd.h"
#include "io-space.h"
#include "uapi.h"

namespace vfio {

/** An open /dev/vfio/vfio, or an iommufd in its compatibility mode: one address space. */
class ContainerFile final : public Resource, public IoSpace {
 public:
  static constexpr Kind kKind = Kind::Container;

  ContainerFile(std::shared_ptr<Context> context, int fd, std::string path)
      : Resource(kKind, std::move(context)), fd("container", fd), path(std::move(path)) {}
  ~ContainerFile() override { release(); }

  /** Takes away what is mapped first: with a group still attached the kernel would keep it mapped. */
  void release() noexcept override;

  const Resource& file() const noexcept override { return *this; }
  uint32_t number() const noexcept override { return 0; }
  const SharedFd& descriptor() const noexcept override { return fd; }
  uint64_t map(int fd, const MapRequest& request) const override;
  uint64_t unmap(int fd, uint64_t iova, uint64_t length) const override;
  /** Returns the bytes unmapped: 0 when the kernel dropped the IOMMU with all mappings before. */
  uint64_t unmapBy(int fd, vfio_iommu_type1_dma_unmap& request) const;

  SharedFd fd;
  const std::string path;

 private:
  bool hasIommu(int fd) const noexcept;
};

void exportContainer(Exports& exports);

}  // namespace vfio
