#pragma once

#include <string>

#include "call.h"
#include "fd.h"

namespace vfio {

/** An open /dev/vfio/vfio. */
class ContainerFile final : public Resource {
 public:
  static constexpr Kind kKind = Kind::Container;

  ContainerFile(std::shared_ptr<Context> context, int fd, std::string path)
      : Resource(kKind, std::move(context)), fd("container", fd), path(std::move(path)) {}
  ~ContainerFile() override { release(); }

  /** Takes away what is mapped first: with a group still attached the kernel would keep it mapped. */
  void release() noexcept override;

  SharedFd fd;
  const std::string path;
};

void exportContainer(Exports& exports);

}  // namespace vfio
