#include "info.h"

namespace vfio {

Napi::Array InfoBlock::capabilities(Napi::Env env, uint32_t offset) const {
  Napi::Array result = Napi::Array::New(env);
  constexpr uint32_t header = sizeof(vfio_info_cap_header);
  uint32_t at = offset;
  // A chain that points backwards or outside ends here: whatever a kernel answers, nothing is read twice or
  // beyond.
  while (at >= header && at <= bytes_.size() - header) {
    vfio_info_cap_header capability;
    std::memcpy(&capability, bytes_.data() + at, header);
    // Nothing says how long a capability is; it cannot reach into the next one.
    const bool more = capability.next > at && capability.next <= bytes_.size() - header;
    const uint32_t start = at + header;
    const uint32_t end = more ? capability.next : static_cast<uint32_t>(bytes_.size());
    const uint32_t length = end > start ? end - start : 0;
    Napi::Uint8Array data = Napi::Uint8Array::New(env, length);
    if (length > 0) std::memcpy(data.Data(), bytes_.data() + start, length);
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("id", capability.id);
    entry.Set("version", capability.version);
    entry.Set("data", data);
    result.Set(result.Length(), entry);
    if (!more) break;
    at = capability.next;
  }
  return result;
}

}  // namespace vfio
