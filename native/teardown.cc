#include "teardown.h"

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <vector>

#include "bar.h"
#include "device.h"
#include "dma.h"
#include "eventfd.h"
#include "file.h"
#include "group.h"
#include "iommufd.h"
#include "restore.h"

namespace vfio {
namespace {

template <typename T>
void releaseAll(Context& context) noexcept {
  for (const auto& resource : context.live<T>()) resource->release();
}

// process.exit() on the main thread runs atexit handlers, but no cleanup hooks of its environment. Never
// destroyed: static destructors run among those handlers.
struct Survivors {
  std::mutex mutex;
  std::vector<std::weak_ptr<Context>> contexts;
};
Survivors& survivors() {
  static auto* const all = new Survivors;
  return *all;
}

void atExit() {
  Survivors& all = survivors();
  std::vector<std::weak_ptr<Context>> contexts;
  {
    std::lock_guard<std::mutex> lock(all.mutex);
    contexts.swap(all.contexts);
  }
  for (const auto& entry : contexts) {
    if (const auto context = entry.lock()) teardown(*context);
  }
}

}  // namespace

void closeAll(Context& context) noexcept {
  context.end();
  // Nothing a device still does may reach memory that is about to be given away.
  for (const auto& device : context.live<DeviceFile>()) device->quiesce();
  releaseAll<DmaMapping>(context);
  releaseAll<BarMapping>(context);
  releaseAll<KernelFile>(context);
  releaseAll<DeviceFile>(context);
  releaseAll<GroupFile>(context);
  releaseAll<ContainerFile>(context);
  releaseAll<IommufdFile>(context);
}

void teardown(Context& context) noexcept {
  closeAll(context);
  // The last one changed is the first one put back.
  auto restores = context.kept();
  std::reverse(restores.begin(), restores.end());
  for (const auto& restore : restores) restore->release();
  releaseAll<EventFd>(context);
  releaseAll<Memory>(context);
}

void teardownAtExit(const std::shared_ptr<Context>& context) {
  static std::once_flag once;
  std::call_once(once, [] { std::atexit(atExit); });
  Survivors& all = survivors();
  std::lock_guard<std::mutex> lock(all.mutex);
  const auto gone = [](const std::weak_ptr<Context>& entry) { return entry.expired(); };
  all.contexts.erase(std::remove_if(all.contexts.begin(), all.contexts.end(), gone), all.contexts.end());
  all.contexts.push_back(context);
}

}  // namespace vfio
