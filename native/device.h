#pragma once

#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "call.h"
#include "fd.h"

namespace vfio {

class BarMapping;

/** An open device. Holds what lets it in: its group, and through that the container, or its iommufd. */
class DeviceFile final : public Resource {
 public:
  static constexpr Kind kKind = Kind::Device;

  DeviceFile(std::shared_ptr<Context> context, int fd, std::string path)
      : Resource(kKind, std::move(context)), fd("device", fd), path(std::move(path)) {}
  ~DeviceFile() override { release(); }

  /** The kernel takes calls on `number`, this device's descriptor, from now on, thanks to `owner`. */
  void admitted(int number, std::shared_ptr<Resource> owner) noexcept;

  /** Interrupts off, then bus mastering off. */
  void quiesce() noexcept;
  /** On the environment's thread: from here on every call and every BAR accessor refuses. */
  void refuse() noexcept;
  void release() noexcept override;

  /** Whether any mapping of it is dead: it stopped answering. On the environment's thread, as is `revive`. */
  bool dead() const;
  /** Puts its pages back under dead mappings; returns under how many. */
  uint32_t revive();

  /** What `quiesce` will have to turn off. */
  void noteIrq(uint32_t index, bool enabled);

  SharedFd fd;
  /** Names the device in errors. */
  const std::string path;

 private:
  std::vector<std::shared_ptr<BarMapping>> mappings() const;

  std::mutex mutex_;
  std::set<uint32_t> enabledIrqs_;
  /** Where the PCI configuration space starts in the device's file; -1 when it has none or that is not known.
   */
  int64_t config_ = -1;
  std::shared_ptr<Resource> owner_;
};

void exportDevice(Exports& exports);

}  // namespace vfio
