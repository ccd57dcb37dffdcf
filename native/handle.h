#pragma once

#include <napi.h>

#include <memory>

#include "resource.h"

namespace vfio {

/** An opaque JavaScript object that owns a reference to `resource`. */
Napi::Value wrap(Napi::Env env, std::shared_ptr<Resource> resource);

/** The resource behind a handle; throws a TypeError unless `value` is a handle of that kind, made by this
 * addon. */
std::shared_ptr<Resource> unwrap(Napi::Value value, Kind kind, const char* name);

}  // namespace vfio
