#pragma once

#include <napi.h>

#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "call.h"

namespace vfio {

/**
 * Work on the thread pool that settles a promise. The promise's error is made when the call is made, so that
 * its stack shows the caller rather than the event loop.
 */
class Task {
 public:
  virtual ~Task() = default;
  /** Hands `task` to the thread pool and returns its promise. */
  static Napi::Value start(Call& call, std::unique_ptr<Task> task);

 protected:
  /** On the thread pool: no JavaScript. */
  virtual void run() = 0;
  /** Whether `run` came back only to see if the environment is still there, and wants to run again. */
  virtual bool unfinished() const { return false; }
  /** On the environment's thread. */
  virtual Napi::Value result(Napi::Env env) = 0;

 private:
  /** Puts it in the thread pool's queue; an item of work can be queued only once. */
  napi_status queue(napi_env env);
  static void execute(napi_env env, void* data);
  static void complete(napi_env env, napi_status status, void* data);
  void settle(Napi::Env env);

  std::shared_ptr<Context> context_;
  napi_async_work work_ = nullptr;
  napi_deferred deferred_ = nullptr;
  napi_ref error_ = nullptr;
  std::exception_ptr failure_;
};

template <typename Work, typename Finish>
class WorkTask final : public Task {
 public:
  WorkTask(Work work, Finish finish) : work_(std::move(work)), finish_(std::move(finish)) {}

 private:
  using Result = std::invoke_result_t<Work&>;
  void run() override {
    // Whatever the work holds is let go on this thread: closing a device takes 25 ms.
    struct Reset {
      std::optional<Work>& work;
      ~Reset() { work.reset(); }
    } reset{work_};
    result_.emplace((*work_)());
  }
  Napi::Value result(Napi::Env env) override { return finish_(env, std::move(*result_)); }

  std::optional<Work> work_;
  Finish finish_;
  std::optional<Result> result_;
};

/**
 * Runs `work` at once, or on the thread pool when `async`; `finish(env, result)` makes the JavaScript value
 * of what it returned. `work` must hold references to the resources it uses.
 */
template <typename Work, typename Finish>
Napi::Value blocking(Call& call, bool async, Work work, Finish finish) {
  if (!async) return finish(call.env(), work());
  return Task::start(call, std::make_unique<WorkTask<Work, Finish>>(std::move(work), std::move(finish)));
}

}  // namespace vfio
