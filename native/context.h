#pragma once

#include <node_api.h>

#include <array>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "resource.h"
#include "seam.h"

namespace vfio {

/**
 * What belongs to one environment (main thread or worker) and does not depend on JavaScript being alive: the
 * live resources, the failure seam, and references that only the environment's thread may drop. Resources
 * share it, so it outlives them, whoever holds them last.
 */
class Context : public std::enable_shared_from_this<Context> {
 public:
  Seam seam;

  /** Makes a resource and enters it into the live ones, where teardown finds it. */
  template <typename T, typename... Args>
  std::shared_ptr<T> make(Args&&... args) {
    auto resource = std::make_shared<T>(shared_from_this(), std::forward<Args>(args)...);
    add(resource);
    return resource;
  }
  /**
   * Nothing is added any more: what the thread pool is still opening is given back at once. A device that
   * was opened behind the back of teardown would make the restore of its driver wait for ever.
   */
  void end() noexcept;
  /** Throws `ClosedError`, and releases the resource, after `end`. */
  void add(const std::shared_ptr<Resource>& resource);
  void remove(const Resource* resource) noexcept;
  size_t count(Kind kind) const;
  /** The live ones of a kind; a snapshot, so that they may be released while it is walked. */
  template <typename T>
  std::vector<std::shared_ptr<T>> live() const {
    std::vector<std::shared_ptr<T>> found;
    std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& entry : live_[static_cast<size_t>(T::kKind)]) {
      if (auto resource = entry.second.lock()) found.push_back(std::static_pointer_cast<T>(resource));
    }
    return found;
  }

  /** Resources that are still wanted when nobody in JavaScript holds them any more, in the order of their
   * making. */
  void keep(std::shared_ptr<Resource> resource);
  void drop(const std::shared_ptr<Resource>& resource) noexcept;
  std::vector<std::shared_ptr<Resource>> kept() const;

  /** Drops a JavaScript reference: now is not possible on another thread, so at the next `drain`. */
  void discard(napi_ref reference) noexcept;
  /**
   * On the environment's thread, as long as it lives: also while it ends, since it does not free references
   * by itself.
   */
  void drain(napi_env env) noexcept;

 private:
  mutable std::mutex mutex_;
  std::array<std::unordered_map<const Resource*, std::weak_ptr<Resource>>, kKinds> live_;
  std::vector<std::shared_ptr<Resource>> kept_;
  bool ended_ = false;
  std::vector<napi_ref> discarded_;
};

}  // namespace vfio
