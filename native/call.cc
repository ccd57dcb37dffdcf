#include "call.h"

#include <cmath>

namespace vfio {
namespace {

[[noreturn]] void wrong(Napi::Env env, const char* name, const std::string& rule) {
  throw Napi::TypeError::New(env, std::string(name) + " must be " + rule);
}

/** What a typed array of exactly that type shows; false for any other value. */
template <typename T>
bool elements(Napi::Value value, napi_typedarray_type wanted, T** data, size_t* count) {
  napi_typedarray_type type = napi_int8_array;
  void* start = nullptr;
  if (!value.IsTypedArray() ||
      napi_get_typedarray_info(value.Env(), value, &type, count, &start, nullptr, nullptr) != napi_ok) {
    return false;
  }
  *data = static_cast<T*>(start);
  return type == wanted;
}

}  // namespace

bool alive(Napi::Env env) {
  napi_value ignored = nullptr;
  return napi_coerce_to_bool(env, env.Undefined(), &ignored) == napi_ok;
}

int64_t integerFrom(Napi::Value value, const char* name, int64_t min, int64_t max) {
  double number = 0;
  if (napi_get_value_double(value.Env(), value, &number) != napi_ok || std::trunc(number) != number ||
      !(number >= static_cast<double>(min) && number <= static_cast<double>(max))) {
    wrong(value.Env(), name, "an integer from " + std::to_string(min) + " to " + std::to_string(max));
  }
  return static_cast<int64_t>(number);
}

int64_t Call::integer(size_t index, const char* name, int64_t min, int64_t max) const {
  return integerFrom(value(index), name, min, max);
}

uint32_t Call::u32(size_t index, const char* name) const {
  return static_cast<uint32_t>(integer(index, name, 0, UINT32_MAX));
}

uint64_t Call::size(size_t index, const char* name) const {
  return static_cast<uint64_t>(integer(index, name, 0, kMaxSafeInteger));
}

uint64_t bigintFrom(Napi::Value value, const char* name) {
  uint64_t number = 0;
  bool lossless = false;
  if (napi_get_value_bigint_uint64(value.Env(), value, &number, &lossless) != napi_ok || !lossless) {
    wrong(value.Env(), name, "a bigint from 0n to 2n ** 64n - 1n");
  }
  return number;
}

uint64_t Call::bigint(size_t index, const char* name) const {
  return bigintFrom(value(index), name);
}

std::optional<uint32_t> Call::u32OrNull(size_t index, const char* name) const {
  if (value(index).IsNull()) return std::nullopt;
  return u32(index, name);
}

std::optional<uint64_t> Call::bigintOrNull(size_t index, const char* name) const {
  if (value(index).IsNull()) return std::nullopt;
  return bigint(index, name);
}

Bytes Call::bytesOrNull(size_t index, const char* name) const {
  if (value(index).IsNull()) return {nullptr, 0};
  return bytes(index, name);
}

std::string Call::string(size_t index, const char* name) const {
  const Napi::Value text = value(index);
  if (!text.IsString()) wrong(env(), name, "a string");
  std::string result = text.As<Napi::String>();
  // The kernel would see the part before it: a different name.
  if (result.find('\0') != std::string::npos) wrong(env(), name, "a string without null characters");
  return result;
}

bool Call::boolean(size_t index, const char* name) const {
  const Napi::Value flag = value(index);
  if (!flag.IsBoolean()) wrong(env(), name, "a boolean");
  return flag.As<Napi::Boolean>();
}

Bytes Call::bytes(size_t index, const char* name) const {
  Bytes bytes{};
  if (!elements(value(index), napi_uint8_array, &bytes.data, &bytes.length)) {
    wrong(env(), name, "a Uint8Array");
  }
  return bytes;
}

Words Call::words(size_t index, const char* name) const {
  Words words{};
  if (!elements(value(index), napi_biguint64_array, &words.data, &words.count)) {
    wrong(env(), name, "a BigUint64Array");
  }
  return words;
}

Napi::Function Call::function(size_t index, const char* name) const {
  if (!value(index).IsFunction()) wrong(env(), name, "a function");
  return value(index).As<Napi::Function>();
}

Napi::Array Call::array(size_t index, const char* name) const {
  if (!value(index).IsArray()) wrong(env(), name, "an array");
  return value(index).As<Napi::Array>();
}

}  // namespace vfio
