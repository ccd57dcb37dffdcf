#pragma once

#include <napi.h>

#include <memory>

#include "context.h"

namespace vfio {

/**
 * The one ArrayBuffer over some pages. It is made when first asked for and keeps `owner` and `pages` alive;
 * the cache refers to it weakly, so that it can be collected (and is then made again).
 */
class View {
 public:
  explicit View(Context& context) : context_(context) {}
  View(const View&) = delete;
  View& operator=(const View&) = delete;
  ~View();

  Napi::Value get(Napi::Env env, uint8_t* data, size_t length, std::shared_ptr<void> owner,
                  std::shared_ptr<void> pages);

 private:
  Context& context_;
  napi_ref cached_ = nullptr;
};

}  // namespace vfio
