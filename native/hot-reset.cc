#include "hot-reset.h"

#include <cerrno>
#include <cstring>
#include <vector>

#include "blocking.h"
#include "device.h"
#include "group.h"
#include "sys.h"
#include "uapi.h"

namespace vfio {
namespace {

/** A bus has 256 functions, and a hot reset may reach the buses below; more would be a kernel's mistake. */
constexpr uint32_t kMaxDevices = 1 << 16;

template <typename T>
T at(const std::vector<uint8_t>& buffer, size_t offset) {
  T value;
  std::memcpy(&value, buffer.data() + offset, sizeof value);
  return value;
}

/** The header and as many devices as it says. */
std::vector<uint8_t> queryHotReset(const DeviceFile& device) {
  const FdRef fd = device.fd.use();
  uint32_t room = 8;
  for (;;) {
    std::vector<uint8_t> buffer(sizeof(vfio_pci_hot_reset_info) + room * sizeof(vfio_pci_dependent_device));
    const auto size = static_cast<uint32_t>(buffer.size());
    std::memcpy(buffer.data(), &size, sizeof size);
    uint32_t count = 0;
    try {
      sys::ioctl(device.context().seam, fd->get(), VFIO_DEVICE_GET_PCI_HOT_RESET_INFO,
                 "VFIO_DEVICE_GET_PCI_HOT_RESET_INFO", buffer.data(), device.path);
      count = at<vfio_pci_hot_reset_info>(buffer, 0).count;
      if (count <= room) return buffer;
    } catch (const SysError& error) {
      count = at<vfio_pci_hot_reset_info>(buffer, 0).count;
      if (error.error() != ENOSPC || count <= room) throw;
    }
    if (count > kMaxDevices) {
      throw badAnswer("VFIO_DEVICE_GET_PCI_HOT_RESET_INFO", device.path, std::to_string(count) + " devices");
    }
    room = count;
  }
}

Napi::Value hotResetInfo(Call& call) {
  const auto device = call.handle<DeviceFile>(0, "device");
  const std::vector<uint8_t> buffer = queryHotReset(*device);
  const auto info = at<vfio_pci_hot_reset_info>(buffer, 0);
  Napi::Array devices = Napi::Array::New(call.env(), info.count);
  for (uint32_t i = 0; i < info.count; i++) {
    const auto entry =
        at<vfio_pci_dependent_device>(buffer, sizeof info + i * sizeof(vfio_pci_dependent_device));
    Napi::Object object = Napi::Object::New(call.env());
    // As a device id it is signed: -1 is a device somebody else has.
    object.Set("id", (info.flags & uapi::kHotResetDeviceIds) != 0
                         ? Napi::Number::New(call.env(), static_cast<int32_t>(entry.group_id))
                         : Napi::Number::New(call.env(), entry.group_id));
    object.Set("segment", entry.segment);
    object.Set("bus", entry.bus);
    object.Set("devfn", entry.devfn);
    devices.Set(i, object);
  }
  Napi::Object result = Napi::Object::New(call.env());
  result.Set("flags", info.flags);
  result.Set("devices", devices);
  return result;
}

void resetWith(const DeviceFile& device, int fd, const std::vector<FdRef>& groups) {
  std::vector<uint8_t> buffer(sizeof(vfio_pci_hot_reset) + groups.size() * sizeof(int32_t));
  vfio_pci_hot_reset header{};
  header.argsz = static_cast<uint32_t>(buffer.size());
  header.count = static_cast<uint32_t>(groups.size());
  std::memcpy(buffer.data(), &header, sizeof header);
  for (size_t i = 0; i < groups.size(); i++) {
    const int32_t number = groups[i]->get();
    std::memcpy(buffer.data() + sizeof header + i * sizeof number, &number, sizeof number);
  }
  sys::ioctl(device.context().seam, fd, VFIO_DEVICE_PCI_HOT_RESET, "VFIO_DEVICE_PCI_HOT_RESET", buffer.data(),
             device.path);
}

Napi::Value hotReset(Call& call) {
  const auto device = call.handle<DeviceFile>(0, "device");
  const Napi::Array list = call.array(1, "groups");
  if (list.Length() > kMaxDevices) {
    throw Napi::TypeError::New(call.env(),
                               "groups must have at most " + std::to_string(kMaxDevices) + " entries");
  }
  std::vector<FdRef> groups;
  for (uint32_t i = 0; i < list.Length(); i++) {
    const Napi::Value entry = list[i];
    groups.push_back(std::static_pointer_cast<GroupFile>(unwrap(entry, Kind::Group, "groups"))->fd.use());
  }
  return blocking(
      call, call.boolean(2, "async"),
      [device, fd = device->fd.use(), groups = std::move(groups)] {
        resetWith(*device, fd->get(), groups);
        return true;
      },
      [](Napi::Env env, bool) { return env.Undefined(); });
}

}  // namespace

void exportHotReset(Exports& exports) {
  exports.add<hotResetInfo>("hotResetInfo");
  exports.add<hotReset>("hotReset");
}

}  // namespace vfio
