#include "handle.h"

#include <string>

#include "context.h"

namespace vfio {
namespace {

constexpr const char* kNames[kKinds] = {"container", "group",   "device",  "bar",     "memory",
                                        "dmaMap",    "eventfd", "restore", "iommufd", "file"};

/** A copy of this library in the same process may lay its objects out differently: its handles are not ours.
 */
napi_type_tag tag() {
  static const char self = 0;
  return {0x7f1d6a0c5b8e4293, reinterpret_cast<uintptr_t>(&self)};
}

void collect(napi_env env, void* data, void*) {
  auto* const box = static_cast<std::shared_ptr<Resource>*>(data);
  const std::shared_ptr<Context> context = (*box)->context().shared_from_this();
  delete box;
  context->drain(env);
}

}  // namespace

Napi::Value wrap(Napi::Env env, std::shared_ptr<Resource> resource) {
  Napi::Object handle = Napi::Object::New(env);
  const napi_type_tag mark = tag();
  auto box = std::make_unique<std::shared_ptr<Resource>>(std::move(resource));
  NAPI_THROW_IF_FAILED(env, napi_wrap(env, handle, box.get(), collect, nullptr, nullptr), Napi::Value());
  box.release();
  NAPI_THROW_IF_FAILED(env, napi_type_tag_object(env, handle, &mark), Napi::Value());
  return handle;
}

std::shared_ptr<Resource> unwrap(Napi::Value value, Kind kind, const char* name) {
  const napi_type_tag mark = tag();
  bool ours = false;
  void* box = nullptr;
  if (value.IsObject() && napi_check_object_type_tag(value.Env(), value, &mark, &ours) == napi_ok && ours &&
      napi_unwrap(value.Env(), value, &box) == napi_ok) {
    const auto& resource = *static_cast<std::shared_ptr<Resource>*>(box);
    if (resource->kind() == kind) return resource;
  }
  throw Napi::TypeError::New(
      value.Env(), std::string(name) + " must be a handle of the kind " + kNames[static_cast<size_t>(kind)]);
}

}  // namespace vfio
