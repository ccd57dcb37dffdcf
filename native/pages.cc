#include "pages.h"

#include <sys/mman.h>

#include <algorithm>

#include "errors.h"
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

std::shared_ptr<Pages> Pages::at(Seam& seam, uintptr_t address, size_t length) {
  const size_t whole = roundUp(length, sys::pageSize());
  auto* const wanted = reinterpret_cast<uint8_t*>(address);
  auto* const start = static_cast<uint8_t*>(
      sys::mmap(seam, wanted, whole, PROT_NONE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0, {}));
  auto pages = std::shared_ptr<Pages>(new Pages(start, whole));
  // A kernel before 4.17 takes the address for a hint.
  if (start != wanted) throw SysError(EEXIST, "mmap", {});
  return pages;
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
