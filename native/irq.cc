#include "irq.h"

#include <cerrno>
#include <cstring>
#include <vector>

#include "device.h"
#include "eventfd.h"
#include "sys.h"
#include "uapi.h"

namespace vfio {
namespace {

/** One `struct vfio_irq_set` with its payload: 2048 vectors take 8 KiB, so it lives on the heap. Returns the
 * ioctl's own result. */
int setIrqs(DeviceFile& device, uint32_t flags, uint32_t index, uint32_t start, uint32_t count,
            const void* payload = nullptr, size_t payloadSize = 0) {
  std::vector<uint8_t> buffer(sizeof(vfio_irq_set) + payloadSize);
  vfio_irq_set header{};
  header.argsz = static_cast<uint32_t>(buffer.size());
  header.flags = flags;
  header.index = index;
  header.start = start;
  header.count = count;
  std::memcpy(buffer.data(), &header, sizeof header);
  if (payloadSize > 0) std::memcpy(buffer.data() + sizeof header, payload, payloadSize);
  return sys::ioctl(device.context().seam, device.fd.use()->get(), VFIO_DEVICE_SET_IRQS,
                    "VFIO_DEVICE_SET_IRQS", buffer.data(), device.path);
}

/** Far above any device's 2048 vectors, and small enough to be copied without a thought. */
constexpr uint32_t kMaxVectors = 1 << 16;

uint32_t actionFrom(Call& call, size_t index) {
  const std::string action = call.string(index, "action");
  if (action == "mask") return VFIO_IRQ_SET_ACTION_MASK;
  if (action == "unmask") return VFIO_IRQ_SET_ACTION_UNMASK;
  if (action == "trigger") return VFIO_IRQ_SET_ACTION_TRIGGER;
  throw Napi::TypeError::New(call.env(), "action must be 'mask', 'unmask' or 'trigger'");
}

Napi::Value irqSetEventFds(Call& call) {
  const auto device = call.handle<DeviceFile>(0, "device");
  const uint32_t index = call.u32(1, "index");
  const uint32_t start = call.u32(2, "start");
  const Napi::Array list = call.array(3, "eventfds");
  const uint32_t count = list.Length();
  if (count == 0 || count > kMaxVectors) {
    throw Napi::TypeError::New(call.env(),
                               "eventfds must have 1 to " + std::to_string(kMaxVectors) + " entries");
  }
  std::vector<int32_t> numbers(count, -1);
  std::vector<FdRef> held(count);
  bool any = false;
  for (uint32_t i = 0; i < count; i++) {
    const Napi::Value entry = list[i];
    if (entry.IsNull()) continue;
    held[i] = std::static_pointer_cast<EventFd>(unwrap(entry, Kind::EventFd, "eventfds"))->fd.use();
    numbers[i] = held[i]->get();
    any = true;
  }
  const int available = setIrqs(*device, VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER, index,
                                start, count, numbers.data(), numbers.size() * sizeof(int32_t));
  if (available > 0) {
    // The kernel's way to say that it enabled none, because there are not as many as asked for.
    throw SysError(ENOSPC, "VFIO_DEVICE_SET_IRQS", device->path,
                   "only " + std::to_string(available) + " vectors are available");
  }
  if (any) device->noteIrq(index, true);
  return call.undefined();
}

Napi::Value irqDisable(Call& call) {
  const auto device = call.handle<DeviceFile>(0, "device");
  const uint32_t index = call.u32(1, "index");
  setIrqs(*device, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER, index, 0, 0);
  device->noteIrq(index, false);
  return call.undefined();
}

Napi::Value irqAction(Call& call) {
  const auto device = call.handle<DeviceFile>(0, "device");
  const uint32_t index = call.u32(1, "index");
  const uint32_t action = actionFrom(call, 2);
  const uint32_t start = call.u32(3, "start");
  // Count 0 with "trigger" would be `irqDisable`, unnoticed by the bookkeeping.
  const auto count = static_cast<uint32_t>(call.integer(4, "count", 1, kMaxVectors));
  setIrqs(*device, VFIO_IRQ_SET_DATA_NONE | action, index, start, count);
  return call.undefined();
}

Napi::Value irqActionEach(Call& call) {
  const auto device = call.handle<DeviceFile>(0, "device");
  const uint32_t index = call.u32(1, "index");
  const uint32_t action = actionFrom(call, 2);
  const uint32_t start = call.u32(3, "start");
  const Bytes which = call.bytes(4, "which");
  if (which.length == 0 || which.length > kMaxVectors) {
    throw Napi::TypeError::New(call.env(), "which must have 1 to " + std::to_string(kMaxVectors) + " bytes");
  }
  setIrqs(*device, VFIO_IRQ_SET_DATA_BOOL | action, index, start, static_cast<uint32_t>(which.length),
          which.data, which.length);
  return call.undefined();
}

Napi::Value irqSetUnmaskEventFd(Call& call) {
  const auto device = call.handle<DeviceFile>(0, "device");
  const uint32_t index = call.u32(1, "index");
  FdRef held;
  if (!call.value(2).IsNull()) held = call.handle<EventFd>(2, "eventfd")->fd.use();
  const int32_t number = held ? held->get() : -1;
  setIrqs(*device, VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_UNMASK, index, 0, 1, &number,
          sizeof number);
  return call.undefined();
}

}  // namespace

void exportIrq(Exports& exports) {
  exports.add<irqSetEventFds>("irqSetEventFds");
  exports.add<irqDisable>("irqDisable");
  exports.add<irqAction>("irqAction");
  exports.add<irqActionEach>("irqActionEach");
  exports.add<irqSetUnmaskEventFd>("irqSetUnmaskEventFd");
}

}  // namespace vfio
