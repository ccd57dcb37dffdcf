#include "display.h"

#include "device.h"
#include "file.h"
#include "sys.h"
#include "uapi.h"

namespace vfio {
namespace {

Napi::Value queryGfxPlane(Call& call) {
  const auto device = call.handle<DeviceFile>(0, "device");
  vfio_device_gfx_plane_info info{};
  info.argsz = sizeof info;
  info.flags = call.u32(1, "flags");
  info.drm_plane_type = call.u32(2, "planeType");
  sys::ioctl(call.context().seam, device->fd.use()->get(), VFIO_DEVICE_QUERY_GFX_PLANE,
             "VFIO_DEVICE_QUERY_GFX_PLANE", &info, device->path);
  Napi::Object result = Napi::Object::New(call.env());
  result.Set("flags", info.flags);
  result.Set("drmPlaneType", info.drm_plane_type);
  result.Set("drmFormat", info.drm_format);
  result.Set("drmFormatModifier", Napi::BigInt::New(call.env(), uint64_t{info.drm_format_mod}));
  result.Set("width", info.width);
  result.Set("height", info.height);
  result.Set("stride", info.stride);
  result.Set("size", info.size);
  result.Set("x", info.x_pos);
  result.Set("y", info.y_pos);
  result.Set("hotX", info.x_hot);
  result.Set("hotY", info.y_hot);
  result.Set("regionOrDmaBuf", info.region_index);
  return result;
}

Napi::Value getGfxDmaBuf(Call& call) {
  const auto device = call.handle<DeviceFile>(0, "device");
  const uint32_t id = call.u32(1, "dmaBufId");
  const int fd = sys::ioctl(call.context().seam, device->fd.use()->get(), VFIO_DEVICE_GET_GFX_DMABUF,
                            "VFIO_DEVICE_GET_GFX_DMABUF", &id, device->path);
  return wrap(call.env(), ownFile(call.context(), fd));
}

}  // namespace

void exportDisplay(Exports& exports) {
  exports.add<queryGfxPlane>("queryGfxPlane");
  exports.add<getGfxDmaBuf>("getGfxDmaBuf");
}

}  // namespace vfio
