#pragma once

#include "share.h"
#include "watched.h"

namespace vfio {

class Exports;

/** A counter that the kernel or a device's interrupt adds to, and that can be waited for. */
class EventFd final : public Watched {
 public:
  static constexpr Kind kKind = Kind::EventFd;

  EventFd(std::shared_ptr<Context> context, int fd) : Watched(kKind, std::move(context), "eventfd", fd) {}
  ~EventFd() override { release(); }

  void release() noexcept override;
  /** It is a descriptor of what `share` lends, and is given back with it; returns as `Share::take` does. */
  int64_t borrow(const std::shared_ptr<Share>& share, int64_t thread);

 private:
  /** On the environment's thread. */
  std::shared_ptr<Share> share_;
};

void exportEventFd(Exports& exports);

}  // namespace vfio
