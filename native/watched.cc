#include "watched.h"

#include <sys/epoll.h>

#include "direct.h"

namespace vfio {

void Watched::close() noexcept {
  const FdRef taken = fd.take();
  if (!taken) return;
  if (epoll) ::epoll_ctl(epoll->get(), EPOLL_CTL_DEL, taken->get(), nullptr);
  epoll.reset();
  if (direct != nullptr) std::exchange(direct, nullptr)->abandon();
  forget();
}

}  // namespace vfio
