#pragma once

#include <mutex>

#include "container.h"
#include "memory.h"

namespace vfio {

/** One range of memory that devices of a container can reach. */
class DmaMapping final : public Resource {
 public:
  static constexpr Kind kKind = Kind::DmaMap;

  /** Holds the memory from here on, so that it cannot be freed while the kernel is still at work. */
  DmaMapping(std::shared_ptr<Context> context, std::shared_ptr<ContainerFile> container,
             std::shared_ptr<Memory> memory, uint64_t iova, uint64_t length);
  ~DmaMapping() override;

  /** VFIO_IOMMU_MAP_DMA; `fd` is the container's. */
  void map(int fd, uint64_t address, uint32_t flags);
  /** VFIO_IOMMU_UNMAP_DMA; returns the bytes unmapped, 0 when there was nothing to do. */
  uint64_t unmap();
  /** Somebody else unmapped it: VFIO_DMA_UNMAP_FLAG_ALL. */
  void markUnmapped() noexcept;
  void release() noexcept override;

  /** Null once unmapped. */
  std::shared_ptr<ContainerFile> container() const;

 private:
  enum class State { Pending, Mapped, Unmapping, Gone };
  void finish() noexcept;

  const uint64_t iova_;
  const uint64_t length_;
  mutable std::mutex mutex_;
  State state_ = State::Pending;
  std::shared_ptr<ContainerFile> container_;
  std::shared_ptr<Memory> memory_;
};

void exportDma(Exports& exports);

}  // namespace vfio
