#include "memory.h"

#include <sys/mman.h>

#include <algorithm>

#include "blocking.h"
#include "share.h"
#include "sys.h"

namespace vfio {
namespace {

constexpr size_t kTransparentHugePage = size_t{2} << 20;

int hugeFlags(size_t size) {
  if (size == 0) return 0;
  return MAP_HUGETLB | __builtin_ctzll(size) << MAP_HUGE_SHIFT;
}

}  // namespace

Memory::Memory(std::shared_ptr<Context> owner, const Request& request)
    : Resource(kKind, std::move(owner)), length_(request.length), view_(context()) {
  Seam& seam = context().seam;
  const size_t page = std::max(request.hugePageSize, sys::pageSize());
  const size_t length = roundUp(request.length, page);
  pages_ = request.address != 0 ? Pages::at(seam, request.address, length)
                                : std::make_shared<Pages>(seam, length, std::max(request.alignment, page));
  pages_->mapAnonymous(seam, hugeFlags(request.hugePageSize));
  data_ = pages_->data();
  populate(request);
}

void Memory::populate(const Request& request) {
  Seam& seam = context().seam;
  keepFromForks();
  if (kept_->error() != 0) throw SysError(kept_->error(), "madvise", {});
  if (request.hugePageSize == 0 && request.length >= kTransparentHugePage &&
      reinterpret_cast<uintptr_t>(data_) % kTransparentHugePage == 0) {
    // Only a wish: kernels without transparent huge pages refuse it.
    sys::madvise(seam, data_, pages_->length(), MADV_HUGEPAGE);
  }
  if (request.numaNode >= 0) sys::bindToNode(seam, data_, pages_->length(), request.numaNode);
  const int error = sys::madvise(seam, data_, pages_->length(), MADV_POPULATE_WRITE);
  if (error == 0) return;
  // EINVAL: a kernel before 5.14. Pinning 512 MiB of untouched pages takes it a second, touching them 14 ms.
  if (error != EINVAL) throw SysError(error, "madvise", {});
  for (size_t at = 0; at < pages_->length(); at += sys::pageSize())
    static_cast<volatile uint8_t*>(data_)[at] = 0;
}

Memory::Memory(std::shared_ptr<Context> owner, Bytes bytes, napi_ref view)
    : Resource(kKind, std::move(owner)),
      data_(bytes.data),
      length_(bytes.length),
      brought_(view),
      view_(context()) {}

Memory::Memory(std::shared_ptr<Context> owner, const std::shared_ptr<Memory>& lender)
    : Resource(kKind, std::move(owner)),
      data_(lender->data_),
      length_(lender->length_),
      borrowed_(true),
      view_(context()) {
  std::lock_guard<std::mutex> lock(lender->mutex_);
  lender->checkOpen();
  pages_ = lender->pages_;
}

bool Memory::hasPages() const {
  std::lock_guard<std::mutex> lock(mutex_);
  checkOpen();
  return pages_ != nullptr;
}

void Memory::checkOpen() const {
  if (freed_) throw ClosedError("memory");
}

uint8_t* Memory::address() const {
  std::lock_guard<std::mutex> lock(mutex_);
  checkOpen();
  return data_;
}

uint64_t Memory::mappedLength() const {
  std::lock_guard<std::mutex> lock(mutex_);
  checkOpen();
  return pages_ ? pages_->length() : length_;
}

Napi::Value Memory::buffer(Napi::Env env) {
  std::shared_ptr<Pages> pages;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    checkOpen();
    pages = pages_;
  }
  if (!pages)
    throw Napi::TypeError::New(env, "memory must be from memoryAlloc: other memory has its own buffer");
  return view_.get(env, data_, length_, shared_from_this(), std::move(pages));
}

void Memory::pin() {
  std::lock_guard<std::mutex> lock(mutex_);
  checkOpen();
  // It would be freed under the mapping by its owner, who knows nothing of that.
  if (borrowed_) throw SysError(EBUSY, "mmap", {}, "the memory belongs to another thread");
  if (pins_ == 0 && brought_ != nullptr) keepFromForks();
  pins_++;
}

void Memory::unpin() noexcept {
  std::lock_guard<std::mutex> lock(mutex_);
  if (--pins_ == 0 && brought_ != nullptr) kept_.reset();
}

void Memory::keepFromForks() {
  // Only the pages that are the view's alone: the ends are shared with other data, which a child may need.
  const size_t length = pages_ ? pages_->length() : length_;
  const uintptr_t start = roundUp(reinterpret_cast<uintptr_t>(data_), sys::pageSize());
  const uintptr_t end = (reinterpret_cast<uintptr_t>(data_) + length) & ~(sys::pageSize() - 1);
  if (end > start) kept_ = std::make_unique<KeptFromForks>(context(), start, end);
}

void Memory::free() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (freed_) return;
    if (pins_ > 0) {
      throw SysError(EBUSY, "munmap", {},
                     "a device can still reach this memory: unmap its DMA mapping first");
    }
  }
  release();
}

void Memory::release() noexcept {
  if (!borrowed_) shares::revoke(*this);
  std::shared_ptr<Pages> pages;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (freed_) return;
    freed_ = true;
    pages.swap(pages_);
    // From here on the addresses belong to somebody else.
    if (kept_) kept_->abandon();
    kept_.reset();
    if (brought_ != nullptr) context().discard(std::exchange(brought_, nullptr));
  }
  // A view or a borrower that is left keeps the addresses; the memory goes back at once.
  if (pages && !borrowed_ && pages.use_count() > 1) pages->zero();
  forget();
}

namespace {

size_t powerOfTwo(Call& call, size_t index, const char* name) {
  const auto value = static_cast<uint64_t>(call.integer(index, name, 0, int64_t{1} << 40));
  if ((value & (value - 1)) != 0)
    throw Napi::TypeError::New(call.env(), std::string(name) + " must be a power of two");
  return value;
}

Napi::Value alloc(Call& call, Memory::Request request) {
  request.length = static_cast<size_t>(call.integer(0, "length", 1, int64_t{1} << 46));
  request.hugePageSize = powerOfTwo(call, 2, "hugePageSize");
  // The kernel rounds the length up to the huge page it takes, over whatever lies there: never a smaller one
  // than ours.
  if (request.hugePageSize != 0 && request.hugePageSize <= sys::pageSize()) {
    throw Napi::TypeError::New(call.env(), "hugePageSize must be 0 or larger than a page");
  }
  request.numaNode = static_cast<int>(call.integer(3, "numaNode", -1, 1023));
  return blocking(
      call, call.boolean(4, "async"),
      [context = call.context().shared_from_this(), request] { return context->make<Memory>(request); },
      [](Napi::Env env, std::shared_ptr<Memory> memory) { return wrap(env, std::move(memory)); });
}

Napi::Value memoryAlloc(Call& call) {
  Memory::Request request{};
  request.alignment = powerOfTwo(call, 1, "alignment");
  return alloc(call, request);
}

Napi::Value memoryAllocAt(Call& call) {
  Memory::Request request{};
  request.address = static_cast<uintptr_t>(call.bigint(1, "address"));
  const size_t page = sys::pageSize();
  if (request.address == 0 || request.address % page != 0 || request.address >> 47 != 0) {
    throw Napi::TypeError::New(call.env(), "address must be a page below 2^47, and not 0");
  }
  return alloc(call, request);
}

Napi::Value memoryFromView(Call& call) {
  const Bytes bytes = call.bytes(0, "view");
  if (bytes.length == 0) throw Napi::TypeError::New(call.env(), "view must not be empty");
  napi_ref view = nullptr;
  NAPI_THROW_IF_FAILED(call.env(), napi_create_reference(call.env(), call.value(0), 1, &view), Napi::Value());
  return wrap(call.env(), call.context().make<Memory>(bytes, view));
}

Napi::Value memoryAddress(Call& call) {
  const auto memory = call.handle<Memory>(0, "memory");
  return Napi::BigInt::New(call.env(), uint64_t{reinterpret_cast<uintptr_t>(memory->address())});
}

Napi::Value memoryBuffer(Call& call) {
  return call.handle<Memory>(0, "memory")->buffer(call.env());
}

Napi::Value memoryFree(Call& call) {
  call.handle<Memory>(0, "memory")->free();
  return call.undefined();
}

}  // namespace

void exportMemory(Exports& exports) {
  exports.add<memoryAlloc>("memoryAlloc");
  exports.add<memoryAllocAt>("memoryAllocAt");
  exports.add<memoryFromView>("memoryFromView");
  exports.add<memoryAddress>("memoryAddress");
  exports.add<memoryBuffer>("memoryBuffer");
  exports.add<memoryFree>("memoryFree");
}

}  // namespace vfio
