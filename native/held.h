#pragma once

#include <napi.h>

#include <memory>
#include <utility>

#include "context.h"

namespace vfio {

/** Keeps a JavaScript object from the garbage collector. Any thread may let go of it. */
class Held {
 public:
  Held(Context& context, Napi::Env env, napi_value value) : context_(context.shared_from_this()) {
    NAPI_THROW_IF_FAILED_VOID(env, napi_create_reference(env, value, 1, &reference_));
  }
  Held(Held&& other) noexcept
      : context_(std::move(other.context_)), reference_(std::exchange(other.reference_, nullptr)) {}
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  Held& operator=(Held&&) = delete;
  ~Held() {
    if (reference_ != nullptr) context_->discard(reference_);
  }

  /** On the environment's thread. */
  Napi::Value value(Napi::Env env) const {
    napi_value value = nullptr;
    NAPI_THROW_IF_FAILED(env, napi_get_reference_value(env, reference_, &value), Napi::Value());
    return {env, value};
  }

 private:
  std::shared_ptr<Context> context_;
  napi_ref reference_ = nullptr;
};

}  // namespace vfio
