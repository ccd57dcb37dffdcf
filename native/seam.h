#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>

namespace vfio {

/**
 * Where tests make system calls fail: one per environment, asked before each call. It costs one relaxed load
 * while nothing is armed.
 */
class Seam {
 public:
  /** The `skip + 1`-th next call of that name fails with `error`; 0 clears. */
  void failNext(const std::string& syscall, int error, unsigned skip);
  /** The errno to fail this call with, or 0. Any thread. */
  int take(const char* syscall) noexcept;

 private:
  struct Failure {
    int error;
    unsigned skip;
  };
  std::atomic<bool> armed_{false};
  std::mutex mutex_;
  std::map<std::string, Failure> failures_;
};

}  // namespace vfio
