#pragma once

#include <cstdint>
#include <memory>

namespace vfio {

class Context;

/** What a handle can be. The order is the one in which `liveObjects` lists them. */
enum class Kind : uint8_t { Container, Group, Device, Bar, Memory, DmaMap, EventFd, Restore, Iommufd, File };
constexpr int kKinds = 10;

/**
 * Something the kernel gave, owned: released by `release`, or when the last reference goes. Children hold
 * their parents, so that the last references go in the right order whatever the garbage collector does first.
 */
class Resource : public std::enable_shared_from_this<Resource> {
 public:
  Resource(const Resource&) = delete;
  Resource& operator=(const Resource&) = delete;
  virtual ~Resource() = default;

  /** Gives it back to the kernel: any thread, any number of times, never throws. */
  virtual void release() noexcept = 0;

  Kind kind() const noexcept { return kind_; }
  Context& context() const noexcept { return *context_; }

 protected:
  Resource(Kind kind, std::shared_ptr<Context> context) : kind_(kind), context_(std::move(context)) {}
  /** To be called by `release` when the kernel's side is gone. */
  void forget() noexcept;

 private:
  const Kind kind_;
  const std::shared_ptr<Context> context_;
};

}  // namespace vfio
