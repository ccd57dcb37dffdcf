#include "blocking.h"
#include "dma.h"

namespace vfio {

DmaMapping::DmaMapping(std::shared_ptr<Context> context, std::shared_ptr<IoSpace> space, Memories memories,
                       uint64_t length)
    : Resource(kKind, std::move(context)), length_(length), space_(std::move(space)) {
  memories_.reserve(memories.size());
  try {
    for (auto& memory : memories) {
      memory->pin();
      memories_.push_back(std::move(memory));
    }
  } catch (...) {
    for (const auto& memory : memories_) memory->unpin();
    throw;
  }
}

DmaMapping::~DmaMapping() {
  release();
  finish();
}

void DmaMapping::established(uint64_t iova) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    iova_ = iova;
    state_ = State::Mapped;
  }
  context().add(shared_from_this());
}

uint64_t DmaMapping::unmap() {
  return unmapBy(
      [](IoSpace& space, int fd, uint64_t iova, uint64_t length) { return space.unmap(fd, iova, length); });
}

uint64_t DmaMapping::unmapBy(const Take& take) {
  std::shared_ptr<IoSpace> space;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (state_ != State::Mapped) return 0;
    state_ = State::Unmapping;
    space = space_;
  }
  uint64_t bytes = 0;
  try {
    bytes = take(*space, space->descriptor().last()->get(), iova_, length_);
  } catch (...) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (state_ == State::Unmapping) state_ = State::Mapped;
    throw;
  }
  finish();
  return bytes;
}

void DmaMapping::markUnmapped() noexcept {
  finish();
}

void DmaMapping::release() noexcept {
  try {
    unmap();
  } catch (const std::exception&) {
    // The address space is going away, and takes the mapping along.
  }
}

void DmaMapping::finish() noexcept {
  std::shared_ptr<IoSpace> space;
  Memories memories;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    state_ = State::Gone;
    space.swap(space_);
    memories.swap(memories_);
  }
  for (const auto& memory : memories) memory->unpin();
  forget();
}

void DmaMapping::checkMapped() const {
  if (state_ == State::Gone) throw ClosedError("DMA mapping");
}

uint64_t DmaMapping::iova() const {
  std::lock_guard<std::mutex> lock(mutex_);
  checkMapped();
  return iova_;
}

uint64_t DmaMapping::length() const {
  std::lock_guard<std::mutex> lock(mutex_);
  checkMapped();
  return length_;
}

std::shared_ptr<IoSpace> DmaMapping::space() const {
  std::lock_guard<std::mutex> lock(mutex_);
  checkMapped();
  return space_;
}

void DmaMapping::moveTo(std::shared_ptr<Memory> memory) {
  memory->pin();
  Memories memories{std::move(memory)};
  {
    std::lock_guard<std::mutex> lock(mutex_);
    memories.swap(memories_);
  }
  for (const auto& former : memories) former->unpin();
}

std::shared_ptr<IoSpace> DmaMapping::peekSpace() const noexcept {
  std::lock_guard<std::mutex> lock(mutex_);
  return space_;
}

void DmaMapping::collect(const IoSpace& space, uint64_t iova, uint64_t length, Memories& memories) const {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!space_ || !space_->same(space)) return;
  if (iova < iova_ ? iova_ - iova >= length : iova - iova_ >= length_) return;
  memories.insert(memories.end(), memories_.begin(), memories_.end());
}

void releaseMappings(const Resource& file) noexcept {
  for (const auto& map : file.context().live<DmaMapping>()) {
    const auto space = map->peekSpace();
    if (space && &space->file() == &file) map->release();
  }
}

void forgetMappings(const Resource& file) noexcept {
  for (const auto& map : file.context().live<DmaMapping>()) {
    const auto space = map->peekSpace();
    if (space && &space->file() == &file) map->markUnmapped();
  }
}

void forgetMappings(Context& context, const IoSpace& space) noexcept {
  for (const auto& map : context.live<DmaMapping>()) {
    const auto other = map->peekSpace();
    if (other && other->same(space)) map->markUnmapped();
  }
}

Napi::Value startMapping(Call& call, bool async, std::shared_ptr<IoSpace> space, Memories memories,
                         uint64_t length, Establish establish) {
  FdRef fd = space->descriptor().use();
  auto map = std::make_shared<DmaMapping>(call.context().shared_from_this(), std::move(space),
                                          std::move(memories), length);
  return blocking(
      call, async,
      [map = std::move(map), fd = std::move(fd), establish = std::move(establish)]() mutable {
        map->established(establish(fd->get()));
        return std::move(map);
      },
      [](Napi::Env env, std::shared_ptr<DmaMapping> mapped) { return wrap(env, std::move(mapped)); });
}

}  // namespace vfio
