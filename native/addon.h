#pragma once

#include <napi.h>

#include <memory>

#include "context.h"
#include "loop.h"

namespace vfio {

/** One environment's instance: everything that is not in here is either a resource or immutable. */
struct Addon {
  explicit Addon(Napi::Env own) : env(own), context(std::make_shared<Context>()), loop(own, context) {}
  static Addon& of(Napi::Env env);

  const Napi::Env env;
  const std::shared_ptr<Context> context;
  Loop loop;
};

}  // namespace vfio
