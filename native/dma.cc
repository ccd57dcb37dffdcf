#include "dma.h"

#include "blocking.h"
#include "container.h"
#include "sys.h"
#include "uapi.h"

namespace vfio {

uint64_t addressWithin(Call& call, const Memory& memory, uint64_t offset, uint64_t length) {
  const uint64_t available = memory.mappedLength();
  if (length == 0 || offset > available || length > available - offset) {
    throw Napi::TypeError::New(call.env(), "offset and length must lie within the " +
                                               std::to_string(available) + " bytes of the memory");
  }
  return reinterpret_cast<uintptr_t>(memory.address()) + offset;
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
  const MapRequest request{addressWithin(call, *memory, offset, length), length, iova, flags};
  return startMapping(call, async, container, {memory}, length,
                      [container, request](int fd) { return container->map(fd, request); });
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
  const uint64_t bytes = container->unmapBy(fd, request);
  forgetMappings(*container);
  return bytes;
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

Napi::Value dmaMapIova(Call& call) {
  return Napi::BigInt::New(call.env(), call.handle<DmaMapping>(0, "map")->iova());
}

}  // namespace

void exportDma(Exports& exports) {
  exports.add<dmaMap>("dmaMap");
  exports.add<dmaUnmap>("dmaUnmap");
  exports.add<dmaUnmapAll>("dmaUnmapAll");
  exports.add<dmaMapIova>("dmaMapIova");
}

}  // namespace vfio
