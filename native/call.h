#pragma once

#include <napi.h>

#include <memory>
#include <optional>
#include <string>

#include "addon.h"
#include "context.h"
#include "errors.h"
#include "handle.h"

namespace vfio {

/** The bytes a Uint8Array shows, over an ArrayBuffer or a SharedArrayBuffer. */
struct Bytes {
  uint8_t* data;
  size_t length;
};

/** The words a BigUint64Array shows. */
struct Words {
  uint64_t* data;
  size_t count;
};

/** One call from JavaScript: its arguments, each checked for its type where it is taken. */
class Call {
 public:
  Call(const Napi::CallbackInfo& info, Addon& addon) : info_(info), addon_(addon) {}

  Napi::Env env() const { return info_.Env(); }
  Addon& addon() const { return addon_; }
  Context& context() const { return *addon_.context; }
  Napi::Value undefined() const { return env().Undefined(); }

  Napi::Value value(size_t index) const { return info_[index]; }
  std::string string(size_t index, const char* name) const;
  bool boolean(size_t index, const char* name) const;
  /** An integer in `[min, max]`, both of which must be safe integers. */
  int64_t integer(size_t index, const char* name, int64_t min, int64_t max) const;
  uint32_t u32(size_t index, const char* name) const;
  /** A length, an offset, an address within a file: 0 to 2^53 - 1. */
  uint64_t size(size_t index, const char* name) const;
  uint64_t bigint(size_t index, const char* name) const;
  Bytes bytes(size_t index, const char* name) const;
  Words words(size_t index, const char* name) const;
  /** The same where null says that there is none. */
  std::optional<uint32_t> u32OrNull(size_t index, const char* name) const;
  std::optional<uint64_t> bigintOrNull(size_t index, const char* name) const;
  /** No data and no length for null. */
  Bytes bytesOrNull(size_t index, const char* name) const;
  Napi::Function function(size_t index, const char* name) const;
  Napi::Array array(size_t index, const char* name) const;
  template <typename T>
  std::shared_ptr<T> handle(size_t index, const char* name) const {
    return std::static_pointer_cast<T>(unwrap(value(index), T::kKind, name));
  }

 private:
  const Napi::CallbackInfo& info_;
  Addon& addon_;
};

/** Checks one value the way `Call::integer` does, for values inside arrays and objects. */
int64_t integerFrom(Napi::Value value, const char* name, int64_t min, int64_t max);
/** The same for `Call::bigint`. */
uint64_t bigintFrom(Napi::Value value, const char* name);

/** False once the environment is ending: no JavaScript may run, so nobody is left to wait for anything. */
bool alive(Napi::Env env);

constexpr int64_t kMaxSafeInteger = (int64_t{1} << 53) - 1;

using Method = Napi::Value (*)(Call&);

/** What the runtime calls: finds the environment's addon, and turns C++ exceptions into JavaScript's. */
template <Method method>
Napi::Value invoke(const Napi::CallbackInfo& info) {
  return translate(info.Env(), [&]() -> Napi::Value {
    Addon& addon = Addon::of(info.Env());
    addon.context->drain(info.Env());
    Call call(info, addon);
    return method(call);
  });
}

/** The object `require` returns, being filled. */
class Exports {
 public:
  explicit Exports(Napi::Object target) : target_(target) {}
  template <Method method>
  void add(const char* name) {
    target_.Set(name, Napi::Function::New<invoke<method>>(target_.Env(), name));
  }
  void value(const char* name, double number) { target_.Set(name, number); }

 private:
  Napi::Object target_;
};

}  // namespace vfio
