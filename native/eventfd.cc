#include "eventfd.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "call.h"
#include "sys.h"

namespace vfio {

void EventFd::release() noexcept {
  if (!share_ && shares::revoke(*this)) {
    // Whoever waits on it in another thread wakes, and finds that it is over.
    const FdRef last = fd.peek();
    const uint64_t one = 1;
    if (last) [[maybe_unused]]
      const ssize_t written = ::write(last->get(), &one, sizeof one);
  }
  close();
  // When it is out of this environment's epoll: the lender may wait on it from now on.
  if (const auto share = std::exchange(share_, nullptr)) share->giveBack(Share::User::Borrower);
}

int64_t EventFd::borrow(const std::shared_ptr<Share>& share, int64_t thread) {
  const int64_t holder = share->take(Share::User::Borrower, thread);
  if (holder == Share::kNoThread) share_ = share;
  return holder;
}

namespace {

using Clock = std::chrono::steady_clock;

/** How long a wait may go without asking whether its worker was terminated: what `terminate()` then takes. */
constexpr int64_t kSliceMs = 100;

Napi::Value eventFdCreate(Call& call) {
  return wrap(call.env(), call.context().make<EventFd>(sys::eventfd(call.context().seam)));
}

Napi::Value eventFdSignal(Call& call) {
  const auto eventfd = call.handle<EventFd>(0, "eventfd");
  sys::signalEvents(call.context().seam, eventfd->fd.use()->get(), call.size(1, "count"));
  return call.undefined();
}

Napi::Value eventFdTake(Call& call) {
  const auto eventfd = call.handle<EventFd>(0, "eventfd");
  const uint64_t count = sys::takeEvents(call.context().seam, eventfd->fd.use()->get());
  return Napi::Number::New(call.env(), static_cast<double>(count));
}

Napi::Value eventFdWait(Call& call) {
  const auto eventfd = call.handle<EventFd>(0, "eventfd");
  const int64_t timeout = call.integer(1, "timeoutMs", -1, INT32_MAX);
  const FdRef fd = eventfd->fd.use();
  const auto deadline = Clock::now() + std::chrono::milliseconds(timeout);
  uint64_t count = 0;
  for (;;) {
    int64_t slice = kSliceMs;
    if (timeout >= 0) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
      slice = std::clamp<int64_t>(left, 0, kSliceMs);
    }
    // Another thread may have taken the count in between: then the wait goes on.
    if (sys::waitReadable(call.context().seam, fd->get(), static_cast<int>(slice))) {
      count = sys::takeEvents(call.context().seam, fd->get());
    }
    if (count != 0 || (timeout >= 0 && Clock::now() >= deadline) || !alive(call.env())) break;
  }
  return Napi::Number::New(call.env(), static_cast<double>(count));
}

Napi::Value eventFdNumber(Call& call) {
  return Napi::Number::New(call.env(), call.handle<EventFd>(0, "eventfd")->fd.use()->get());
}

Napi::Value eventFdClose(Call& call) {
  call.handle<EventFd>(0, "eventfd")->release();
  return call.undefined();
}

}  // namespace

void exportEventFd(Exports& exports) {
  exports.add<eventFdCreate>("eventFdCreate");
  exports.add<eventFdSignal>("eventFdSignal");
  exports.add<eventFdTake>("eventFdTake");
  exports.add<eventFdWait>("eventFdWait");
  exports.add<eventFdNumber>("eventFdNumber");
  exports.add<eventFdClose>("eventFdClose");
}

}  // namespace vfio
