#include "seam.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace vfio {

void Seam::Answer::writeTo(void* argument) const noexcept {
  if (bytes.empty()) return;
  // Like the kernel: no more than there is room for.
  uint32_t room = 0;
  std::memcpy(&room, argument, sizeof room);
  if (at >= room) return;
  std::memcpy(static_cast<uint8_t*>(argument) + at, bytes.data(), std::min(bytes.size(), room - at));
}

void Seam::failNext(const std::string& syscall, int error, unsigned skip) {
  std::lock_guard<std::mutex> lock(mutex_);
  failures_.erase(syscall);
  if (error != 0) failures_.emplace(syscall, Failure{error, skip});
  update();
}

int Seam::take(const char* syscall) noexcept {
  if (!armed_.load(std::memory_order_relaxed)) return 0;
  std::lock_guard<std::mutex> lock(mutex_);
  const auto entry = failures_.find(std::string_view(syscall));
  if (entry == failures_.end() || entry->second.skip-- > 0) return 0;
  const int error = entry->second.error;
  failures_.erase(entry);
  update();
  return error;
}

void Seam::answerNext(const std::string& name, Answer answer, unsigned times) {
  std::lock_guard<std::mutex> lock(mutex_);
  answers_.erase(name);
  if (times > 0) answers_.emplace(name, Answers{std::make_shared<const Answer>(std::move(answer)), times});
  update();
}

std::shared_ptr<const Seam::Answer> Seam::answer(const char* name) noexcept {
  if (!armed_.load(std::memory_order_relaxed)) return nullptr;
  std::lock_guard<std::mutex> lock(mutex_);
  const auto entry = answers_.find(std::string_view(name));
  if (entry == answers_.end()) return nullptr;
  auto answer = entry->second.answer;
  if (--entry->second.times == 0) {
    answers_.erase(entry);
    update();
  }
  return answer;
}

void Seam::update() noexcept {
  armed_.store(!failures_.empty() || !answers_.empty(), std::memory_order_relaxed);
}

}  // namespace vfio
