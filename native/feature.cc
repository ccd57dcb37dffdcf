#include "feature.h"

#include <cstring>
#include <vector>

#include "blocking.h"
#include "device.h"
#include "file.h"
#include "sys.h"
#include "uapi.h"

namespace vfio {
namespace {

/** One `struct vfio_device_feature` with its payload. */
class Feature {
 public:
  Feature(uint32_t flags, const Bytes& payload) : buffer_(kHeader + payload.length) {
    vfio_device_feature header{};
    header.argsz = static_cast<uint32_t>(buffer_.size());
    header.flags = flags;
    std::memcpy(buffer_.data(), &header, kHeader);
    if (payload.length > 0) std::memcpy(buffer_.data() + kHeader, payload.data, payload.length);
  }

  void run(const DeviceFile& device, int fd) {
    result_ = sys::ioctl(device.context().seam, fd, VFIO_DEVICE_FEATURE, "VFIO_DEVICE_FEATURE",
                         buffer_.data(), device.path);
  }
  Napi::Value answer(Napi::Env env) const {
    const size_t length = buffer_.size() - kHeader;
    Napi::Uint8Array payload = Napi::Uint8Array::New(env, length);
    if (length > 0) std::memcpy(payload.Data(), buffer_.data() + kHeader, length);
    Napi::Object answer = Napi::Object::New(env);
    answer.Set("result", result_);
    answer.Set("payload", payload);
    return answer;
  }

 private:
  static constexpr size_t kHeader = sizeof(vfio_device_feature);
  std::vector<uint8_t> buffer_;
  /** A file's number, of the features that answer with one. */
  int result_ = 0;
};

Napi::Value deviceFeature(Call& call) {
  const auto device = call.handle<DeviceFile>(0, "device");
  Feature feature(call.u32(1, "flags"), call.bytes(2, "payload"));
  return blocking(
      call, call.boolean(3, "async"),
      [device, fd = device->fd.use(), feature = std::move(feature)]() mutable {
        feature.run(*device, fd->get());
        return std::move(feature);
      },
      [](Napi::Env env, const Feature& feature) { return feature.answer(env); });
}

Napi::Value migrationPrecopyInfo(Call& call) {
  const auto file = call.handle<KernelFile>(0, "file");
  uapi::PrecopyInfo info{};
  info.argsz = sizeof info;
  sys::ioctl(call.context().seam, file->fd.use()->get(), uapi::PrecopyInfo::kRequest,
             uapi::PrecopyInfo::kName, &info, {});
  Napi::Object result = Napi::Object::New(call.env());
  result.Set("flags", info.flags);
  result.Set("initial", Napi::BigInt::New(call.env(), uint64_t{info.initialBytes}));
  result.Set("dirty", Napi::BigInt::New(call.env(), uint64_t{info.dirtyBytes}));
  return result;
}

}  // namespace

void exportFeature(Exports& exports) {
  exports.add<deviceFeature>("deviceFeature");
  exports.add<migrationPrecopyInfo>("migrationPrecopyInfo");
}

}  // namespace vfio
