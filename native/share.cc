#include "share.h"

#include <unordered_map>
#include <vector>

namespace vfio {

bool Share::revoke() noexcept {
  // Dropped outside the lock: it may be the last reference.
  std::shared_ptr<Resource> lent;
  std::lock_guard<std::mutex> lock(mutex_);
  revoked_.store(true, std::memory_order_release);
  lent.swap(lent_);
  return user_ == User::Borrower;
}

std::shared_ptr<Resource> Share::lent() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return lent_;
}

int64_t Share::take(User user, int64_t thread) noexcept {
  std::lock_guard<std::mutex> lock(mutex_);
  // There may be several borrowers, but only one lender.
  if (user_ != User::Nobody && !(user_ == User::Lender && user == User::Lender)) return thread_;
  user_ = user;
  thread_ = thread;
  return kNoThread;
}

void Share::giveBack(User user) noexcept {
  std::lock_guard<std::mutex> lock(mutex_);
  if (user_ != user) return;
  user_ = User::Nobody;
  thread_ = kNoThread;
}

int64_t Share::borrower() const noexcept {
  std::lock_guard<std::mutex> lock(mutex_);
  return user_ == User::Borrower ? thread_ : kNoThread;
}

namespace shares {
namespace {

// One for the process, since that is what it is for. Never destroyed: threads may outlive static destructors.
struct Registry {
  std::mutex mutex;
  std::unordered_map<std::string, std::shared_ptr<Share>> shares;
  /** Their number, for those who would only look whether there are any. */
  std::atomic<size_t> count{0};
};
Registry& registry() {
  static auto* const all = new Registry;
  return *all;
}

}  // namespace

void add(const std::string& key, std::shared_ptr<Share> share) {
  Registry& all = registry();
  std::lock_guard<std::mutex> lock(all.mutex);
  all.shares.emplace(key, std::move(share));
  all.count.store(all.shares.size());
}

std::shared_ptr<Share> find(const std::string& key) {
  Registry& all = registry();
  std::lock_guard<std::mutex> lock(all.mutex);
  const auto found = all.shares.find(key);
  return found == all.shares.end() ? nullptr : found->second;
}

void revoke(const std::string& key) noexcept {
  Registry& all = registry();
  std::shared_ptr<Share> share;
  {
    std::lock_guard<std::mutex> lock(all.mutex);
    const auto found = all.shares.find(key);
    if (found == all.shares.end()) return;
    share.swap(found->second);
    all.shares.erase(found);
    all.count.store(all.shares.size());
  }
  share->revoke();
}

bool revoke(const Resource& lent) noexcept {
  Registry& all = registry();
  if (all.count.load() == 0) return false;
  // Several of a huge page that is handed out in pieces.
  std::vector<std::shared_ptr<Share>> ended;
  {
    std::lock_guard<std::mutex> lock(all.mutex);
    for (auto entry = all.shares.begin(); entry != all.shares.end();) {
      if (entry->second->isOf(lent)) {
        ended.push_back(std::move(entry->second));
        entry = all.shares.erase(entry);
      } else {
        ++entry;
      }
    }
    all.count.store(all.shares.size());
  }
  bool borrowed = false;
  for (const auto& share : ended) borrowed = share->revoke() || borrowed;
  return borrowed;
}

}  // namespace shares
}  // namespace vfio
