#pragma once

#include <unistd.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "errors.h"

namespace vfio {

/** Owns one file descriptor. */
class UniqueFd {
 public:
  explicit UniqueFd(int fd = -1) noexcept : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  UniqueFd& operator=(UniqueFd&&) = delete;
  ~UniqueFd() {
    // Not retried: on Linux the descriptor is gone even when close(2) reports EINTR.
    if (fd_ >= 0) ::close(fd_);
  }

  int get() const noexcept { return fd_; }

 private:
  int fd_;
};

using FdRef = std::shared_ptr<const UniqueFd>;

/**
 * A descriptor that can be closed while other threads use it: every operation takes a reference first, so
 * that the number is never closed, and never reused, under a running system call.
 */
class SharedFd {
 public:
  SharedFd(const char* owner, int fd) : owner_(owner), fd_(std::make_shared<const UniqueFd>(fd)) {}

  /** For an operation; throws `ClosedError` once the owner was closed. */
  FdRef use() const {
    std::lock_guard<std::mutex> lock(mutex_);
    if (refused_ || !fd_) throw ClosedError(owner_);
    return fd_;
  }
  /** From here on `use` throws, while `last` and `take` still find the descriptor for the owner's last calls.
   */
  void refuse() {
    std::lock_guard<std::mutex> lock(mutex_);
    refused_ = true;
  }
  /**
   * Refuses, and waits for the operations that are running, so that closing closes: an operation that came
   * back later would keep the kernel's object open until then. Not for ever, as one may hang in a device.
   */
  void drain() noexcept {
    refuse();
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    // One reference is the owner's, one is this look's.
    while (peek().use_count() > 2 && std::chrono::steady_clock::now() < limit) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  /** Like `use`, but also after `refuse`. */
  FdRef last() const {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!fd_) throw ClosedError(owner_);
    return fd_;
  }
  /** The owner's reference, for closing; null when it was taken before. */
  FdRef take() {
    std::lock_guard<std::mutex> lock(mutex_);
    return std::exchange(fd_, nullptr);
  }
  /** Like `last`, but null instead of an exception. */
  FdRef peek() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return fd_;
  }

 private:
  const char* const owner_;
  mutable std::mutex mutex_;
  FdRef fd_;
  bool refused_ = false;
};

}  // namespace vfio
