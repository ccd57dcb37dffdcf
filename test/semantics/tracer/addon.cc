/** The instrument's entry for JavaScript: plain Node-API, so that it is built by one call of the compiler. */
#define NAPI_VERSION 8
#include <node_api.h>

#include <cstdio>
#include <string>
#include <vector>

#include "probe.h"
#include "trace.h"

namespace {

napi_value fail(napi_env env, const char* message) {
  napi_throw_error(env, nullptr, message);
  return nullptr;
}

template <size_t N>
bool arguments(napi_env env, napi_callback_info info, napi_value (&values)[N]) {
  size_t count = N;
  return napi_get_cb_info(env, info, &count, values, nullptr, nullptr) == napi_ok && count >= N;
}

bool address(napi_env env, napi_value value, uint8_t** result) {
  uint64_t number = 0;
  bool lossless = false;
  if (napi_get_value_bigint_uint64(env, value, &number, &lossless) != napi_ok) return false;
  *result = reinterpret_cast<uint8_t*>(number);
  return true;
}

napi_value start(napi_env env, napi_callback_info info) {
  napi_value given[2];
  uint8_t* pages = nullptr;
  uint32_t length = 0;
  if (!arguments(env, info, given) || !address(env, given[0], &pages) ||
      napi_get_value_uint32(env, given[1], &length) != napi_ok)
    return fail(env, "start(address, length)");
  return trace::start(pages, length) ? nullptr : fail(env, "the pages cannot be watched");
}

void set(napi_env env, napi_value object, const char* name, napi_value value) {
  napi_set_named_property(env, object, name, value);
}

napi_value describe(napi_env env, const trace::Access& access) {
  napi_value result = nullptr;
  napi_value value = nullptr;
  napi_create_object(env, &result);
  napi_create_uint32(env, access.offset, &value);
  set(env, result, "offset", value);
  napi_create_uint32(env, access.width, &value);
  set(env, result, "width", value);
  napi_get_boolean(env, access.reads, &value);
  set(env, result, "reads", value);
  napi_get_boolean(env, access.writes, &value);
  set(env, result, "writes", value);
  napi_create_bigint_uint64(env, access.value, &value);
  set(env, result, "value", value);
  std::string code;
  for (const uint8_t byte : access.code) {
    char text[4];
    std::snprintf(text, sizeof text, "%02x ", byte);
    code += text;
  }
  napi_create_string_utf8(env, code.c_str(), code.size() - 1, &value);
  set(env, result, "code", value);
  return result;
}

napi_value stop(napi_env env, napi_callback_info) {
  if (!trace::stop()) return fail(env, "the pages cannot be opened");
  if (trace::count() > trace::kCapacity) return fail(env, "more accesses than fit");
  napi_value list = nullptr;
  napi_create_array(env, &list);
  for (size_t i = 0; i < trace::count(); i++) {
    napi_set_element(env, list, static_cast<uint32_t>(i), describe(env, trace::at(i)));
  }
  return list;
}

napi_value serve(napi_env env, napi_callback_info info) {
  napi_value given[2];
  uint32_t offset = 0;
  uint32_t count = 0;
  if (!arguments(env, info, given) || napi_get_value_uint32(env, given[0], &offset) != napi_ok ||
      napi_get_array_length(env, given[1], &count) != napi_ok)
    return fail(env, "serve(offset, values)");
  std::vector<uint64_t> values(count);
  for (uint32_t i = 0; i < count; i++) {
    napi_value value = nullptr;
    bool lossless = false;
    napi_get_element(env, given[1], i, &value);
    if (napi_get_value_bigint_uint64(env, value, &values[i], &lossless) != napi_ok)
      return fail(env, "values must be bigints");
  }
  return trace::serve(offset, values.data(), count) ? nullptr : fail(env, "values must not be empty");
}

napi_value serveNothing(napi_env, napi_callback_info) {
  trace::serveNothing();
  return nullptr;
}

napi_value runProbe(napi_env env, napi_callback_info info) {
  napi_value given[2];
  uint32_t kind = 0;
  uint8_t* at = nullptr;
  if (!arguments(env, info, given) || napi_get_value_uint32(env, given[0], &kind) != napi_ok ||
      !address(env, given[1], &at))
    return fail(env, "probe(kind, address)");
  return probe::run(kind, at) ? nullptr : fail(env, "there is no probe of that number");
}

}  // namespace

NAPI_MODULE_INIT() {
  const struct {
    const char* name;
    napi_callback callback;
  } functions[] = {{"start", start},
                   {"stop", stop},
                   {"serve", serve},
                   {"serveNothing", serveNothing},
                   {"probe", runProbe}};
  for (const auto& [name, callback] : functions) {
    napi_value function = nullptr;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function);
    set(env, exports, name, function);
  }
  return exports;
}
