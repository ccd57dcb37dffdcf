#include "dirty.h"

#include <array>
#include <cstring>

#include "container.h"
#include "dma.h"
#include "sys.h"
#include "uapi.h"

namespace vfio {

Words bitmapFor(Call& call, size_t index, uint64_t length, uint64_t pageSize) {
  const Words bitmap = call.words(index, "bitmap");
  if (pageSize == 0 || (pageSize & (pageSize - 1)) != 0) {
    throw Napi::TypeError::New(call.env(), "pageSize must be a power of two");
  }
  if (length == 0) throw Napi::TypeError::New(call.env(), "length must not be 0");
  // Not every kernel is told how large the bitmap is: what is missing it would write beyond.
  const uint64_t needed = (length - 1) / pageSize / 64 + 1;
  if (bitmap.count < needed) {
    throw Napi::TypeError::New(call.env(),
                               "bitmap must have at least " + std::to_string(needed) + " elements");
  }
  return bitmap;
}

namespace {

vfio_bitmap bitmapOf(const Words& words, uint64_t pageSize) {
  vfio_bitmap bitmap{};
  bitmap.pgsize = pageSize;
  bitmap.size = words.count * sizeof(uint64_t);
  bitmap.data = reinterpret_cast<decltype(bitmap.data)>(words.data);
  return bitmap;
}

/** A request that goes on where its struct has a flexible array. */
template <typename Header, typename Payload>
std::array<uint8_t, sizeof(Header) + sizeof(Payload)> join(const Header& header, const Payload& payload) {
  std::array<uint8_t, sizeof(Header) + sizeof(Payload)> bytes{};
  std::memcpy(bytes.data(), &header, sizeof header);
  std::memcpy(bytes.data() + sizeof header, &payload, sizeof payload);
  return bytes;
}

Napi::Value dirtyTracking(Call& call) {
  const auto container = call.handle<ContainerFile>(0, "container");
  vfio_iommu_type1_dirty_bitmap request{};
  request.argsz = sizeof request;
  request.flags =
      call.boolean(1, "on") ? VFIO_IOMMU_DIRTY_PAGES_FLAG_START : VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP;
  sys::ioctl(call.context().seam, container->fd.use()->get(), VFIO_IOMMU_DIRTY_PAGES,
             "VFIO_IOMMU_DIRTY_PAGES", &request, container->path);
  return call.undefined();
}

Napi::Value dirtyBitmap(Call& call) {
  const auto container = call.handle<ContainerFile>(0, "container");
  vfio_iommu_type1_dirty_bitmap_get range{};
  range.iova = call.bigint(1, "iova");
  range.size = call.bigint(2, "length");
  const uint64_t pageSize = call.bigint(3, "pageSize");
  range.bitmap = bitmapOf(bitmapFor(call, 4, range.size, pageSize), pageSize);
  vfio_iommu_type1_dirty_bitmap header{};
  header.argsz = sizeof header + sizeof range;
  header.flags = VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP;
  auto request = join(header, range);
  sys::ioctl(call.context().seam, container->fd.use()->get(), VFIO_IOMMU_DIRTY_PAGES,
             "VFIO_IOMMU_DIRTY_PAGES", request.data(), container->path);
  return call.undefined();
}

/** The container of a mapping: what follows is type1's alone. */
std::shared_ptr<ContainerFile> containerOf(Call& call, const DmaMapping& map) {
  auto container = std::dynamic_pointer_cast<ContainerFile>(map.space());
  if (!container) throw Napi::TypeError::New(call.env(), "map must be a mapping of a container");
  return container;
}

Napi::Value dmaUnmapDirty(Call& call) {
  const auto map = call.handle<DmaMapping>(0, "map");
  const uint64_t pageSize = call.bigint(1, "pageSize");
  const auto container = containerOf(call, *map);
  const Words bitmap = bitmapFor(call, 2, map->length(), pageSize);
  const uint64_t bytes = map->unmapBy([&](IoSpace&, int fd, uint64_t iova, uint64_t length) -> uint64_t {
    vfio_iommu_type1_dma_unmap unmap{};
    unmap.argsz = sizeof unmap + sizeof(vfio_bitmap);
    unmap.flags = VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP;
    unmap.iova = iova;
    unmap.size = length;
    auto request = join(unmap, bitmapOf(bitmap, pageSize));
    sys::ioctl(call.context().seam, fd, VFIO_IOMMU_UNMAP_DMA, "VFIO_IOMMU_UNMAP_DMA", request.data(),
               container->path);
    std::memcpy(&unmap, request.data(), sizeof unmap);
    return unmap.size;
  });
  return Napi::Number::New(call.env(), static_cast<double>(bytes));
}

Napi::Value dmaForgetAddress(Call& call) {
  const auto map = call.handle<DmaMapping>(0, "map");
  const auto container = containerOf(call, *map);
  vfio_iommu_type1_dma_unmap request{};
  request.argsz = sizeof request;
  request.flags = VFIO_DMA_UNMAP_FLAG_VADDR;
  request.iova = map->iova();
  request.size = map->length();
  sys::ioctl(call.context().seam, container->fd.use()->get(), VFIO_IOMMU_UNMAP_DMA, "VFIO_IOMMU_UNMAP_DMA",
             &request, container->path);
  return call.undefined();
}

Napi::Value dmaNewAddress(Call& call) {
  const auto map = call.handle<DmaMapping>(0, "map");
  const auto memory = call.handle<Memory>(1, "memory");
  const auto container = containerOf(call, *map);
  vfio_iommu_type1_dma_map request{};
  request.argsz = sizeof request;
  request.flags = VFIO_DMA_MAP_FLAG_VADDR;
  request.vaddr = addressWithin(call, *memory, 0, map->length());
  request.iova = map->iova();
  request.size = map->length();
  sys::ioctl(call.context().seam, container->fd.use()->get(), VFIO_IOMMU_MAP_DMA, "VFIO_IOMMU_MAP_DMA",
             &request, container->path);
  map->moveTo(memory);
  return call.undefined();
}

}  // namespace

void exportDirty(Exports& exports) {
  exports.add<dirtyTracking>("dirtyTracking");
  exports.add<dirtyBitmap>("dirtyBitmap");
  exports.add<dmaUnmapDirty>("dmaUnmapDirty");
  exports.add<dmaForgetAddress>("dmaForgetAddress");
  exports.add<dmaNewAddress>("dmaNewAddress");
}

}  // namespace vfio
