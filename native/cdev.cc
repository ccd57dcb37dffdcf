#include "cdev.h"

#include <fcntl.h>

#include <array>
#include <cstring>

#include "blocking.h"
#include "device.h"
#include "iommufd.h"
#include "sys.h"
#include "uapi.h"

namespace vfio {
namespace {

/** A UUID, as VFIO_DEVICE_FEATURE_PCI_VF_TOKEN takes it. */
using Token = std::array<uint8_t, 16>;

Napi::Value deviceOpenCdev(Call& call) {
  const std::string path = call.string(0, "path");
  return blocking(
      call, call.boolean(1, "async"),
      [context = call.context().shared_from_this(), path] {
        return context->make<DeviceFile>(sys::open(context->seam, path, O_RDWR), path);
      },
      [](Napi::Env env, std::shared_ptr<DeviceFile> device) { return wrap(env, std::move(device)); });
}

uint32_t bind(const std::shared_ptr<DeviceFile>& device, int fd, const std::shared_ptr<IommufdFile>& iommufd,
              int number, const std::optional<Token>& token) {
  uapi::BindIommufd request{};
  request.argsz = sizeof request;
  request.iommufd = number;
  if (token) {
    request.flags = uapi::BindIommufd::kToken;
    request.token = reinterpret_cast<uintptr_t>(token->data());
  }
  sys::ioctl(device->context().seam, fd, uapi::BindIommufd::kRequest, uapi::BindIommufd::kName, &request,
             device->path);
  device->admitted(fd, iommufd);
  return request.deviceId;
}

std::optional<Token> tokenFrom(Call& call, size_t index) {
  if (call.value(index).IsNull()) return std::nullopt;
  const Bytes bytes = call.bytes(index, "token");
  Token token{};
  if (bytes.length != token.size()) throw Napi::TypeError::New(call.env(), "token must have 16 bytes");
  std::memcpy(token.data(), bytes.data, token.size());
  return token;
}

Napi::Value deviceBindIommufd(Call& call) {
  const auto device = call.handle<DeviceFile>(0, "device");
  const auto iommufd = call.handle<IommufdFile>(1, "iommufd");
  const std::optional<Token> token = tokenFrom(call, 2);
  return blocking(
      call, call.boolean(3, "async"),
      [device, fd = device->fd.use(), iommufd, owner = iommufd->fd.use(), token] {
        return bind(device, fd->get(), iommufd, owner->get(), token);
      },
      [](Napi::Env env, uint32_t id) -> Napi::Value { return Napi::Number::New(env, id); });
}

Napi::Value deviceAttach(Call& call) {
  const auto device = call.handle<DeviceFile>(0, "device");
  uapi::AttachPageTable request{};
  // Kernels before 6.15 know the part before the PASID.
  request.argsz = offsetof(uapi::AttachPageTable, pasid);
  request.pageTable = call.u32(1, "pageTableId");
  if (const auto pasid = call.u32OrNull(2, "pasid")) {
    request.argsz = sizeof request;
    request.flags = uapi::AttachPageTable::kPasid;
    request.pasid = *pasid;
  }
  sys::ioctl(call.context().seam, device->fd.use()->get(), uapi::AttachPageTable::kRequest,
             uapi::AttachPageTable::kName, &request, device->path);
  return Napi::Number::New(call.env(), request.pageTable);
}

Napi::Value deviceDetach(Call& call) {
  const auto device = call.handle<DeviceFile>(0, "device");
  uapi::DetachPageTable request{};
  request.argsz = offsetof(uapi::DetachPageTable, pasid);
  if (const auto pasid = call.u32OrNull(1, "pasid")) {
    request.argsz = sizeof request;
    request.flags = uapi::DetachPageTable::kPasid;
    request.pasid = *pasid;
  }
  sys::ioctl(call.context().seam, device->fd.use()->get(), uapi::DetachPageTable::kRequest,
             uapi::DetachPageTable::kName, &request, device->path);
  return call.undefined();
}

}  // namespace

void exportCdev(Exports& exports) {
  exports.add<deviceOpenCdev>("deviceOpenCdev");
  exports.add<deviceBindIommufd>("deviceBindIommufd");
  exports.add<deviceAttach>("deviceAttach");
  exports.add<deviceDetach>("deviceDetach");
}

}  // namespace vfio
