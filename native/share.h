#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "resource.h"

namespace vfio {

class Exports;

/**
 * What one environment lets the others of the process use. It belongs to none of them: the lender says when
 * it is over, on its thread, and borrowers look at that on theirs. Neither touches JavaScript of the other.
 */
class Share {
 public:
  /** Of what only one can wait for: whose turn it is. */
  enum class User : uint8_t { Nobody, Lender, Borrower };
  static constexpr int64_t kNoThread = -1;

  /** `about` is what the lender's JavaScript tells the borrowers' about it. */
  Share(std::shared_ptr<Resource> lent, std::string what)
      : about(std::move(what)), resource_(lent.get()), lent_(std::move(lent)) {}

  bool revoked() const noexcept { return revoked_.load(std::memory_order_acquire); }
  /** For good; whether a borrower was using what only one can. */
  bool revoke() noexcept;
  /** Null once revoked. */
  std::shared_ptr<Resource> lent() const;
  bool isOf(const Resource& resource) const noexcept { return resource_ == &resource; }

  /** Returns `kNoThread` when it is that user's from now on, or was before, else the thread that has it. */
  int64_t take(User user, int64_t thread) noexcept;
  /** Does nothing when it is not that user's. */
  void giveBack(User user) noexcept;
  /** The borrower's thread, or `kNoThread`. */
  int64_t borrower() const noexcept;

  const std::string about;

 private:
  const Resource* const resource_;
  std::atomic<bool> revoked_{false};
  mutable std::mutex mutex_;
  /** Held, as a token may be all that is left of it until somebody adopts it. */
  std::shared_ptr<Resource> lent_;
  User user_ = User::Nobody;
  int64_t thread_ = kNoThread;
};

/** All shares of the process, by their keys. */
namespace shares {

void add(const std::string& key, std::shared_ptr<Share> share);
/** Null for a key that was never given, or is revoked. */
std::shared_ptr<Share> find(const std::string& key);
void revoke(const std::string& key) noexcept;
/** Everything of a resource that is about to be given back: see `Share::revoke`. */
bool revoke(const Resource& lent) noexcept;

}  // namespace shares

void exportShare(Exports& exports);

}  // namespace vfio
