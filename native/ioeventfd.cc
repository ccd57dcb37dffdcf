#include "ioeventfd.h"

#include "device.h"
#include "eventfd.h"
#include "sys.h"
#include "uapi.h"

namespace vfio {
namespace {

uint32_t widthFlag(Call& call, uint32_t width) {
  switch (width) {
    case 1:
      return VFIO_DEVICE_IOEVENTFD_8;
    case 2:
      return VFIO_DEVICE_IOEVENTFD_16;
    case 4:
      return VFIO_DEVICE_IOEVENTFD_32;
    case 8:
      return VFIO_DEVICE_IOEVENTFD_64;
    default:
      throw Napi::TypeError::New(call.env(), "width must be 1, 2, 4 or 8");
  }
}

Napi::Value ioEventFd(Call& call) {
  const auto device = call.handle<DeviceFile>(0, "device");
  vfio_device_ioeventfd request{};
  request.argsz = sizeof request;
  request.offset = call.size(1, "fileOffset");
  request.flags = widthFlag(call, call.u32(2, "width"));
  request.data = call.bigint(3, "value");
  FdRef held;
  if (!call.value(4).IsNull()) held = call.handle<EventFd>(4, "eventfd")->fd.use();
  request.fd = held ? held->get() : -1;
  sys::ioctl(call.context().seam, device->fd.use()->get(), VFIO_DEVICE_IOEVENTFD, "VFIO_DEVICE_IOEVENTFD",
             &request, device->path);
  return call.undefined();
}

}  // namespace

void exportIoEventFd(Exports& exports) {
  exports.add<ioEventFd>("ioEventFd");
}

}  // namespace vfio
