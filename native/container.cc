#include "container.h"

#include <fcntl.h>

#include "dma.h"
#include "errors.h"
#include "info.h"
#include "iommufd.h"
#include "sys.h"
#include "uapi.h"

namespace vfio {

void ContainerFile::release() noexcept {
  if (!fd.peek()) return;
  fd.drain();
  releaseMappings(*this);
  if (!fd.take()) return;
  // Where unmapping failed, the kernel does it with the container's last descriptor.
  forgetMappings(*this);
  forget();
}

uint64_t ContainerFile::map(int fd, const MapRequest& request) const {
  vfio_iommu_type1_dma_map map{};
  map.argsz = sizeof map;
  map.flags = request.access;
  map.vaddr = request.address;
  map.iova = *request.iova;
  map.size = request.length;
  sys::ioctl(context().seam, fd, VFIO_IOMMU_MAP_DMA, "VFIO_IOMMU_MAP_DMA", &map, path);
  return map.iova;
}

uint64_t ContainerFile::unmap(int fd, uint64_t iova, uint64_t length) const {
  vfio_iommu_type1_dma_unmap unmap{};
  unmap.argsz = sizeof unmap;
  unmap.iova = iova;
  unmap.size = length;
  return unmapBy(fd, unmap);
}

uint64_t ContainerFile::unmapBy(int fd, vfio_iommu_type1_dma_unmap& request) const {
  try {
    sys::ioctl(context().seam, fd, VFIO_IOMMU_UNMAP_DMA, "VFIO_IOMMU_UNMAP_DMA", &request, path);
  } catch (const SysError& failure) {
    // The kernel drops the IOMMU, and all mappings with it, when the last group leaves the container: also by
    // itself, when the group's last device leaves vfio-pci.
    if (failure.error() != EINVAL || hasIommu(fd)) throw;
    return 0;
  }
  return request.size;
}

bool ContainerFile::hasIommu(int fd) const noexcept {
  vfio_iommu_type1_info info{};
  info.argsz = sizeof info;
  return sys::tryIoctl(context().seam, fd, VFIO_IOMMU_GET_INFO, "VFIO_IOMMU_GET_INFO", &info) >= 0;
}

namespace {

Napi::Value containerOpen(Call& call) {
  const std::string path = call.string(0, "path");
  const int fd = sys::open(call.context().seam, path, O_RDWR);
  return wrap(call.env(), call.context().make<ContainerFile>(fd, path));
}

Napi::Value containerFromIommufd(Call& call) {
  const auto iommufd = call.handle<IommufdFile>(0, "iommufd");
  const int fd = sys::duplicate(call.context().seam, iommufd->fd.use()->get(), iommufd->path);
  return wrap(call.env(), call.context().make<ContainerFile>(fd, iommufd->path));
}

Napi::Value containerGetApiVersion(Call& call) {
  const auto container = call.handle<ContainerFile>(0, "container");
  const int version = sys::ioctl(call.context().seam, container->fd.use()->get(), VFIO_GET_API_VERSION,
                                 "VFIO_GET_API_VERSION", nullptr, container->path);
  return Napi::Number::New(call.env(), version);
}

Napi::Value containerCheckExtension(Call& call) {
  const auto container = call.handle<ContainerFile>(0, "container");
  const uintptr_t extension = call.u32(1, "extension");
  const int supported =
      sys::ioctl(call.context().seam, container->fd.use()->get(), VFIO_CHECK_EXTENSION,
                 "VFIO_CHECK_EXTENSION", reinterpret_cast<const void*>(extension), container->path);
  return Napi::Number::New(call.env(), supported);
}

Napi::Value containerSetIommu(Call& call) {
  const auto container = call.handle<ContainerFile>(0, "container");
  const uintptr_t type = call.u32(1, "type");
  sys::ioctl(call.context().seam, container->fd.use()->get(), VFIO_SET_IOMMU, "VFIO_SET_IOMMU",
             reinterpret_cast<const void*>(type), container->path);
  return call.undefined();
}

Napi::Value containerGetIommuInfo(Call& call) {
  const auto container = call.handle<ContainerFile>(0, "container");
  const auto block = InfoBlock::query(call.context().seam, container->fd.use()->get(), VFIO_IOMMU_GET_INFO,
                                      "VFIO_IOMMU_GET_INFO", container->path, vfio_iommu_type1_info{});
  const auto info = block.as<vfio_iommu_type1_info>();
  Napi::Object result = Napi::Object::New(call.env());
  result.Set("flags", info.flags);
  result.Set("pageSizes", Napi::BigInt::New(call.env(), uint64_t{info.iova_pgsizes}));
  result.Set("capabilities",
             block.capabilities(call.env(), (info.flags & VFIO_IOMMU_INFO_CAPS) != 0 ? info.cap_offset : 0));
  return result;
}

Napi::Value containerClose(Call& call) {
  call.handle<ContainerFile>(0, "container")->release();
  return call.undefined();
}

}  // namespace

void exportContainer(Exports& exports) {
  exports.add<containerOpen>("containerOpen");
  exports.add<containerFromIommufd>("containerFromIommufd");
  exports.add<containerGetApiVersion>("containerGetApiVersion");
  exports.add<containerCheckExtension>("containerCheckExtension");
  exports.add<containerSetIommu>("containerSetIommu");
  exports.add<containerGetIommuInfo>("containerGetIommuInfo");
  exports.add<containerClose>("containerClose");
}

}  // namespace vfio
