#pragma once

#include "fd.h"
#include "resource.h"

namespace vfio {

class Direct;

/** A file that the loop can watch. */
class Watched : public Resource {
 public:
  SharedFd fd;
  /** The epoll that watches it, if any. On the environment's thread. */
  FdRef epoll;
  /** Its own handle in the event loop, if it has one. On the environment's thread. */
  Direct* direct = nullptr;

 protected:
  Watched(Kind kind, std::shared_ptr<Context> context, const char* name, int fd)
      : Resource(kind, std::move(context)), fd(name, fd) {}
  /** Closes it, out of the loop first: what an epoll watches must not be closed under it. */
  void close() noexcept;
};

}  // namespace vfio
