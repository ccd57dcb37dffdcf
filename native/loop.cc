#include "loop.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>

#include "call.h"
#include "direct.h"
#include "eventfd.h"
#include "file.h"
#include "sys.h"

namespace vfio {
namespace {

/** An event carries its id, and the descriptor to read the count from plus one, 0 for none. */
uint64_t pack(uint32_t id, int fd) {
  return uint64_t{id} | static_cast<uint64_t>(fd + 1) << 32;
}

}  // namespace

Napi::Value Loop::start(Napi::Function onFired) {
  if (poll_ != nullptr) throw Napi::Error::New(env_, "The loop was started before");
  uv_loop_t* loop = nullptr;
  NAPI_THROW_IF_FAILED(env_, napi_get_uv_event_loop(env_, &loop), Napi::Value());
  auto epoll = std::make_shared<const UniqueFd>(sys::epollCreate(context_->seam));
  Napi::Object arrays = Napi::Object::New(env_);
  fired_ = std::make_shared<Fired>();
  const auto buffer =
      Napi::ArrayBuffer::New(env_, fired_.get(), sizeof(Fired), [held = fired_](Napi::Env, void*) {});
  arrays.Set("ids", Napi::Uint32Array::New(env_, kBatch, buffer, offsetof(Fired, ids)));
  arrays.Set("counts", Napi::Float64Array::New(env_, kBatch, buffer, offsetof(Fired, counts)));
  NAPI_THROW_IF_FAILED(env_, napi_create_reference(env_, onFired, 1, &onFired_), Napi::Value());
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

void Loop::add(Watched& eventfd, uint32_t id, bool readCount, bool direct) {
  Direct* const own = direct && eventfd.direct == nullptr ? directOf(eventfd) : eventfd.direct;
  if (own != nullptr) {
    own->start(context_->seam, id, readCount);
    return;
  }
  watch(eventfd, EPOLLET, pack(id, readCount ? eventfd.fd.use()->get() : -1));
}

Direct* Loop::directOf(Watched& eventfd) {
  if (!epoll_ || eventfd.epoll) return nullptr;
  for (Direct* direct : directs_) {
    if (direct != nullptr && direct->abandoned()) drop(*direct);
  }
  const auto place = std::find(directs_.begin(), directs_.end(), nullptr);
  if (place == directs_.end()) return nullptr;
  *place = Direct::create(poll_->loop, *this, eventfd);
  return eventfd.direct = *place;
}

void Loop::drop(Direct& direct) noexcept {
  std::replace(directs_.begin(), directs_.end(), &direct, static_cast<Direct*>(nullptr));
  direct.close();
}

void Loop::addFile(Watched& file, uint32_t id) {
  watch(file, 0, pack(id, -1));
}

void Loop::remove(Watched& file) {
  const FdRef fd = file.fd.use();
  if (file.direct != nullptr) file.direct->stop();
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
  for (Direct* direct : directs_) {
    if (direct != nullptr) drop(*direct);
  }
  if (onFired_ != nullptr) napi_delete_reference(env_, std::exchange(onFired_, nullptr));
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
  if (const uint32_t fired = self->collect()) self->deliver(fired);
}

void Loop::fire(uint32_t id, uint64_t count) {
  fired_->ids[0] = id;
  fired_->counts[0] = static_cast<double>(count);
  deliver(1);
}

uint32_t Loop::collect() {
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
    fired_->ids[fired] = static_cast<uint32_t>(data);
    fired_->counts[fired] = static_cast<double>(count);
    fired++;
  }
  return fired;
}

void Loop::deliver(uint32_t fired) {
  napi_handle_scope scope = nullptr;
  if (napi_open_handle_scope(env_, &scope) != napi_ok) return;
  call(fired);
  napi_close_handle_scope(env_, scope);
}

void Loop::call(uint32_t fired) {
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
  call.addon().loop.add(*eventfd, id, call.boolean(2, "readCount"), call.boolean(3, "direct"));
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
