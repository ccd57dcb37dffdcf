#include "context.h"

#include <algorithm>

#include "errors.h"

namespace vfio {

void Resource::forget() noexcept {
  context_->remove(this);
}

void Context::end() noexcept {
  std::lock_guard<std::mutex> lock(mutex_);
  ended_ = true;
}

void Context::add(const std::shared_ptr<Resource>& resource) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!ended_) {
      live_[static_cast<size_t>(resource->kind())].emplace(resource.get(), resource);
      return;
    }
  }
  resource->release();
  throw ClosedError("environment");
}

void Context::remove(const Resource* resource) noexcept {
  std::lock_guard<std::mutex> lock(mutex_);
  live_[static_cast<size_t>(resource->kind())].erase(resource);
}

size_t Context::count(Kind kind) const {
  std::lock_guard<std::mutex> lock(mutex_);
  return live_[static_cast<size_t>(kind)].size();
}

void Context::keep(std::shared_ptr<Resource> resource) {
  std::lock_guard<std::mutex> lock(mutex_);
  kept_.push_back(std::move(resource));
}

void Context::drop(const std::shared_ptr<Resource>& resource) noexcept {
  std::lock_guard<std::mutex> lock(mutex_);
  live_[static_cast<size_t>(resource->kind())].erase(resource.get());
  kept_.erase(std::remove(kept_.begin(), kept_.end(), resource), kept_.end());
}

std::vector<std::shared_ptr<Resource>> Context::kept() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return kept_;
}

void Context::discard(napi_ref reference) noexcept {
  std::lock_guard<std::mutex> lock(mutex_);
  discarded_.push_back(reference);
}

void Context::drain(napi_env env) noexcept {
  std::vector<napi_ref> references;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (discarded_.empty()) return;
    references.swap(discarded_);
  }
  for (napi_ref reference : references) napi_delete_reference(env, reference);
}

}  // namespace vfio
