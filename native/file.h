#pragma once

#include <condition_variable>
#include <mutex>

#include "watched.h"

namespace vfio {

class Exports;

/** A file the kernel handed out: a migration stream, a queue of faults or events, a dma-buf. */
class KernelFile final : public Watched {
 public:
  static constexpr Kind kKind = Kind::File;

  KernelFile(std::shared_ptr<Context> context, int fd) : Watched(kKind, std::move(context), "file", fd) {}
  ~KernelFile() override { release(); }

  /**
   * Whether there is something to read, waiting for it for a while. `release` ends the wait, which then
   * throws `ClosedError`, and lets go of the file before it returns: an iommufd refuses to destroy a queue
   * whose file is open.
   */
  bool waitReadable(int milliseconds);
  void release() noexcept override;

 private:
  std::mutex mutex_;
  std::condition_variable left_;
  unsigned waiting_ = 0;
  /** Made by the first wait. */
  FdRef wake_;
};

/** Owns a descriptor that the kernel, or somebody who got it from there, handed out. */
std::shared_ptr<KernelFile> ownFile(Context& context, int fd);

void exportFile(Exports& exports);

}  // namespace vfio
