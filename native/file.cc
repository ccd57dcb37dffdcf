#include "file.h"

#include <chrono>
#include <cstring>
#include <vector>

#include "blocking.h"
#include "held.h"
#include "sys.h"

namespace vfio {

bool KernelFile::waitReadable(int milliseconds) {
  Seam& seam = context().seam;
  FdRef file;
  FdRef wake;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    file = fd.use();
    if (!wake_) wake_ = std::make_shared<const UniqueFd>(sys::eventfd(seam));
    wake = wake_;
    waiting_++;
  }
  struct Leave {
    KernelFile& self;
    FdRef& file;
    ~Leave() {
      file.reset();
      std::lock_guard<std::mutex> lock(self.mutex_);
      self.waiting_--;
      self.left_.notify_all();
    }
  } leave{*this, file};
  const bool ready = sys::waitReadable(seam, file->get(), wake->get(), milliseconds);
  fd.use();
  return ready;
}

void KernelFile::release() noexcept {
  {
    std::unique_lock<std::mutex> lock(mutex_);
    fd.refuse();
    try {
      if (wake_) sys::signalEvents(context().seam, wake_->get(), 1);
    } catch (const std::exception&) {
      // Then they look for themselves, in a moment.
    }
    // They leave at once. The limit is for a process that is ending, where their threads may be gone.
    left_.wait_for(lock, std::chrono::seconds(1), [this] { return waiting_ == 0; });
    wake_.reset();
  }
  close();
}

std::shared_ptr<KernelFile> ownFile(Context& context, int fd) {
  // Not every driver asks for that.
  sys::closeOnExec(context.seam, fd);
  return context.make<KernelFile>(fd);
}

namespace {

/** How long a thread of the pool waits before it asks whether its environment still wants to know. */
constexpr int kSliceMs = 100;

Napi::Value numberOf(Napi::Env env, size_t bytes) {
  return Napi::Number::New(env, static_cast<double>(bytes));
}

/**
 * Waits and then reads, into memory of its own: the target may be detached, and its memory given away, while
 * it waits. A file that never becomes readable must not hold up the end of its environment, which waits for
 * the thread pool before it tells anybody: so the wait is in slices, between which the environment is asked.
 */
class ReadTask final : public Task {
 public:
  ReadTask(std::shared_ptr<KernelFile> file, Held target, size_t length)
      : file_(std::move(file)), target_(std::move(target)), bytes_(length) {}

 private:
  void run() override {
    waiting_ = !file_->waitReadable(kSliceMs);
    if (waiting_) return;
    const FdRef fd = file_->fd.use();
    bytes_.resize(sys::read(file_->context().seam, fd->get(), bytes_.data(), bytes_.size(), {}));
  }
  bool unfinished() const override { return waiting_; }
  Napi::Value result(Napi::Env env) override {
    auto target = target_.value(env).As<Napi::Uint8Array>();
    if (target.ByteLength() < bytes_.size()) {
      throw Napi::TypeError::New(env, "target was detached while it was being read into");
    }
    if (!bytes_.empty()) std::memcpy(target.Data(), bytes_.data(), bytes_.size());
    return numberOf(env, bytes_.size());
  }

  const std::shared_ptr<KernelFile> file_;
  const Held target_;
  std::vector<uint8_t> bytes_;
  bool waiting_ = true;
};

Napi::Value fileRead(Call& call) {
  auto file = call.handle<KernelFile>(0, "file");
  const Bytes target = call.bytes(1, "target");
  const FdRef fd = file->fd.use();
  if (!call.boolean(2, "async")) {
    return numberOf(call.env(), sys::read(call.context().seam, fd->get(), target.data, target.length, {}));
  }
  Held held(call.context(), call.env(), call.value(1));
  return Task::start(call, std::make_unique<ReadTask>(std::move(file), std::move(held), target.length));
}

Napi::Value fileWrite(Call& call) {
  const auto file = call.handle<KernelFile>(0, "file");
  const Bytes source = call.bytes(1, "source");
  const FdRef fd = file->fd.use();
  if (!call.boolean(2, "async")) {
    return numberOf(call.env(), sys::write(call.context().seam, fd->get(), source.data, source.length, {}));
  }
  return blocking(
      call, true,
      [file, fd, bytes = std::vector<uint8_t>(source.data, source.data + source.length)] {
        return sys::write(file->context().seam, fd->get(), bytes.data(), bytes.size(), {});
      },
      numberOf);
}

Napi::Value fileNumber(Call& call) {
  return Napi::Number::New(call.env(), call.handle<KernelFile>(0, "file")->fd.use()->get());
}

Napi::Value fileClose(Call& call) {
  call.handle<KernelFile>(0, "file")->release();
  return call.undefined();
}

Napi::Value fileAdopt(Call& call) {
  const auto fd = static_cast<int>(call.integer(0, "fd", 0, INT32_MAX));
  return wrap(call.env(), ownFile(call.context(), fd));
}

}  // namespace

void exportFile(Exports& exports) {
  exports.add<fileRead>("fileRead");
  exports.add<fileWrite>("fileWrite");
  exports.add<fileNumber>("fileNumber");
  exports.add<fileClose>("fileClose");
  exports.add<fileAdopt>("fileAdopt");
}

}  // namespace vfio
