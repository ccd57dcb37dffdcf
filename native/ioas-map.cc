#include <cerrno>

#include "blocking.h"
#include "dma.h"
#include "ioas.h"
#include "uapi-iommufd.h"

namespace vfio {
namespace {

uint32_t mapFlags(const MapRequest& request) {
  uint32_t flags = 0;
  if (request.iova) flags |= uapi::kMapFixedIova;
  if ((request.access & kDeviceReads) != 0) flags |= uapi::kMapReadable;
  if ((request.access & kDeviceWrites) != 0) flags |= uapi::kMapWriteable;
  return flags;
}

}  // namespace

uint64_t Ioas::map(int fd, const MapRequest& request) const {
  uapi::IoasMap command{};
  command.flags = mapFlags(request);
  command.ioas = id_;
  command.address = request.address;
  command.length = request.length;
  command.iova = request.iova.value_or(0);
  iommufd_->run(fd, command);
  return command.iova;
}

uint64_t Ioas::mapFile(int fd, int file, uint64_t start, const MapRequest& request) const {
  uapi::IoasMapFile command{};
  command.flags = mapFlags(request);
  command.ioas = id_;
  command.fd = file;
  command.start = start;
  command.length = request.length;
  command.iova = request.iova.value_or(0);
  iommufd_->run(fd, command);
  return command.iova;
}

uint64_t Ioas::copy(int fd, const Ioas& source, uint64_t sourceIova, const MapRequest& request) const {
  uapi::IoasCopy command{};
  command.flags = mapFlags(request);
  command.target = id_;
  command.source = source.id_;
  command.length = request.length;
  command.iova = request.iova.value_or(0);
  command.sourceIova = sourceIova;
  iommufd_->run(fd, command);
  return command.iova;
}

uint64_t Ioas::unmap(int fd, uint64_t iova, uint64_t length) const {
  uapi::IoasUnmap command{};
  command.ioas = id_;
  command.iova = iova;
  command.length = length;
  try {
    iommufd_->run(fd, command);
  } catch (const SysError& error) {
    if (error.error() == ENOENT) return 0;
    throw;
  }
  return command.length;
}

uint64_t Ioas::unmapAll(int fd) const {
  uapi::IoasUnmap command{};
  command.ioas = id_;
  command.length = UINT64_MAX;
  iommufd_->run(fd, command);
  return command.length;
}

namespace {

/** What a device may do: at least one of reading and writing, and nothing that is not known here. */
uint32_t accessFrom(Call& call, size_t index) {
  return static_cast<uint32_t>(call.integer(index, "flags", 0, kDeviceReads | kDeviceWrites));
}

Napi::Value ioasMap(Call& call) {
  const auto iommufd = call.handle<IommufdFile>(0, "iommufd");
  const auto ioas = std::make_shared<Ioas>(iommufd, call.u32(1, "ioas"));
  const auto memory = call.handle<Memory>(2, "memory");
  const uint64_t offset = call.size(3, "offset");
  const uint64_t length = call.size(4, "length");
  const auto iova = call.bigintOrNull(5, "iova");
  const uint32_t access = accessFrom(call, 6);
  const bool async = call.boolean(7, "async");
  const MapRequest request{addressWithin(call, *memory, offset, length), length, iova, access};
  return startMapping(call, async, ioas, {memory}, length,
                      [ioas, request](int fd) { return ioas->map(fd, request); });
}

Napi::Value ioasMapFile(Call& call) {
  const auto iommufd = call.handle<IommufdFile>(0, "iommufd");
  const auto ioas = std::make_shared<Ioas>(iommufd, call.u32(1, "ioas"));
  const auto file = static_cast<int>(call.integer(2, "fd", 0, INT32_MAX));
  const uint64_t start = call.size(3, "start");
  const uint64_t length = call.size(4, "length");
  const auto iova = call.bigintOrNull(5, "iova");
  const MapRequest request{0, length, iova, accessFrom(call, 6)};
  return startMapping(call, false, ioas, {}, length, [ioas, file, start, request](int fd) {
    return ioas->mapFile(fd, file, start, request);
  });
}

/** The memory behind what is mapped there, so that a copy of it keeps it too. */
Memories memoriesAt(Context& context, const Ioas& source, uint64_t iova, uint64_t length) {
  Memories memories;
  for (const auto& map : context.live<DmaMapping>()) map->collect(source, iova, length, memories);
  return memories;
}

Napi::Value ioasCopy(Call& call) {
  const auto iommufd = call.handle<IommufdFile>(0, "iommufd");
  const auto target = std::make_shared<Ioas>(iommufd, call.u32(1, "target"));
  const Ioas source(iommufd, call.u32(2, "source"));
  const uint64_t length = call.bigint(3, "length");
  const auto iova = call.bigintOrNull(4, "iova");
  const uint64_t sourceIova = call.bigint(5, "sourceIova");
  const MapRequest request{0, length, iova, accessFrom(call, 6)};
  return startMapping(call, false, target, memoriesAt(call.context(), source, sourceIova, length), length,
                      [&](int fd) { return target->copy(fd, source, sourceIova, request); });
}

Napi::Value ioasUnmapAll(Call& call) {
  const auto iommufd = call.handle<IommufdFile>(0, "iommufd");
  const auto ioas = std::make_shared<Ioas>(iommufd, call.u32(1, "ioas"));
  return blocking(
      call, call.boolean(2, "async"),
      [ioas, iommufd, fd = iommufd->fd.use()] {
        const uint64_t bytes = ioas->unmapAll(fd->get());
        forgetMappings(iommufd->context(), *ioas);
        return bytes;
      },
      [](Napi::Env env, uint64_t bytes) -> Napi::Value { return Napi::BigInt::New(env, bytes); });
}

}  // namespace

void exportIoasMap(Exports& exports) {
  exports.add<ioasMap>("ioasMap");
  exports.add<ioasMapFile>("ioasMapFile");
  exports.add<ioasCopy>("ioasCopy");
  exports.add<ioasUnmapAll>("ioasUnmapAll");
}

}  // namespace vfio
