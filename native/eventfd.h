#pragma once

#include "watched.h"

namespace vfio {

class Exports;

/** A counter that the kernel or a device's interrupt adds to, and that can be waited for. */
class EventFd final : public Watched {
 public:
  static constexpr Kind kKind = Kind::EventFd;

  EventFd(std::shared_ptr<Context> context, int fd) : Watched(kKind, std::move(context), "eventfd", fd) {}
  ~EventFd() override { release(); }

  void release() noexcept override { close(); }
};

void exportEventFd(Exports& exports);

}  // namespace vfio
