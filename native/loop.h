#pragma once

#include <napi.h>
#include <uv.h>

#include <functional>
#include <memory>

#include "context.h"
#include "fd.h"

namespace vfio {

class Exports;
class Watched;

/**
 * One epoll over all of an environment's eventfds and files, under one handle of its event loop: what fired
 * is handed over as a list, in one call, so that many interrupts cost one turn of the loop.
 */
class Loop {
 public:
  Loop(Napi::Env env, std::shared_ptr<Context> context) : env_(env), context_(std::move(context)) {}
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /** Returns `{ ids, counts }`. */
  Napi::Value start(Napi::Function onFired);
  /** An eventfd, of whose count each change is told once; with `readCount` the count is taken. */
  void add(Watched& eventfd, uint32_t id, bool readCount);
  /** A file whose reader need not take all there is at once: it is told again of the rest. */
  void addFile(Watched& file, uint32_t id);
  void remove(Watched& file);
  void ref(bool ref);
  /** Ends it for good; `closed` is called when the event loop has let go of the handle, at once if it never
   * had it. */
  void close(std::function<void()> closed);

 private:
  static void onReadable(uv_poll_t* poll, int status, int events);
  void watch(Watched& file, uint32_t trigger, uint64_t data);
  /** Takes what fired into the arrays; returns how many. */
  uint32_t collect();
  void deliver(uint32_t fired);

  const Napi::Env env_;
  const std::shared_ptr<Context> context_;
  FdRef epoll_;
  uv_poll_t* poll_ = nullptr;
  napi_ref onFired_ = nullptr;
  napi_ref ids_ = nullptr;
  napi_ref counts_ = nullptr;
  napi_async_context async_ = nullptr;
};

void exportLoop(Exports& exports);

}  // namespace vfio
