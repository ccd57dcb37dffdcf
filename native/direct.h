#pragma once

#include <uv.h>

#include <atomic>
#include <cstdint>
#include <thread>

#include "fd.h"

namespace vfio {

class Loop;
class Seam;
class Watched;

/**
 * An eventfd under a handle of its own in the event loop, instead of with the others in the epoll of `Loop`:
 * a system call and a look into a second epoll less until its listeners hear of a signal.
 *
 * Handles belong to the thread of their loop and go late. So this object deletes itself when the loop has let
 * go of the handle, and keeps the descriptor open while the handle may look at it.
 */
class Direct {
 public:
  /** Null where libuv refuses: when something else in this environment watches the descriptor, for one. */
  static Direct* create(uv_loop_t* uv, Loop& loop, Watched& owner);
  Direct(const Direct&) = delete;
  Direct& operator=(const Direct&) = delete;

  /** Throws `SysError` when it is started already. */
  void start(Seam& seam, uint32_t id, bool readCount);
  void stop();
  /** The owner closes: any thread. On another than the loop's, the loop ends this when it next wants a
   * handle. */
  void abandon() noexcept;
  /** Whether `abandon` was called on another thread. */
  bool abandoned() const { return abandoned_; }
  /** Ends it for good. */
  void close() noexcept;

 private:
  Direct(Loop& loop, Watched& owner, FdRef fd) : loop_(loop), owner_(&owner), fd_(std::move(fd)) {}
  static void onReadable(uv_poll_t* poll, int status, int events);

  uv_poll_t poll_{};
  Loop& loop_;
  Watched* owner_;
  FdRef fd_;
  uint32_t id_ = 0;
  bool readCount_ = true;
  std::atomic<bool> abandoned_{false};
  const std::thread::id thread_ = std::this_thread::get_id();
};

}  // namespace vfio
