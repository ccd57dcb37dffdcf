#pragma once

#include <mutex>
#include <string>

#include "call.h"
#include "container.h"
#include "fd.h"

namespace vfio {

/** An open /dev/vfio/N. Holds the container it is attached to. */
class GroupFile final : public Resource {
 public:
  static constexpr Kind kKind = Kind::Group;

  GroupFile(std::shared_ptr<Context> context, int fd, std::string path)
      : Resource(kKind, std::move(context)), fd("group", fd), path(std::move(path)) {}
  ~GroupFile() override { release(); }

  void attachTo(std::shared_ptr<ContainerFile> container) noexcept;
  void release() noexcept override;

  SharedFd fd;
  const std::string path;

 private:
  std::mutex mutex_;
  std::shared_ptr<ContainerFile> container_;
};

void exportGroup(Exports& exports);

}  // namespace vfio
