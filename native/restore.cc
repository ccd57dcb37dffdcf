#include "restore.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "blocking.h"
#include "sys.h"
#include "teardown.h"

namespace vfio {
namespace {

int writeFile(Seam& seam, const std::string& path, const std::string& data) noexcept {
  try {
    const UniqueFd fd(sys::open(seam, path, O_WRONLY));
    // sysfs takes a value as one write.
    return ::write(fd.get(), data.data(), data.size()) < 0 ? errno : 0;
  } catch (const SysError& error) {
    return error.error();
  } catch (const std::exception&) {
    return ENOMEM;
  }
}

}  // namespace

std::vector<int> Restore::run() noexcept {
  std::lock_guard<std::mutex> lock(mutex_);
  if (done_) return results_;
  done_ = true;
  // A failure does not stop the rest: half of a device given back is better than none.
  for (const auto& [path, data] : writes_) results_.push_back(writeFile(context().seam, path, data));
  context().drop(shared_from_this());
  return results_;
}

namespace {

Napi::Value restoreCreate(Call& call) {
  const Napi::Array pairs = call.array(0, "writes");
  Restore::Writes writes;
  for (uint32_t i = 0; i < pairs.Length(); i++) {
    const Napi::Value pair = pairs[i];
    if (!pair.IsArray()) throw Napi::TypeError::New(call.env(), "writes must be pairs of path and data");
    const Napi::Value path = pair.As<Napi::Array>()[0u];
    const Napi::Value data = pair.As<Napi::Array>()[1u];
    if (!path.IsString() || !data.IsString()) {
      throw Napi::TypeError::New(call.env(), "writes must be pairs of path and data, both strings");
    }
    writes.emplace_back(path.As<Napi::String>(), data.As<Napi::String>());
  }
  auto restore = call.context().make<Restore>(std::move(writes));
  call.context().keep(restore);
  return wrap(call.env(), std::move(restore));
}

Napi::Value restoreRun(Call& call) {
  const auto restore = call.handle<Restore>(0, "restore");
  return blocking(
      call, call.boolean(1, "async"), [restore] { return restore->run(); },
      [](Napi::Env env, const std::vector<int>& results) -> Napi::Value {
        Napi::Array array = Napi::Array::New(env, results.size());
        for (uint32_t i = 0; i < results.size(); i++) array.Set(i, results[i]);
        return array;
      });
}

Napi::Value closeEverything(Call& call) {
  closeAll(call.context());
  return call.undefined();
}

}  // namespace

void exportRestore(Exports& exports) {
  exports.add<restoreCreate>("restoreCreate");
  exports.add<restoreRun>("restoreRun");
  exports.add<closeEverything>("closeAll");
}

}  // namespace vfio
