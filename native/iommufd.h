#pragma once

#include <string>

#include "call.h"
#include "fd.h"
#include "sys.h"

namespace vfio {

/** An open /dev/iommu. What it holds are objects of the kernel, known by number. */
class IommufdFile final : public Resource {
 public:
  static constexpr Kind kKind = Kind::Iommufd;

  IommufdFile(std::shared_ptr<Context> context, int fd, std::string path)
      : Resource(kKind, std::move(context)), fd("iommufd", fd), path(std::move(path)) {}
  ~IommufdFile() override { release(); }

  /** Takes away what is mapped first: with a device still bound the kernel would keep it mapped. */
  void release() noexcept override;

  /** One command: a struct of uapi-iommufd.h, the answer in it afterwards. */
  template <typename Command>
  void run(Command& command) const {
    run(fd.use()->get(), command);
  }
  template <typename Command>
  void run(int number, Command& command) const {
    command.size = sizeof command;
    sys::ioctl(context().seam, number, Command::kRequest, Command::kName, &command, path);
  }
  /** For commands whose failure is an answer: -errno instead of an exception. */
  template <typename Command>
  int tryRun(Command& command) const {
    command.size = sizeof command;
    return sys::tryIoctl(context().seam, fd.use()->get(), Command::kRequest, Command::kName, &command);
  }

  SharedFd fd;
  const std::string path;
};

void exportIommufd(Exports& exports);

}  // namespace vfio
