#include "pages.h"

#include <sys/mman.h>

#include <algorithm>

#include "sys.h"

namespace vfio {

Pages::Pages(Seam& seam, size_t length, size_t alignment) {
  const size_t page = sys::pageSize();
  const size_t align = std::max(alignment, page);
  length_ = roundUp(length, page);
  // mmap promises page alignment only, so more is reserved and the ends are cut off.
  const size_t reserved = length_ + (align - page);
  auto* const start = static_cast<uint8_t*>(
      sys::mmap(seam, nullptr, reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0, {}));
  data_ = reinterpret_cast<uint8_t*>(roundUp(reinterpret_cast<uintptr_t>(start), align));
  const size_t head = static_cast<size_t>(data_ - start);
  const size_t tail = reserved - head - length_;
  if (head > 0) ::munmap(start, head);
  if (tail > 0) ::munmap(data_ + length_, tail);
}

Pages::~Pages() {
  ::munmap(data_, length_);
}

void Pages::mapAnonymous(Seam& seam, int flags) {
  sys::mmap(seam, data_, length_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | flags, -1,
            0, {});
}

void Pages::mapFile(Seam& seam, size_t start, size_t length, bool writable, int fd, uint64_t offset,
                    const std::string& path) {
  sys::mmap(seam, data_ + start, length, writable ? PROT_READ | PROT_WRITE : PROT_READ,
            MAP_SHARED | MAP_FIXED, fd, offset, path);
}

void Pages::zero() noexcept {
  ::mmap(data_, length_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1,
         0);
}

}  // namespace vfio
