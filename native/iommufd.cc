#include "iommufd.h"

#include <fcntl.h>

#include "dma.h"
#include "ioas.h"
#include "uapi-iommufd.h"

namespace vfio {

void IommufdFile::release() noexcept {
  if (!fd.peek()) return;
  fd.drain();
  releaseMappings(*this);
  if (!fd.take()) return;
  // Where unmapping failed, the kernel does it when the last device is unbound.
  forgetMappings(*this);
  forget();
}

namespace {

Napi::Value iommufdOpen(Call& call) {
  const std::string path = call.string(0, "path");
  const int fd = sys::open(call.context().seam, path, O_RDWR);
  return wrap(call.env(), call.context().make<IommufdFile>(fd, path));
}

Napi::Value iommufdClose(Call& call) {
  call.handle<IommufdFile>(0, "iommufd")->release();
  return call.undefined();
}

Napi::Value iommufdDestroy(Call& call) {
  const auto iommufd = call.handle<IommufdFile>(0, "iommufd");
  uapi::Destroy command{};
  command.id = call.u32(1, "id");
  iommufd->run(command);
  // An IOAS takes its mappings along, and the number may come back for another one.
  forgetMappings(call.context(), Ioas(iommufd, command.id));
  return call.undefined();
}

Napi::Value iommufdOption(Call& call) {
  const auto iommufd = call.handle<IommufdFile>(0, "iommufd");
  uapi::Option command{};
  command.option = call.u32(1, "option");
  command.operation = static_cast<uint16_t>(call.integer(2, "operation", 0, UINT16_MAX));
  command.object = call.u32(3, "objectId");
  command.value = call.bigint(4, "value");
  iommufd->run(command);
  return Napi::BigInt::New(call.env(), uint64_t{command.value});
}

Napi::Value iommufdVfioIoas(Call& call) {
  const auto iommufd = call.handle<IommufdFile>(0, "iommufd");
  uapi::VfioIoas command{};
  command.operation = static_cast<uint16_t>(call.integer(1, "operation", 0, UINT16_MAX));
  command.ioas = call.u32(2, "ioas");
  iommufd->run(command);
  return Napi::Number::New(call.env(), command.ioas);
}

Napi::Value iommufdChangeProcess(Call& call) {
  const auto iommufd = call.handle<IommufdFile>(0, "iommufd");
  uapi::IoasChangeProcess command{};
  iommufd->run(command);
  return call.undefined();
}

}  // namespace

void exportIommufd(Exports& exports) {
  exports.add<iommufdOpen>("iommufdOpen");
  exports.add<iommufdClose>("iommufdClose");
  exports.add<iommufdDestroy>("iommufdDestroy");
  exports.add<iommufdOption>("iommufdOption");
  exports.add<iommufdVfioIoas>("iommufdVfioIoas");
  exports.add<iommufdChangeProcess>("iommufdChangeProcess");
}

}  // namespace vfio
