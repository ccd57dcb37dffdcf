#include "bar.h"

#include <sys/mman.h>

#include <algorithm>

#include "deadpages.h"
#include "eventfd.h"
#include "sys.h"

namespace vfio {
namespace {

int protectionOf(bool writable) {
  return writable ? PROT_READ | PROT_WRITE : PROT_READ;
}

}  // namespace

BarMapping::BarMapping(std::shared_ptr<Context> owner, std::shared_ptr<DeviceFile> device, FdRef gone,
                       uint64_t fileOffset, uint64_t length, std::vector<Area> areas, bool writable)
    : Resource(kKind, std::move(owner)),
      fileOffset_(fileOffset),
      length_(length),
      writable_(writable),
      areas_(std::move(areas)),
      gone_(std::move(gone)),
      view_(context()) {
  const FdRef fd = device->fd.use();
  Seam& seam = context().seam;
  deadpages::prepare(seam);
  pages_ = std::make_shared<Pages>(seam, length, sys::pageSize());
  base_ = pages_->data();
  map(fd->get(), device->path);
  slot_ = sigbus::guard(base_, pages_->length(), protectionOf(writable), gone_->get());
  if (slot_ == nullptr) throw SysError(ENOSPC, "mmap", device->path, "too many BAR mappings in this process");
  if (!areas_.empty()) first_ = areas_.front();
  device_ = std::move(device);
}

void BarMapping::map(int device, const std::string& path) {
  Seam& seam = context().seam;
  uint64_t covered = 0;
  for (const Area& area : areas_) {
    cover(covered, area.start);
    // A page is mapped whole also where the region ends within it.
    const uint64_t end = roundUp(area.end, sys::pageSize());
    pages_->mapFile(seam, area.start, end - area.start, writable_, device, fileOffset_ + area.start, path);
    covered = end;
  }
  cover(covered, pages_->length());
  // A child between fork and exec has no business with the device; where the kernel objects, it stays as it
  // is.
  sys::madvise(seam, base_, pages_->length(), MADV_DONTFORK);
}

void BarMapping::cover(uint64_t start, uint64_t end) noexcept {
  if (end > start) deadpages::cover(base_ + start, end - start, protectionOf(writable_));
}

BarMapping::BarMapping(std::shared_ptr<Context> owner, std::shared_ptr<Share> share,
                       std::shared_ptr<BarMapping> lender)
    : Resource(kKind, std::move(owner)),
      fileOffset_(lender->fileOffset_),
      length_(lender->length_),
      writable_(lender->writable_),
      base_(lender->base_),
      slot_(lender->slot_),
      share_(std::move(share)),
      lender_(std::move(lender)),
      view_(context()) {
  std::lock_guard<std::mutex> lock(lender_->mutex_);
  if (!lender_->pages_) throw ClosedError("BAR mapping");
  pages_ = lender_->pages_;
  areas_ = lender_->areas_;
  if (!areas_.empty()) first_ = areas_.front();
}

BarMapping::~BarMapping() {
  release();
}

void* BarMapping::atOther(uint64_t byte, size_t width) const noexcept {
  for (const Area& area : areas_) {
    if (byte >= area.start && byte + width <= area.end) return base_ + byte;
  }
  return nullptr;
}

void BarMapping::wipe() noexcept {
  if (lender_) return lender_->wipe();
  std::lock_guard<std::mutex> lock(mutex_);
  // Not those of the device, which its owner may have put back in the meantime.
  if (pages_ && deaths() != 0) cover(0, pages_->length());
}

bool BarMapping::revive() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (refused_ || deaths() == 0 || !device_) return false;
  const FdRef fd = device_->fd.use();
  // Before the pages, which may die again as soon as they are there.
  slot_->dead.store(0);
  try {
    map(fd->get(), device_->path);
  } catch (...) {
    cover(0, pages_->length());
    slot_->dead.fetch_add(1);
    throw;
  }
  return true;
}

void BarMapping::refuse() noexcept {
  if (!lender_) shares::revoke(*this);
  std::lock_guard<std::mutex> lock(mutex_);
  refused_ = true;
  first_ = {0, 0};
  areas_.clear();
}

void BarMapping::release() noexcept {
  if (!lender_) shares::revoke(*this);
  std::shared_ptr<Pages> pages;
  std::shared_ptr<DeviceFile> device;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    pages.swap(pages_);
    device.swap(device_);
  }
  if (!pages) return;
  if (lender_) return forget();
  // Views and borrowers hold the range too: it must stay valid under them, without the device.
  if (pages.use_count() > 1) deadpages::cover(pages->data(), pages->length(), protectionOf(writable_));
  sigbus::unguard(slot_);
  gone_.reset();
  pages.reset();
  forget();
}

Napi::Value BarMapping::buffer(Napi::Env env) {
  std::shared_ptr<Pages> pages;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    pages = pages_;
  }
  if (!pages || refused_ || (share_ && share_->revoked())) throw ClosedError("BAR mapping");
  if (!writable_) {
    throw Napi::TypeError::New(
        env, "A read-only mapping has no ArrayBuffer: a store through it would end the process");
  }
  return view_.get(env, base_, length_, shared_from_this(), std::move(pages));
}

std::shared_ptr<DeviceFile> BarMapping::device() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return device_;
}

namespace {

std::vector<Area> areasFrom(Napi::Array pairs, uint64_t length) {
  Napi::Env env = pairs.Env();
  const uint64_t page = sys::pageSize();
  std::vector<Area> areas;
  uint64_t free = 0;
  for (uint32_t i = 0; i < pairs.Length(); i++) {
    const Napi::Value pair = pairs[i];
    if (!pair.IsArray()) throw Napi::TypeError::New(env, "areas must be pairs of start and length");
    const auto start =
        static_cast<uint64_t>(integerFrom(pair.As<Napi::Array>()[0u], "start", 0, kMaxSafeInteger));
    const auto size =
        static_cast<uint64_t>(integerFrom(pair.As<Napi::Array>()[1u], "length", 1, kMaxSafeInteger));
    const uint64_t end = roundUp(start + size, page);
    if (start % page != 0 || start < free || end > roundUp(length, page)) {
      throw Napi::TypeError::New(env, "areas must be page aligned, in ascending order and within the " +
                                          std::to_string(length) + " bytes");
    }
    areas.push_back({start, std::min(start + size, length)});
    free = end;
  }
  return areas;
}

Napi::Value barMap(Call& call) {
  const auto device = call.handle<DeviceFile>(0, "device");
  const uint64_t fileOffset = call.size(1, "fileOffset");
  // More than this leaves no room to align, and no address space has it.
  const auto length = static_cast<uint64_t>(call.integer(2, "length", 1, int64_t{1} << 46));
  std::vector<Area> areas = areasFrom(call.array(3, "areas"), length);
  const bool writable = call.boolean(4, "writable");
  FdRef gone = call.handle<EventFd>(5, "gone")->fd.use();
  return wrap(call.env(), call.context().make<BarMapping>(device, std::move(gone), fileOffset, length,
                                                          std::move(areas), writable));
}

Napi::Value barDead(Call& call) {
  return Napi::Boolean::New(call.env(), call.handle<BarMapping>(0, "bar")->deaths() != 0);
}

Napi::Value barAccessors(Call& call) {
  return makeAccessors(call.env(), call.handle<BarMapping>(0, "bar"));
}

Napi::Value barBuffer(Call& call) {
  return call.handle<BarMapping>(0, "bar")->buffer(call.env());
}

Napi::Value barUnmap(Call& call) {
  const auto bar = call.handle<BarMapping>(0, "bar");
  bar->refuse();
  bar->release();
  return call.undefined();
}

}  // namespace

void exportBar(Exports& exports) {
  exports.add<barMap>("barMap");
  exports.add<barAccessors>("barAccessors");
  exports.add<barBuffer>("barBuffer");
  exports.add<barUnmap>("barUnmap");
  exports.add<barDead>("barDead");
}

}  // namespace vfio
