#include "blocking.h"

namespace vfio {

Napi::Value Task::start(Call& call, std::unique_ptr<Task> task) {
  Napi::Env env = call.env();
  const Napi::Value error = Napi::Error::New(env, "").Value();
  napi_value promise = nullptr;
  task->context_ = call.context().shared_from_this();
  NAPI_THROW_IF_FAILED(env, napi_create_reference(env, error, 1, &task->error_), Napi::Value());
  napi_status status = napi_create_promise(env, &task->deferred_, &promise);
  if (status == napi_ok) status = task->queue(env);
  // A terminating worker takes no more work.
  if (status != napi_ok) napi_delete_reference(env, std::exchange(task->error_, nullptr));
  NAPI_THROW_IF_FAILED(env, status, Napi::Value());
  task.release();
  return Napi::Value(env, promise);
}

napi_status Task::queue(napi_env env) {
  napi_value name = nullptr;
  napi_status status = napi_create_string_utf8(env, "vfio", NAPI_AUTO_LENGTH, &name);
  if (status == napi_ok) {
    status = napi_create_async_work(env, nullptr, name, execute, complete, this, &work_);
  }
  if (status != napi_ok) return status;
  status = napi_queue_async_work(env, work_);
  if (status != napi_ok) napi_delete_async_work(env, std::exchange(work_, nullptr));
  return status;
}

void Task::execute(napi_env, void* data) {
  auto* const task = static_cast<Task*>(data);
  try {
    task->run();
  } catch (...) {
    task->failure_ = std::current_exception();
  }
}

void Task::complete(napi_env env, napi_status, void* data) {
  std::unique_ptr<Task> task(static_cast<Task*>(data));
  napi_delete_async_work(env, std::exchange(task->work_, nullptr));
  if (!task->failure_ && task->unfinished()) {
    if (alive(env) && task->queue(env) == napi_ok) {
      task.release();
      return;
    }
  } else {
    try {
      task->settle(env);
    } catch (const Napi::Error&) {
      // Only a terminating environment refuses to settle a promise, and nobody waits for it there.
    }
  }
  napi_delete_reference(env, task->error_);
  const std::shared_ptr<Context> context = task->context_;
  // What the task holds goes first: in an ending environment there may be no later time for its references.
  task.reset();
  context->drain(env);
}

void Task::settle(Napi::Env env) {
  napi_value error = nullptr;
  if (!failure_) {
    try {
      napi_resolve_deferred(env, deferred_, result(env));
      return;
    } catch (const Napi::Error& e) {
      error = e.Value();
    } catch (const std::exception&) {
      failure_ = std::current_exception();
    }
  }
  if (failure_) {
    if (napi_get_reference_value(env, error_, &error) != napi_ok || error == nullptr) return;
    describe(Napi::Object(env, error), failure_);
  }
  napi_reject_deferred(env, deferred_, error);
}

}  // namespace vfio
