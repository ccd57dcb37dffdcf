#include "hwpt.h"

#include <cstring>
#include <vector>

#include "dirty.h"
#include "file.h"
#include "iommufd.h"
#include "uapi-hwpt.h"

namespace vfio {
namespace {

uint64_t pointerTo(const void* data) {
  return reinterpret_cast<uintptr_t>(data);
}

Napi::Value hwptAlloc(Call& call) {
  const auto iommufd = call.handle<IommufdFile>(0, "iommufd");
  uapi::HwptAlloc command{};
  command.flags = call.u32(1, "flags");
  command.device = call.u32(2, "deviceId");
  command.parent = call.u32(3, "parentId");
  command.dataType = call.u32(4, "dataType");
  const Bytes data = call.bytesOrNull(5, "data");
  command.dataLength = static_cast<uint32_t>(data.length);
  command.data = pointerTo(data.data);
  command.fault = call.u32(6, "faultId");
  iommufd->run(command);
  return Napi::Number::New(call.env(), command.hwpt);
}

/** Far above the few registers that there are today. */
constexpr uint32_t kMaxInfo = 64 * 1024;

Napi::Value hwInfo(Call& call) {
  const auto iommufd = call.handle<IommufdFile>(0, "iommufd");
  const uint32_t device = call.u32(1, "deviceId");
  const uint32_t type = call.u32(2, "requestType");
  uapi::GetHwInfo command{};
  std::vector<uint8_t> data(128);
  for (;;) {
    command = {};
    command.flags = type == 0 ? 0 : uapi::GetHwInfo::kInputType;
    command.device = device;
    command.dataType = type;
    command.dataLength = static_cast<uint32_t>(data.size());
    command.data = pointerTo(data.data());
    iommufd->run(command);
    // The kernel fills what fits, and says how much there is.
    if (command.dataLength <= data.size() || command.dataLength > kMaxInfo) break;
    data.resize(command.dataLength);
  }
  const size_t length = command.dataLength < data.size() ? command.dataLength : data.size();
  Napi::Uint8Array bytes = Napi::Uint8Array::New(call.env(), length);
  if (length > 0) std::memcpy(bytes.Data(), data.data(), length);
  Napi::Object result = Napi::Object::New(call.env());
  result.Set("flags", command.flags);
  result.Set("dataType", command.dataType);
  result.Set("maxPasidLog2", command.maxPasidLog2);
  result.Set("capabilities", Napi::BigInt::New(call.env(), uint64_t{command.capabilities}));
  result.Set("data", bytes);
  return result;
}

Napi::Value hwptSetDirtyTracking(Call& call) {
  const auto iommufd = call.handle<IommufdFile>(0, "iommufd");
  uapi::HwptSetDirtyTracking command{};
  command.hwpt = call.u32(1, "hwpt");
  command.flags = call.boolean(2, "on") ? 1 : 0;
  iommufd->run(command);
  return call.undefined();
}

Napi::Value hwptGetDirtyBitmap(Call& call) {
  const auto iommufd = call.handle<IommufdFile>(0, "iommufd");
  uapi::HwptGetDirtyBitmap command{};
  command.hwpt = call.u32(1, "hwpt");
  command.iova = call.bigint(2, "iova");
  command.length = call.bigint(3, "length");
  command.pageSize = call.bigint(4, "pageSize");
  command.flags = call.u32(5, "flags");
  command.bitmap = pointerTo(bitmapFor(call, 6, command.length, command.pageSize).data);
  iommufd->run(command);
  return call.undefined();
}

Napi::Value hwptInvalidate(Call& call) {
  const auto iommufd = call.handle<IommufdFile>(0, "iommufd");
  uapi::HwptInvalidate command{};
  command.hwpt = call.u32(1, "hwpt");
  command.dataType = call.u32(2, "dataType");
  command.entryLength = call.u32(3, "entryLength");
  const Bytes entries = call.bytes(4, "entries");
  if (entries.length > 0 && (command.entryLength == 0 || entries.length % command.entryLength != 0)) {
    throw Napi::TypeError::New(call.env(), "entries must have a multiple of " +
                                               std::to_string(command.entryLength) +
                                               " bytes, the length of one");
  }
  const auto count = static_cast<uint32_t>(entries.length == 0 ? 0 : entries.length / command.entryLength);
  command.count = count;
  command.data = pointerTo(entries.data);
  const int failure = iommufd->tryRun(command);
  // A failure that leaves the count as it was came before the kernel looked at any entry.
  const uint32_t handled = failure < 0 && command.count == count ? 0 : command.count;
  Napi::Object result = Napi::Object::New(call.env());
  result.Set("handled", handled);
  result.Set("errno", failure < 0 ? -failure : 0);
  return result;
}

Napi::Value faultQueueAlloc(Call& call) {
  const auto iommufd = call.handle<IommufdFile>(0, "iommufd");
  uapi::FaultQueueAlloc command{};
  iommufd->run(command);
  Napi::Object result = Napi::Object::New(call.env());
  result.Set("file", wrap(call.env(), ownFile(call.context(), static_cast<int>(command.fd))));
  result.Set("id", command.fault);
  return result;
}

}  // namespace

void exportHwpt(Exports& exports) {
  exports.add<hwptAlloc>("hwptAlloc");
  exports.add<hwInfo>("hwInfo");
  exports.add<hwptSetDirtyTracking>("hwptSetDirtyTracking");
  exports.add<hwptGetDirtyBitmap>("hwptGetDirtyBitmap");
  exports.add<hwptInvalidate>("hwptInvalidate");
  exports.add<faultQueueAlloc>("faultQueueAlloc");
}

}  // namespace vfio
