#include "viommu.h"

#include <cstring>
#include <vector>

#include "file.h"
#include "iommufd.h"
#include "uapi-hwpt.h"

namespace vfio {
namespace {

Napi::Value viommuAlloc(Call& call) {
  const auto iommufd = call.handle<IommufdFile>(0, "iommufd");
  uapi::ViommuAlloc command{};
  command.type = call.u32(1, "type");
  command.device = call.u32(2, "deviceId");
  command.hwpt = call.u32(3, "hwptId");
  const Bytes given = call.bytesOrNull(4, "data");
  // The kernel answers in the same place.
  Napi::Uint8Array data = Napi::Uint8Array::New(call.env(), given.length);
  if (given.length > 0) {
    std::memcpy(data.Data(), given.data, given.length);
    command.dataLength = static_cast<uint32_t>(given.length);
    command.data = reinterpret_cast<uintptr_t>(data.Data());
  }
  iommufd->run(command);
  Napi::Object result = Napi::Object::New(call.env());
  result.Set("id", command.viommu);
  result.Set("data", data);
  return result;
}

Napi::Value vdeviceAlloc(Call& call) {
  const auto iommufd = call.handle<IommufdFile>(0, "iommufd");
  uapi::VdeviceAlloc command{};
  command.viommu = call.u32(1, "viommu");
  command.device = call.u32(2, "deviceId");
  command.virtualId = call.bigint(3, "virtualId");
  iommufd->run(command);
  return Napi::Number::New(call.env(), command.vdevice);
}

Napi::Value veventqAlloc(Call& call) {
  const auto iommufd = call.handle<IommufdFile>(0, "iommufd");
  uapi::VeventqAlloc command{};
  command.viommu = call.u32(1, "viommu");
  command.type = call.u32(2, "type");
  command.depth = call.u32(3, "depth");
  iommufd->run(command);
  Napi::Object result = Napi::Object::New(call.env());
  result.Set("file", wrap(call.env(), ownFile(call.context(), static_cast<int>(command.fd))));
  result.Set("id", command.veventq);
  return result;
}

Napi::Value hwQueueAlloc(Call& call) {
  const auto iommufd = call.handle<IommufdFile>(0, "iommufd");
  uapi::HwQueueAlloc command{};
  command.viommu = call.u32(1, "viommu");
  command.type = call.u32(2, "type");
  command.index = call.u32(3, "index");
  command.iova = call.bigint(4, "iova");
  command.length = call.bigint(5, "length");
  iommufd->run(command);
  return Napi::Number::New(call.env(), command.queue);
}

}  // namespace

void exportViommu(Exports& exports) {
  exports.add<viommuAlloc>("viommuAlloc");
  exports.add<vdeviceAlloc>("vdeviceAlloc");
  exports.add<veventqAlloc>("veventqAlloc");
  exports.add<hwQueueAlloc>("hwQueueAlloc");
}

}  // namespace vfio
