#pragma once

#include <mutex>
#include <set>
#include <string>

#include "call.h"
#include "fd.h"
#include "group.h"

namespace vfio {

/** An open device. Holds its group, and through it the container. */
class DeviceFile final : public Resource {
 public:
  static constexpr Kind kKind = Kind::Device;

  DeviceFile(std::shared_ptr<Context> context, int fd, std::string address, std::shared_ptr<GroupFile> group);
  ~DeviceFile() override { release(); }

  /** Interrupts off, then bus mastering off. */
  void quiesce() noexcept;
  /** On the environment's thread: from here on every call and every BAR accessor refuses. */
  void refuse() noexcept;
  void release() noexcept override;

  /** What `quiesce` will have to turn off. */
  void noteIrq(uint32_t index, bool enabled);

  SharedFd fd;
  /** Names the device in errors. */
  const std::string path;

 private:
  std::mutex mutex_;
  std::set<uint32_t> enabledIrqs_;
  /** Where the PCI configuration space starts in the device's file; -1 when it has none. */
  int64_t config_ = -1;
  std::shared_ptr<GroupFile> group_;
};

void exportDevice(Exports& exports);

}  // namespace vfio
