#include "ioas.h"

#include <cerrno>
#include <vector>

#include "uapi-iommufd.h"

namespace vfio {
namespace {

/** More than any IOMMU's reserved windows leave; an address space of holes would be a kernel's mistake. */
constexpr uint32_t kMaxRanges = 1 << 16;

Napi::Value ioasAlloc(Call& call) {
  const auto iommufd = call.handle<IommufdFile>(0, "iommufd");
  uapi::IoasAlloc command{};
  iommufd->run(command);
  return Napi::Number::New(call.env(), command.ioas);
}

Napi::Object rangeObject(Napi::Env env, const uapi::IovaRange& range) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("start", Napi::BigInt::New(env, uint64_t{range.start}));
  object.Set("last", Napi::BigInt::New(env, uint64_t{range.last}));
  return object;
}

Napi::Value ioasIovaRanges(Call& call) {
  const auto iommufd = call.handle<IommufdFile>(0, "iommufd");
  const uint32_t ioas = call.u32(1, "ioas");
  uapi::IoasIovaRanges command{};
  std::vector<uapi::IovaRange> ranges(16);
  for (;;) {
    command = {};
    command.ioas = ioas;
    command.count = static_cast<uint32_t>(ranges.size());
    command.ranges = reinterpret_cast<uintptr_t>(ranges.data());
    try {
      iommufd->run(command);
      break;
    } catch (const SysError& error) {
      // The kernel says how many there are, which may be more again by the time it is asked again.
      if (error.error() != EMSGSIZE || command.count <= ranges.size() || command.count > kMaxRanges) throw;
      ranges.resize(command.count);
    }
  }
  if (command.count > ranges.size()) {
    throw badAnswer(uapi::IoasIovaRanges::kName, iommufd->path,
                    std::to_string(command.count) + " ranges in room for " + std::to_string(ranges.size()));
  }
  Napi::Array list = Napi::Array::New(call.env(), command.count);
  for (uint32_t i = 0; i < command.count; i++) list.Set(i, rangeObject(call.env(), ranges[i]));
  Napi::Object result = Napi::Object::New(call.env());
  result.Set("ranges", list);
  result.Set("alignment", Napi::BigInt::New(call.env(), uint64_t{command.alignment}));
  return result;
}

Napi::Value ioasAllowIovas(Call& call) {
  const auto iommufd = call.handle<IommufdFile>(0, "iommufd");
  const uint32_t ioas = call.u32(1, "ioas");
  const Napi::Array list = call.array(2, "ranges");
  if (list.Length() > kMaxRanges) {
    throw Napi::TypeError::New(call.env(),
                               "ranges must have at most " + std::to_string(kMaxRanges) + " entries");
  }
  std::vector<uapi::IovaRange> ranges;
  for (uint32_t i = 0; i < list.Length(); i++) {
    const Napi::Value entry = list[i];
    if (!entry.IsObject()) throw Napi::TypeError::New(call.env(), "ranges must be objects of start and last");
    const Napi::Object range = entry.As<Napi::Object>();
    ranges.push_back({bigintFrom(range.Get("start"), "start"), bigintFrom(range.Get("last"), "last")});
  }
  uapi::IoasAllowIovas command{};
  command.ioas = ioas;
  command.count = static_cast<uint32_t>(ranges.size());
  command.ranges = reinterpret_cast<uintptr_t>(ranges.data());
  iommufd->run(command);
  return call.undefined();
}

Napi::Value ioasNoIommuGetPa(Call& call) {
  const auto iommufd = call.handle<IommufdFile>(0, "iommufd");
  uapi::IoasNoIommuGetPa command{};
  command.ioas = call.u32(1, "ioas");
  command.iova = call.bigint(2, "iova");
  command.length = call.bigint(3, "length");
  iommufd->run(command);
  Napi::Object result = Napi::Object::New(call.env());
  result.Set("physical", Napi::BigInt::New(call.env(), uint64_t{command.physical}));
  result.Set("length", Napi::BigInt::New(call.env(), uint64_t{command.length}));
  return result;
}

}  // namespace

void exportIoas(Exports& exports) {
  exports.add<ioasAlloc>("ioasAlloc");
  exports.add<ioasIovaRanges>("ioasIovaRanges");
  exports.add<ioasAllowIovas>("ioasAllowIovas");
  exports.add<ioasNoIommuGetPa>("ioasNoIommuGetPa");
}

}  // namespace vfio
