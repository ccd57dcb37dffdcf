#include "direct.h"

#include <unistd.h>

#include <cerrno>
#include <memory>

#include "loop.h"
#include "sys.h"
#include "watched.h"

namespace vfio {

Direct* Direct::create(uv_loop_t* uv, Loop& loop, Watched& owner) {
  std::unique_ptr<Direct> made(new Direct(loop, owner, owner.fd.use()));
  if (uv_poll_init(uv, &made->poll_, made->fd_->get()) != 0) return nullptr;
  auto* const handle = reinterpret_cast<uv_handle_t*>(&made->poll_);
  handle->data = made.get();
  // What keeps the process alive is the loop's own handle.
  uv_unref(handle);
  return made.release();
}

void Direct::start(Seam& seam, uint32_t id, bool readCount) {
  if (uv_is_active(reinterpret_cast<uv_handle_t*>(&poll_))) throw SysError(EEXIST, "epoll_ctl", {});
  sys::pollStart(seam, &poll_, onReadable);
  id_ = id;
  readCount_ = readCount;
}

void Direct::stop() {
  uv_poll_stop(&poll_);
}

void Direct::abandon() noexcept {
  owner_ = nullptr;
  if (std::this_thread::get_id() == thread_) {
    loop_.drop(*this);
  } else {
    abandoned_ = true;
  }
}

void Direct::close() noexcept {
  if (owner_ != nullptr) owner_->direct = nullptr;
  uv_poll_stop(&poll_);
  // Libuv has taken it out of its epoll: it may be closed.
  fd_.reset();
  uv_close(reinterpret_cast<uv_handle_t*>(&poll_),
           [](uv_handle_t* handle) { delete static_cast<Direct*>(handle->data); });
}

void Direct::onReadable(uv_poll_t* poll, int status, int) {
  auto* const self = static_cast<Direct*>(poll->data);
  uint64_t count = 0;
  // Somebody else may have taken its count, in which case there is nothing to tell.
  if (status < 0 || ::read(self->fd_->get(), &count, sizeof count) != sizeof count) return;
  self->loop_.fire(self->id_, self->readCount_ ? count : 1);
}

}  // namespace vfio
