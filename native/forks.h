#pragma once

#include <cstdint>

#include "context.h"

namespace vfio {

/**
 * Keeps a range of pages out of forked children while it exists: with copy-on-write the child could end up
 * with the pages that the device writes to. Counted for the process, since the same memory may be mapped for
 * devices more than once, in parts, and from several threads.
 */
class KeptFromForks {
 public:
  /** From one page boundary to another. */
  KeptFromForks(Context& context, uintptr_t start, uintptr_t end);
  KeptFromForks(const KeptFromForks&) = delete;
  KeptFromForks& operator=(const KeptFromForks&) = delete;
  ~KeptFromForks();

  /** 0, or the errno of the kernel's refusal. */
  int error() const noexcept { return error_; }
  /** Something else is mapped there by now: its children are not our business. */
  void abandon() noexcept { abandoned_ = true; }

 private:
  Context& context_;
  const uintptr_t start_;
  const uintptr_t end_;
  int error_ = 0;
  bool abandoned_ = false;
};

}  // namespace vfio
