#include "addon.h"

#include "bar.h"
#include "call.h"
#include "cdev.h"
#include "container.h"
#include "device.h"
#include "dirty.h"
#include "display.h"
#include "dma.h"
#include "eventfd.h"
#include "feature.h"
#include "file.h"
#include "group.h"
#include "hot-reset.h"
#include "hwpt.h"
#include "ioas.h"
#include "ioeventfd.h"
#include "iommufd.h"
#include "irq.h"
#include "memory.h"
#include "region.h"
#include "restore.h"
#include "share.h"
#include "sys.h"
#include "teardown.h"
#include "viommu.h"

namespace vfio {

Addon& Addon::of(Napi::Env env) {
  void* data = nullptr;
  NAPI_FATAL_IF_FAILED(napi_get_instance_data(env, &data), "Addon::of", "no instance data");
  return **static_cast<std::shared_ptr<Addon>*>(data);
}

namespace {

Napi::Value liveObjects(Call& call) {
  constexpr const char* names[kKinds] = {"containers", "groups",   "devices",  "bars",     "memories",
                                         "dmaMaps",    "eventfds", "restores", "iommufds", "files"};
  Napi::Object counts = Napi::Object::New(call.env());
  for (int kind = 0; kind < kKinds; kind++) {
    counts.Set(names[kind], static_cast<double>(call.context().count(static_cast<Kind>(kind))));
  }
  return counts;
}

Napi::Value failNext(Call& call) {
  const std::string syscall = call.string(0, "syscall");
  const auto error = static_cast<int>(call.integer(1, "errno", 0, 4095));
  call.context().seam.failNext(syscall, error, call.u32(2, "skip"));
  return call.undefined();
}

Napi::Value answerNext(Call& call) {
  const std::string name = call.string(0, "name");
  Seam::Answer answer;
  if (!call.value(1).IsNull()) {
    answer.result = static_cast<int>(call.integer(1, "result", INT32_MIN, INT32_MAX));
  }
  answer.at = call.u32(2, "at");
  const Bytes bytes = call.bytes(3, "bytes");
  answer.bytes.assign(bytes.data, bytes.data + bytes.length);
  call.context().seam.answerNext(name, std::move(answer), call.u32(4, "times"));
  return call.undefined();
}

/**
 * The environment ends. An asynchronous hook, because closing the loop's handle takes a turn of the event
 * loop, which a terminating worker runs for these hooks only. Finalizers may have run by now, or may run
 * later: both hold the addon.
 */
void onEnvironmentEnd(napi_async_cleanup_hook_handle hook, void* data) {
  auto* const addon = static_cast<std::shared_ptr<Addon>*>(data);
  teardown(*(*addon)->context);
  (*addon)->context->drain((*addon)->env);
  (*addon)->loop.close([addon, hook] {
    delete addon;
    napi_remove_async_cleanup_hook(hook);
  });
}

Napi::Object init(Napi::Env env, Napi::Object target) {
  const auto addon = std::make_shared<Addon>(env);
  const napi_finalize drop = [](napi_env, void* data, void*) {
    delete static_cast<std::shared_ptr<Addon>*>(data);
  };
  NAPI_THROW_IF_FAILED(env, napi_set_instance_data(env, new std::shared_ptr<Addon>(addon), drop, nullptr),
                       target);
  NAPI_THROW_IF_FAILED(
      env, napi_add_async_cleanup_hook(env, onEnvironmentEnd, new std::shared_ptr<Addon>(addon), nullptr),
      target);
  teardownAtExit(addon->context);

  Exports exports(target);
  exports.value("pageSize", static_cast<double>(sys::pageSize()));
  exportContainer(exports);
  exportDma(exports);
  exportGroup(exports);
  exportDevice(exports);
  exportRegion(exports);
  exportBar(exports);
  exportIrq(exports);
  exportIoEventFd(exports);
  exportEventFd(exports);
  exportLoop(exports);
  exportMemory(exports);
  exportRestore(exports);
  exportShare(exports);
  exportIommufd(exports);
  exportIoas(exports);
  exportIoasMap(exports);
  exportHwpt(exports);
  exportViommu(exports);
  exportCdev(exports);
  exportFile(exports);
  exportFeature(exports);
  exportHotReset(exports);
  exportDisplay(exports);
  exportDirty(exports);
  exports.add<liveObjects>("liveObjects");
  exports.add<failNext>("failNext");
  exports.add<answerNext>("answerNext");
  return target;
}

}  // namespace
}  // namespace vfio

static Napi::Object start(Napi::Env env, Napi::Object exports) {
  return vfio::init(env, exports);
}

NODE_API_MODULE(vfio, start)
