#pragma once

#include "fd.h"
#include "resource.h"

namespace vfio {

class Exports;

/** A counter that the kernel or a device's interrupt adds to, and that can be waited for. */
class EventFd final : public Resource {
 public:
  static constexpr Kind kKind = Kind::EventFd;

  EventFd(std::shared_ptr<Context> context, int fd)
      : Resource(kKind, std::move(context)), fd("eventfd", fd) {}
  ~EventFd() override { release(); }

  /** Leaves the loop first: what an epoll watches must not be closed under it. */
  void release() noexcept override;

  SharedFd fd;
  /** The epoll that watches it, if any. On the environment's thread. */
  FdRef epoll;
};

void exportEventFd(Exports& exports);

}  // namespace vfio
