#pragma once

#include <napi.h>
#include <uv.h>

#include <array>
#include <functional>
#include <memory>

#include "context.h"
#include "fd.h"

namespace vfio {

class Direct;
class Exports;
class Watched;

/**
 * One epoll over all of an environment's eventfds and files, under one handle of its event loop: what fired
 * is handed over as a list, in one call, so that many interrupts cost one turn of the loop. A few eventfds
 * can have handles of their own, which is quicker for one interrupt and slower for many.
 */
class Loop {
 public:
  Loop(Napi::Env env, std::shared_ptr<Context> context) : env_(env), context_(std::move(context)) {}
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /** Returns `{ ids, counts }`. */
  Napi::Value start(Napi::Function onFired);
  /**
   * An eventfd, of whose count each change is told once; with `readCount` the count is taken.
   *
   * @param direct gives it a handle of its own, if there is one left
   */
  void add(Watched& eventfd, uint32_t id, bool readCount, bool direct);
  /** A file whose reader need not take all there is at once: it is told again of the rest. */
  void addFile(Watched& file, uint32_t id);
  void remove(Watched& file);
  void ref(bool ref);
  /** Ends it for good; `closed` is called when the event loop has let go of the handle, at once if it never
   * had it. */
  void close(std::function<void()> closed);
  /** An eventfd with a handle of its own was signalled. */
  void fire(uint32_t id, uint64_t count);
  /** Ends the handle of an eventfd. */
  void drop(Direct& direct) noexcept;

 private:
  /** How many have their own handles: the vectors of a NIC, and not so many that a burst of all gets slow. */
  static constexpr size_t kDirects = 4;
  /** Events per call. What does not fit keeps the epoll readable and comes with the next turn of the loop. */
  static constexpr int kBatch = 512;
  /** The memory of the arrays that are handed over, which they hold: wherever they end, it can be written to.
   */
  struct Fired {
    double counts[kBatch];
    uint32_t ids[kBatch];
  };

  static void onReadable(uv_poll_t* poll, int status, int events);
  void watch(Watched& file, uint32_t trigger, uint64_t data);
  /** The eventfd's own handle; null where it can have none. */
  Direct* directOf(Watched& eventfd);
  /** Takes what fired into the arrays; returns how many. */
  uint32_t collect();
  /** Tells JavaScript of the first `fired` in the arrays. */
  void deliver(uint32_t fired);
  void call(uint32_t fired);

  const Napi::Env env_;
  const std::shared_ptr<Context> context_;
  FdRef epoll_;
  uv_poll_t* poll_ = nullptr;
  napi_ref onFired_ = nullptr;
  std::shared_ptr<Fired> fired_;
  napi_async_context async_ = nullptr;
  std::array<Direct*, kDirects> directs_{};
};

void exportLoop(Exports& exports);

}  // namespace vfio
