#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "io-space.h"
#include "memory.h"

namespace vfio {

/** Whose pages a mapping shows: one, none where a file is mapped, several where a copy spans them. */
using Memories = std::vector<std::shared_ptr<Memory>>;

/** One range that the devices of an address space can reach. */
class DmaMapping final : public Resource {
 public:
  static constexpr Kind kKind = Kind::DmaMap;

  /** Holds the memory from here on, so that it cannot be freed while the kernel is still at work. */
  DmaMapping(std::shared_ptr<Context> context, std::shared_ptr<IoSpace> space, Memories memories,
             uint64_t length);
  ~DmaMapping() override;

  /** The kernel made it: enters it into the live ones. */
  void established(uint64_t iova);
  /** Returns the bytes unmapped, 0 when there was nothing to do. */
  uint64_t unmap();
  /** The same by another system call: `take(space, fd, iova, length)` returns the bytes. */
  using Take = std::function<uint64_t(IoSpace&, int, uint64_t, uint64_t)>;
  uint64_t unmapBy(const Take& take);
  /** Somebody else unmapped it: everything of its address space at once. */
  void markUnmapped() noexcept;
  void release() noexcept override;

  /** The three throw `ClosedError` once it is unmapped. */
  uint64_t iova() const;
  std::shared_ptr<IoSpace> space() const;
  uint64_t length() const;
  /** Holds `memory` in place of what it has been holding. */
  void moveTo(std::shared_ptr<Memory> memory);

  /** For those who look for a mapping: null once unmapped. */
  std::shared_ptr<IoSpace> peekSpace() const noexcept;
  /** Adds what it holds to `memories` if it shows any part of that range. */
  void collect(const IoSpace& space, uint64_t iova, uint64_t length, Memories& memories) const;

 private:
  enum class State { Pending, Mapped, Unmapping, Gone };
  void finish() noexcept;
  void checkMapped() const;

  const uint64_t length_;
  uint64_t iova_ = 0;
  mutable std::mutex mutex_;
  State state_ = State::Pending;
  std::shared_ptr<IoSpace> space_;
  Memories memories_;
};

/** Unmaps what is mapped in any address space of a file; what the kernel refuses to unmap stays. */
void releaseMappings(const Resource& file) noexcept;
/** The kernel has unmapped everything of a file, or of one address space. */
void forgetMappings(const Resource& file) noexcept;
void forgetMappings(Context& context, const IoSpace& space) noexcept;

/** `offset` and `length` as a range of addresses of `memory`; throws a TypeError when it is not inside. */
uint64_t addressWithin(Call& call, const Memory& memory, uint64_t offset, uint64_t length);

/** `establish(fd)` makes the mapping and returns its IOVA; `fd` is the address space's. */
using Establish = std::function<uint64_t(int)>;
Napi::Value startMapping(Call& call, bool async, std::shared_ptr<IoSpace> space, Memories memories,
                         uint64_t length, Establish establish);

void exportDma(Exports& exports);

}  // namespace vfio
