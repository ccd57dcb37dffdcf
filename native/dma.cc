#include "dma.h"

#include "blocking.h"
#include "sys.h"
#include "uapi.h"

namespace vfio {

DmaMapping::DmaMapping(std::shared_ptr<Context> context, std::shared_ptr<ContainerFile> container,
                       std::shared_ptr<Memory> memory, uint64_t iova, uint64_t length)
    : Resource(kKind, std::move(context)),
      iova_(iova),
      length_(length),
      container_(std::move(container)),
      memory_(std::move(memory)) {
  memory_->pin();
}

DmaMapping::~DmaMapping() {
  release();
  finish();
}

void DmaMapping::map(int fd, uint64_t address, uint32_t flags) {
  vfio_iommu_type1_dma_map request{};
  request.argsz = sizeof request;
  request.flags = flags;
  request.vaddr = address;
  request.iova = iova_;
  request.size = length_;
  sys::ioctl(context().seam, fd, VFIO_IOMMU_MAP_DMA, "VFIO_IOMMU_MAP_DMA", &request, container()->path);
  std::lock_guard<std::mutex> lock(mutex_);
  state_ = State::Mapped;
}

uint64_t DmaMapping::unmap() {
  std::shared_ptr<ContainerFile> container;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (state_ != State::Mapped) return 0;
    state_ = State::Unmapping;
    container = container_;
  }
  vfio_iommu_type1_dma_unmap request{};
  request.argsz = sizeof request;
  request.iova = iova_;
  request.size = length_;
  try {
    sys::ioctl(context().seam, container->fd.use()->get(), VFIO_IOMMU_UNMAP_DMA, "VFIO_IOMMU_UNMAP_DMA",
               &request, container->path);
  } catch (...) {
    std::lock_guard<std::mutex> lock(mutex_);
    state_ = State::Mapped;
    throw;
  }
  finish();
  return request.size;
}

void DmaMapping::markUnmapped() noexcept {
  finish();
}

void DmaMapping::release() noexcept {
  try {
    unmap();
  } catch (const std::exception&) {
    // The container is going away, and takes the mapping along.
  }
}

void DmaMapping::finish() noexcept {
  std::shared_ptr<ContainerFile> container;
  std::shared_ptr<Memory> memory;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    state_ = State::Gone;
    container.swap(container_);
    memory.swap(memory_);
  }
  if (memory) memory->unpin();
  forget();
}

std::shared_ptr<ContainerFile> DmaMapping::container() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return container_;
}

namespace {

Napi::Value dmaMap(Call& call) {
  const auto container = call.handle<ContainerFile>(0, "container");
  const auto memory = call.handle<Memory>(1, "memory");
  const uint64_t offset = call.size(2, "offset");
  const uint64_t length = call.size(3, "length");
  const uint64_t iova = call.bigint(4, "iova");
  const uint32_t flags = call.u32(5, "flags");
  const bool async = call.boolean(6, "async");
  const uint64_t available = memory->mappedLength();
  if (length == 0 || offset > available || length > available - offset) {
    throw Napi::TypeError::New(call.env(), "offset and length must lie within the " +
                                               std::to_string(available) + " bytes of the memory");
  }
  const uint64_t address = reinterpret_cast<uintptr_t>(memory->address()) + offset;
  auto map = std::make_shared<DmaMapping>(call.context().shared_from_this(), container, memory, iova, length);
  return blocking(
      call, async,
      [map = std::move(map), fd = container->fd.use(), address, flags]() mutable {
        map->map(fd->get(), address, flags);
        map->context().add(map);
        return std::move(map);
      },
      [](Napi::Env env, std::shared_ptr<DmaMapping> mapped) { return wrap(env, std::move(mapped)); });
}

Napi::Value dmaUnmap(Call& call) {
  const auto map = call.handle<DmaMapping>(0, "map");
  return blocking(
      call, call.boolean(1, "async"), [map] { return map->unmap(); },
      [](Napi::Env env, uint64_t bytes) -> Napi::Value {
        return Napi::Number::New(env, static_cast<double>(bytes));
      });
}

uint64_t unmapAll(const std::shared_ptr<ContainerFile>& container, int fd) {
  vfio_iommu_type1_dma_unmap request{};
  request.argsz = sizeof request;
  request.flags = VFIO_DMA_UNMAP_FLAG_ALL;
  sys::ioctl(container->context().seam, fd, VFIO_IOMMU_UNMAP_DMA, "VFIO_IOMMU_UNMAP_DMA", &request,
             container->path);
  for (const auto& map : container->context().live<DmaMapping>()) {
    if (map->container() == container) map->markUnmapped();
  }
  return request.size;
}

Napi::Value dmaUnmapAll(Call& call) {
  const auto container = call.handle<ContainerFile>(0, "container");
  return blocking(
      call, call.boolean(1, "async"),
      [container, fd = container->fd.use()] { return unmapAll(container, fd->get()); },
      [](Napi::Env env, uint64_t bytes) -> Napi::Value {
        return Napi::Number::New(env, static_cast<double>(bytes));
      });
}

}  // namespace

void exportDma(Exports& exports) {
  exports.add<dmaMap>("dmaMap");
  exports.add<dmaUnmap>("dmaUnmap");
  exports.add<dmaUnmapAll>("dmaUnmapAll");
}

}  // namespace vfio
