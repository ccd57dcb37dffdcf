#include <type_traits>

#include "bar.h"

/**
 * The register accessors: raw N-API callbacks, because they cost a quarter of a wrapped one. Each makes
 * exactly one volatile access of exactly its width, or refuses before it touches anything.
 */
namespace vfio {
namespace {

template <typename T>
napi_value read(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument = nullptr;
  void* data = nullptr;
  double offset = 0;
  napi_get_cb_info(env, info, &count, &argument, nullptr, &data);
  if (napi_get_value_double(env, argument, &offset) != napi_ok) return nullptr;
  void* const address = static_cast<const BarMapping*>(data)->at(offset, sizeof(T));
  if (address == nullptr) return nullptr;
  const T value = *static_cast<volatile T*>(address);
  napi_value result = nullptr;
  if constexpr (std::is_same_v<T, uint64_t>) {
    napi_create_bigint_uint64(env, value, &result);
  } else {
    napi_create_uint32(env, value, &result);
  }
  return result;
}

template <typename T>
bool valueFrom(napi_env env, napi_value argument, T* value) {
  if constexpr (std::is_same_v<T, uint64_t>) {
    bool lossless = false;
    return napi_get_value_bigint_uint64(env, argument, value, &lossless) == napi_ok;
  } else {
    uint32_t number = 0;
    if (napi_get_value_uint32(env, argument, &number) != napi_ok) return false;
    *value = static_cast<T>(number);
    return true;
  }
}

template <typename T>
bool store(BarMapping* bar, double offset, T value) {
  void* const address = bar->at(offset, sizeof(T));
  if (address == nullptr || !bar->writable()) return false;
  // A device that stopped answering swallows stores. Its dead pages are memory, which would give them back.
  if (bar->deaths() != 0) return true;
  *static_cast<volatile T*>(address) = value;
  if (bar->deaths() != 0) bar->wipe();
  return true;
}

template <typename T>
napi_value write(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2] = {nullptr, nullptr};
  void* data = nullptr;
  double offset = 0;
  T value = 0;
  napi_get_cb_info(env, info, &count, arguments, nullptr, &data);
  const bool done = napi_get_value_double(env, arguments[0], &offset) == napi_ok &&
                    valueFrom(env, arguments[1], &value) &&
                    store(static_cast<BarMapping*>(data), offset, value);
  napi_value result = nullptr;
  napi_get_boolean(env, done, &result);
  return result;
}

/** A function may outlive the handle: each holds the mapping, and gets at it without a detour. */
void add(Napi::Object target, const char* name, napi_callback callback,
         const std::shared_ptr<BarMapping>& bar) {
  Napi::Env env = target.Env();
  napi_value function = nullptr;
  NAPI_THROW_IF_FAILED_VOID(
      env, napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, bar.get(), &function));
  auto keep = std::make_unique<std::shared_ptr<BarMapping>>(bar);
  const napi_finalize drop = [](napi_env, void* data, void*) {
    delete static_cast<std::shared_ptr<BarMapping>*>(data);
  };
  NAPI_THROW_IF_FAILED_VOID(env, napi_add_finalizer(env, function, keep.get(), drop, nullptr, nullptr));
  keep.release();
  target.Set(name, function);
}

}  // namespace

Napi::Value makeAccessors(Napi::Env env, const std::shared_ptr<BarMapping>& bar) {
  Napi::Object accessors = Napi::Object::New(env);
  add(accessors, "read8", read<uint8_t>, bar);
  add(accessors, "read16", read<uint16_t>, bar);
  add(accessors, "read32", read<uint32_t>, bar);
  add(accessors, "read64", read<uint64_t>, bar);
  add(accessors, "write8", write<uint8_t>, bar);
  add(accessors, "write16", write<uint16_t>, bar);
  add(accessors, "write32", write<uint32_t>, bar);
  add(accessors, "write64", write<uint64_t>, bar);
  return accessors;
}

}  // namespace vfio
