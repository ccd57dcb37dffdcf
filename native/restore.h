#pragma once

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "resource.h"

namespace vfio {

class Exports;

/** Writes to sysfs that give a device back to its driver. Kept by the context until they ran. */
class Restore final : public Resource {
 public:
  static constexpr Kind kKind = Kind::Restore;
  using Writes = std::vector<std::pair<std::string, std::string>>;

  Restore(std::shared_ptr<Context> context, Writes writes)
      : Resource(kKind, std::move(context)), writes_(std::move(writes)) {}

  /** Runs them, once; returns an errno (or 0) per write, the same ones however often it is asked. */
  std::vector<int> run() noexcept;
  void release() noexcept override { run(); }

 private:
  const Writes writes_;
  std::mutex mutex_;
  bool done_ = false;
  std::vector<int> results_;
};

void exportRestore(Exports& exports);

}  // namespace vfio
