#include "group.h"

#include <fcntl.h>

#include "blocking.h"
#include "device.h"
#include "sys.h"
#include "uapi.h"

namespace vfio {

void GroupFile::attachTo(std::shared_ptr<ContainerFile> container) noexcept {
  // What was held until now is let go outside the lock: it may be the last reference.
  std::lock_guard<std::mutex> lock(mutex_);
  container_.swap(container);
}

void GroupFile::release() noexcept {
  if (!fd.peek()) return;
  fd.drain();
  if (!fd.take()) return;
  attachTo(nullptr);
  forget();
}

namespace {

Napi::Value groupOpen(Call& call) {
  const std::string path = call.string(0, "path");
  const int fd = sys::open(call.context().seam, path, O_RDWR);
  return wrap(call.env(), call.context().make<GroupFile>(fd, path));
}

Napi::Value groupGetStatus(Call& call) {
  const auto group = call.handle<GroupFile>(0, "group");
  vfio_group_status status{};
  status.argsz = sizeof status;
  sys::ioctl(call.context().seam, group->fd.use()->get(), VFIO_GROUP_GET_STATUS, "VFIO_GROUP_GET_STATUS",
             &status, group->path);
  return Napi::Number::New(call.env(), status.flags);
}

Napi::Value groupSetContainer(Call& call) {
  const auto group = call.handle<GroupFile>(0, "group");
  const auto container = call.handle<ContainerFile>(1, "container");
  const FdRef fd = container->fd.use();
  const int number = fd->get();
  sys::ioctl(call.context().seam, group->fd.use()->get(), VFIO_GROUP_SET_CONTAINER,
             "VFIO_GROUP_SET_CONTAINER", &number, group->path);
  group->attachTo(container);
  return call.undefined();
}

Napi::Value groupUnsetContainer(Call& call) {
  const auto group = call.handle<GroupFile>(0, "group");
  sys::ioctl(call.context().seam, group->fd.use()->get(), VFIO_GROUP_UNSET_CONTAINER,
             "VFIO_GROUP_UNSET_CONTAINER", nullptr, group->path);
  group->attachTo(nullptr);
  return call.undefined();
}

std::shared_ptr<DeviceFile> openDevice(const std::shared_ptr<GroupFile>& group, int fd,
                                       const std::string& name) {
  // What may follow the address is a VF token: a secret, which has no place in an error.
  std::string address = name.substr(0, name.find(' '));
  Context& context = group->context();
  const int device = sys::ioctl(context.seam, fd, VFIO_GROUP_GET_DEVICE_FD, "VFIO_GROUP_GET_DEVICE_FD",
                                name.c_str(), address);
  auto opened = context.make<DeviceFile>(device, std::move(address));
  opened->admitted(device, group);
  return opened;
}

Napi::Value groupGetDeviceFd(Call& call) {
  const auto group = call.handle<GroupFile>(0, "group");
  const std::string name = call.string(1, "name");
  return blocking(
      call, call.boolean(2, "async"),
      [group, fd = group->fd.use(), name] { return openDevice(group, fd->get(), name); },
      [](Napi::Env env, std::shared_ptr<DeviceFile> device) { return wrap(env, std::move(device)); });
}

Napi::Value groupClose(Call& call) {
  call.handle<GroupFile>(0, "group")->release();
  return call.undefined();
}

}  // namespace

void exportGroup(Exports& exports) {
  exports.add<groupOpen>("groupOpen");
  exports.add<groupGetStatus>("groupGetStatus");
  exports.add<groupSetContainer>("groupSetContainer");
  exports.add<groupUnsetContainer>("groupUnsetContainer");
  exports.add<groupGetDeviceFd>("groupGetDeviceFd");
  exports.add<groupClose>("groupClose");
}

}  // namespace vfio
