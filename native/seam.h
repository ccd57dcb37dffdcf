#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace vfio {

/**
 * Where tests make system calls fail, or ioctls answer what no sound kernel would: one per environment, asked
 * before each call. It costs one relaxed load while nothing is armed.
 */
class Seam {
 public:
  /** What an ioctl answers. */
  struct Answer {
    /** The call's result, where negative an errno; without one the kernel is asked first. */
    std::optional<int> result;
    /** What is then written over its argument, a structure that starts with its own size, from byte `at` on.
     */
    size_t at = 0;
    std::vector<uint8_t> bytes;

    void writeTo(void* argument) const noexcept;
  };

  /** The `skip + 1`-th next call of that name fails with `error`; 0 clears. */
  void failNext(const std::string& syscall, int error, unsigned skip);
  /** The errno to fail this call with, or 0. Any thread. */
  int take(const char* syscall) noexcept;

  /** The next `times` ioctls of that name answer so; 0 clears. */
  void answerNext(const std::string& name, Answer answer, unsigned times);
  /** The answer to give to this ioctl, if any. Any thread. */
  std::shared_ptr<const Answer> answer(const char* name) noexcept;

 private:
  struct Failure {
    int error;
    unsigned skip;
  };
  struct Answers {
    std::shared_ptr<const Answer> answer;
    unsigned times;
  };
  void update() noexcept;

  std::atomic<bool> armed_{false};
  std::mutex mutex_;
  std::map<std::string, Failure, std::less<>> failures_;
  std::map<std::string, Answers, std::less<>> answers_;
};

}  // namespace vfio
