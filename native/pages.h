#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "seam.h"

namespace vfio {

/** A range of addresses of this process, unmapped with its last owner. What is mapped into it may change. */
class Pages {
 public:
  /** Reserves without access; `alignment` is a power of two, `length` is rounded up to pages. */
  Pages(Seam& seam, size_t length, size_t alignment);
  /** Reserves exactly there; `EEXIST` when anything is mapped in the range. */
  static std::shared_ptr<Pages> at(Seam& seam, uintptr_t address, size_t length);
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;
  ~Pages();

  uint8_t* data() const noexcept { return data_; }
  size_t length() const noexcept { return length_; }

  /** Anonymous zeroed pages over the whole range; `flags` adds to `MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED`.
   */
  void mapAnonymous(Seam& seam, int flags);
  /** A file's pages over `[start, start + length)`, shared. */
  void mapFile(Seam& seam, size_t start, size_t length, bool writable, int fd, uint64_t offset,
               const std::string& path);
  /** Gives the memory back while addresses keep working: they show zeroes from here on. */
  void zero() noexcept;

 private:
  Pages(uint8_t* data, size_t length) : data_(data), length_(length) {}

  uint8_t* data_ = nullptr;
  size_t length_ = 0;
};

/** `value` rounded up to a multiple of `unit`, a power of two. */
constexpr size_t roundUp(size_t value, size_t unit) {
  return (value + unit - 1) & ~(unit - 1);
}

}  // namespace vfio
