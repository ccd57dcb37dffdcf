#include "device.h"

#include <algorithm>

#include "bar.h"
#include "blocking.h"
#include "info.h"
#include "quiesce.h"
#include "sys.h"
#include "uapi.h"

namespace vfio {

void DeviceFile::admitted(int number, std::shared_ptr<Resource> owner) noexcept {
  const int64_t config = findPciConfig(context().seam, number);
  std::lock_guard<std::mutex> lock(mutex_);
  // Closed in the meantime: the last reference to the descriptor is the caller's.
  if (!fd.peek()) return;
  config_ = config;
  owner_.swap(owner);
}

void DeviceFile::noteIrq(uint32_t index, bool enabled) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (enabled) {
    enabledIrqs_.insert(index);
  } else {
    enabledIrqs_.erase(index);
  }
}

void DeviceFile::quiesce() noexcept {
  const FdRef device = fd.peek();
  if (!device) return;
  std::set<uint32_t> irqs;
  int64_t config = -1;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    irqs.swap(enabledIrqs_);
    config = config_;
  }
  for (const uint32_t index : irqs) disableIrq(context().seam, device->get(), index);
  // Where it could not be found out when the device was opened.
  if (config < 0) config = findPciConfig(context().seam, device->get());
  if (config >= 0) clearBusMaster(context().seam, device->get(), static_cast<uint64_t>(config));
}

std::vector<std::shared_ptr<BarMapping>> DeviceFile::mappings() const {
  auto bars = context().live<BarMapping>();
  const auto foreign = [this](const auto& bar) { return bar->device().get() != this; };
  bars.erase(std::remove_if(bars.begin(), bars.end(), foreign), bars.end());
  return bars;
}

void DeviceFile::refuse() noexcept {
  fd.refuse();
  for (const auto& bar : mappings()) bar->refuse();
}

bool DeviceFile::dead() const {
  const auto bars = mappings();
  return std::any_of(bars.begin(), bars.end(), [](const auto& bar) { return bar->deaths() != 0; });
}

uint32_t DeviceFile::revive() {
  uint32_t revived = 0;
  for (const auto& bar : mappings()) revived += bar->revive() ? 1 : 0;
  return revived;
}

void DeviceFile::release() noexcept {
  if (!fd.peek()) return;
  fd.drain();
  quiesce();
  // A mapping holds the kernel's device as much as the descriptor does.
  for (const auto& bar : mappings()) bar->release();
  if (!fd.take()) return;
  std::shared_ptr<Resource> owner;
  {
    // Let go of outside the lock: it may be the last reference.
    std::lock_guard<std::mutex> lock(mutex_);
    owner.swap(owner_);
  }
  forget();
}

namespace {

Napi::Value deviceGetInfo(Call& call) {
  const auto device = call.handle<DeviceFile>(0, "device");
  const auto block = InfoBlock::query(call.context().seam, device->fd.use()->get(), VFIO_DEVICE_GET_INFO,
                                      "VFIO_DEVICE_GET_INFO", device->path, vfio_device_info{});
  const auto info = block.as<vfio_device_info>();
  Napi::Object result = Napi::Object::New(call.env());
  result.Set("flags", info.flags);
  result.Set("regionCount", info.num_regions);
  result.Set("irqCount", info.num_irqs);
  result.Set(
      "capabilities",
      block.capabilities(call.env(), (info.flags & VFIO_DEVICE_FLAGS_CAPS) != 0 ? info.cap_offset : 0));
  return result;
}

Napi::Value deviceGetRegionInfo(Call& call) {
  const auto device = call.handle<DeviceFile>(0, "device");
  vfio_region_info request{};
  request.index = call.u32(1, "index");
  const auto block =
      InfoBlock::query(call.context().seam, device->fd.use()->get(), VFIO_DEVICE_GET_REGION_INFO,
                       "VFIO_DEVICE_GET_REGION_INFO", device->path, request);
  const auto info = block.as<vfio_region_info>();
  Napi::Object result = Napi::Object::New(call.env());
  result.Set("flags", info.flags);
  result.Set("size", static_cast<double>(info.size));
  result.Set("fileOffset", static_cast<double>(info.offset));
  result.Set(
      "capabilities",
      block.capabilities(call.env(), (info.flags & VFIO_REGION_INFO_FLAG_CAPS) != 0 ? info.cap_offset : 0));
  return result;
}

Napi::Value deviceGetIrqInfo(Call& call) {
  const auto device = call.handle<DeviceFile>(0, "device");
  vfio_irq_info info{};
  info.argsz = sizeof info;
  info.index = call.u32(1, "index");
  sys::ioctl(call.context().seam, device->fd.use()->get(), VFIO_DEVICE_GET_IRQ_INFO,
             "VFIO_DEVICE_GET_IRQ_INFO", &info, device->path);
  Napi::Object result = Napi::Object::New(call.env());
  result.Set("flags", info.flags);
  result.Set("count", info.count);
  return result;
}

Napi::Value undefinedOf(Napi::Env env, bool) {
  return env.Undefined();
}

Napi::Value deviceReset(Call& call) {
  const auto device = call.handle<DeviceFile>(0, "device");
  return blocking(
      call, call.boolean(1, "async"),
      [device, fd = device->fd.use()] {
        sys::ioctl(device->context().seam, fd->get(), VFIO_DEVICE_RESET, "VFIO_DEVICE_RESET", nullptr,
                   device->path);
        return true;
      },
      undefinedOf);
}

Napi::Value deviceDead(Call& call) {
  return Napi::Boolean::New(call.env(), call.handle<DeviceFile>(0, "device")->dead());
}

Napi::Value deviceRevive(Call& call) {
  return Napi::Number::New(call.env(), call.handle<DeviceFile>(0, "device")->revive());
}

Napi::Value deviceQuiesce(Call& call) {
  call.handle<DeviceFile>(0, "device")->quiesce();
  return call.undefined();
}

Napi::Value deviceClose(Call& call) {
  const auto device = call.handle<DeviceFile>(0, "device");
  const bool async = call.boolean(1, "async");
  device->refuse();
  return blocking(
      call, async,
      [device] {
        device->release();
        return true;
      },
      undefinedOf);
}

}  // namespace

void exportDevice(Exports& exports) {
  exports.add<deviceGetInfo>("deviceGetInfo");
  exports.add<deviceGetRegionInfo>("deviceGetRegionInfo");
  exports.add<deviceGetIrqInfo>("deviceGetIrqInfo");
  exports.add<deviceReset>("deviceReset");
  exports.add<deviceDead>("deviceDead");
  exports.add<deviceRevive>("deviceRevive");
  exports.add<deviceQuiesce>("deviceQuiesce");
  exports.add<deviceClose>("deviceClose");
}

}  // namespace vfio
