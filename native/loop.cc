#include "loop.h"

#include <sys/epoll.h>
#include <unistd.h>

#include "call.h"
#include "eventfd.h"
#include "file.h"
#include "sys.h"

namespace vfio {
namespace {

/** Events per call. What does not fit keeps the epoll readable and comes with the next turn of the loop. */
constexpr int kBatch = 512;

/** An event carries its id, and the descriptor to read the count from plus one, 0 for none. */
uint64_t pack(uint32_t id, int fd) {
  return uint64_t{id} | static_cast<uint64_t>(fd + 1) << 32;
}

/** The elements behind a typed array that was made here; null when its buffer was detached. */
template <typename T>
T* elements(napi_env env, napi_ref reference) {
  napi_value array = nullptr;
  size_t length = 0;
  void* data = nullptr;
  if (napi_get_reference_value(env, reference, &array) != napi_ok || array == nullptr) return nullptr;
  if (napi_get_typedarray_info(env, array, nullptr, &length, &data, nullptr, nullptr) != napi_ok)
    return nullptr;
  return length == kBatch ? static_cast<T*>(data) : nullptr;
}

napi_ref hold(Napi::Env env, napi_value value) {
  napi_ref reference = nullptr;
  NAPI_THROW_IF_FAILED(env, napi_create_reference(env, value, 1, &reference), nullptr);
  return reference;
}

}  // namespace

Napi::Value Loop::start(Napi::Function onFired) {
  if (poll_ != nullptr) throw Napi::Error::New(env_, "The loop was started before");
  uv_loop_t* loop = nullptr;
  NAPI_THROW_IF_FAILED(env_, napi_get_uv_event_loop(env_, &loop), Napi::Value());
  auto epoll = std::make_shared<const UniqueFd>(sys::epollCreate(context_->seam));
  Napi::Object arrays = Napi::Object::New(env_);
  arrays.Set("ids", Napi::Uint32Array::New(env_, kBatch));
  arrays.Set("counts", Napi::Float64Array::New(env_, kBatch));
  ids_ = hold(env_, arrays.Get("ids"));
  counts_ = hold(env_, arrays.Get("counts"));
  onFired_ = hold(env_, onFired);
  NAPI_THROW_IF_FAILED(env_, napi_async_init(env_, nullptr, Napi::String::New(env_, "vfio"), &async_),
                       Napi::Value());
  auto poll = std::make_unique<uv_poll_t>();
  const int failed = uv_poll_init(loop, poll.get(), epoll->get());
  if (failed != 0) throw SysError(-failed, "uv_poll_init", {});
  poll_ = poll.release();
  poll_->data = this;
  epoll_ = std::move(epoll);
  uv_poll_start(poll_, UV_READABLE, onReadable);
  ref(false);
  return arrays;
}

void Loop::watch(Watched& file, uint32_t trigger, uint64_t data) {
  if (!epoll_) throw Napi::Error::New(env_, "The loop has not been started");
  sys::epollAdd(context_->seam, epoll_->get(), file.fd.use()->get(), trigger, data);
  file.epoll = epoll_;
}

void Loop::add(Watched& eventfd, uint32_t id, bool readCount) {
  watch(eventfd, EPOLLET, pack(id, readCount ? eventfd.fd.use()->get() : -1));
}

void Loop::addFile(Watched& file, uint32_t id) {
  watch(file, 0, pack(id, -1));
}

void Loop::remove(Watched& file) {
  const FdRef fd = file.fd.use();
  if (!file.epoll) return;
  sys::epollRemove(context_->seam, file.epoll->get(), fd->get());
  file.epoll.reset();
}

void Loop::ref(bool ref) {
  if (poll_ == nullptr) throw Napi::Error::New(env_, "The loop has not been started");
  auto* const handle = reinterpret_cast<uv_handle_t*>(poll_);
  if (ref) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
}

void Loop::close(std::function<void()> closed) {
  for (napi_ref* reference : {&onFired_, &ids_, &counts_}) {
    if (*reference != nullptr) napi_delete_reference(env_, std::exchange(*reference, nullptr));
  }
  if (poll_ == nullptr) return closed();
  uv_poll_stop(poll_);
  napi_async_destroy(env_, async_);
  // The descriptor stays open until libuv has let go of it.
  struct Closing {
    std::function<void()> closed;
    FdRef epoll;
  };
  poll_->data = new Closing{std::move(closed), std::move(epoll_)};
  uv_close(reinterpret_cast<uv_handle_t*>(std::exchange(poll_, nullptr)), [](uv_handle_t* handle) {
    const std::unique_ptr<Closing> closing(static_cast<Closing*>(handle->data));
    delete reinterpret_cast<uv_poll_t*>(handle);
    closing->closed();
  });
}

void Loop::onReadable(uv_poll_t* poll, int status, int) {
  auto* const self = static_cast<Loop*>(poll->data);
  if (status < 0) return;
  napi_handle_scope scope = nullptr;
  if (napi_open_handle_scope(self->env_, &scope) != napi_ok) return;
  if (const uint32_t fired = self->collect()) self->deliver(fired);
  napi_close_handle_scope(self->env_, scope);
}

uint32_t Loop::collect() {
  auto* const ids = elements<uint32_t>(env_, ids_);
  auto* const counts = elements<double>(env_, counts_);
  if (ids == nullptr || counts == nullptr) return 0;
  epoll_event events[kBatch];
  const int ready = ::epoll_wait(epoll_->get(), events, kBatch, 0);
  uint32_t fired = 0;
  for (int i = 0; i < ready; i++) {
    const uint64_t data = events[i].data.u64;
    const int fd = static_cast<int>(data >> 32) - 1;
    uint64_t count = 1;
    if (fd >= 0) {
      // No JavaScript has run since epoll_wait, so the number is still this eventfd's. Somebody else may have
      // taken its count, in which case there is nothing to tell.
      if (::read(fd, &count, sizeof count) != sizeof count) continue;
    }
    ids[fired] = static_cast<uint32_t>(data);
    counts[fired] = static_cast<double>(count);
    fired++;
  }
  return fired;
}

void Loop::deliver(uint32_t fired) {
  napi_value callback = nullptr;
  napi_value global = nullptr;
  napi_value argument = nullptr;
  napi_value result = nullptr;
  napi_get_reference_value(env_, onFired_, &callback);
  napi_get_global(env_, &global);
  napi_create_uint32(env_, fired, &argument);
  if (napi_make_callback(env_, async_, global, callback, 1, &argument, &result) != napi_pending_exception)
    return;
  napi_value exception = nullptr;
  // What an event's callback throws is an uncaught exception. In a terminating worker both calls fail,
  // rightly.
  if (napi_get_and_clear_last_exception(env_, &exception) == napi_ok) napi_fatal_exception(env_, exception);
}

namespace {

Napi::Value loopStart(Call& call) {
  return call.addon().loop.start(call.function(0, "onFired"));
}

Napi::Value loopAdd(Call& call) {
  const auto eventfd = call.handle<EventFd>(0, "eventfd");
  const uint32_t id = call.u32(1, "id");
  call.addon().loop.add(*eventfd, id, call.boolean(2, "readCount"));
  return call.undefined();
}

Napi::Value loopRemove(Call& call) {
  call.addon().loop.remove(*call.handle<EventFd>(0, "eventfd"));
  return call.undefined();
}

Napi::Value loopAddFile(Call& call) {
  const auto file = call.handle<KernelFile>(0, "file");
  call.addon().loop.addFile(*file, call.u32(1, "id"));
  return call.undefined();
}

Napi::Value loopRemoveFile(Call& call) {
  call.addon().loop.remove(*call.handle<KernelFile>(0, "file"));
  return call.undefined();
}

Napi::Value loopRef(Call& call) {
  call.addon().loop.ref(call.boolean(0, "ref"));
  return call.undefined();
}

}  // namespace

void exportLoop(Exports& exports) {
  exports.add<loopStart>("loopStart");
  exports.add<loopAdd>("loopAdd");
  exports.add<loopRemove>("loopRemove");
  exports.add<loopAddFile>("loopAddFile");
  exports.add<loopRemoveFile>("loopRemoveFile");
  exports.add<loopRef>("loopRef");
}

}  // namespace vfio
