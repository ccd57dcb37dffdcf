#include "seam.h"

namespace vfio {

void Seam::failNext(const std::string& syscall, int error, unsigned skip) {
  std::lock_guard<std::mutex> lock(mutex_);
  failures_.erase(syscall);
  if (error != 0) failures_.emplace(syscall, Failure{error, skip});
  armed_.store(!failures_.empty(), std::memory_order_relaxed);
}

int Seam::take(const char* syscall) noexcept {
  if (!armed_.load(std::memory_order_relaxed)) return 0;
  std::lock_guard<std::mutex> lock(mutex_);
  for (auto it = failures_.begin(); it != failures_.end(); ++it) {
    if (it->first != syscall) continue;
    if (it->second.skip-- > 0) return 0;
    const int error = it->second.error;
    failures_.erase(it);
    armed_.store(!failures_.empty(), std::memory_order_relaxed);
    return error;
  }
  return 0;
}

}  // namespace vfio
