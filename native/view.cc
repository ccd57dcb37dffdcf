#include "view.h"

namespace vfio {
namespace {

struct Keep {
  std::shared_ptr<Context> context;
  std::shared_ptr<void> owner;
  std::shared_ptr<void> pages;
};

void collect(napi_env env, void*, void* hint) {
  auto* const keep = static_cast<Keep*>(hint);
  const std::shared_ptr<Context> context = keep->context;
  delete keep;
  context->drain(env);
}

}  // namespace

View::~View() {
  if (cached_ != nullptr) context_.discard(cached_);
}

Napi::Value View::get(Napi::Env env, uint8_t* data, size_t length, std::shared_ptr<void> owner,
                      std::shared_ptr<void> pages) {
  napi_value buffer = nullptr;
  if (cached_ != nullptr) {
    if (napi_get_reference_value(env, cached_, &buffer) == napi_ok && buffer != nullptr) return {env, buffer};
    napi_delete_reference(env, std::exchange(cached_, nullptr));
  }
  auto* const keep = new Keep{context_.shared_from_this(), std::move(owner), std::move(pages)};
  const napi_status status = napi_create_external_arraybuffer(env, data, length, collect, keep, &buffer);
  if (status == napi_no_external_buffers_allowed) {
    delete keep;
    Napi::Error error =
        Napi::Error::New(env,
                         "This runtime forbids ArrayBuffers over memory that is not its own "
                         "(the V8 sandbox): use the register accessors, and memory the runtime made");
    error.Set("code", "ERR_VFIO_NO_EXTERNAL_BUFFERS");
    throw error;
  }
  if (status != napi_ok) {
    // Too large for this runtime. Whether it calls `collect` then depends on its version, so only what is
    // held goes.
    keep->owner.reset();
    keep->pages.reset();
    throw Napi::Error::New(env);
  }
  NAPI_THROW_IF_FAILED(env, napi_create_reference(env, buffer, 0, &cached_), Napi::Value());
  return {env, buffer};
}

}  // namespace vfio
