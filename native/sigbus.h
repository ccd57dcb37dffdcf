#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

/**
 * A device whose memory decoding is off (or that is in D3) answers an access to its mapped BAR with SIGBUS.
 * The guard puts dead pages under such a mapping, so that the access is repeated on those and reads all-ones.
 */
namespace vfio::sigbus {

/** A guarded mapping. `dead` says that the guard has replaced its pages. */
struct Slot {
  std::atomic<uint32_t> state{0};
  std::atomic<uint32_t> dead{0};
  std::atomic<uintptr_t> start{0};
  std::atomic<size_t> length{0};
  std::atomic<int> protection{0};
};

/** Guards a mapping, installing the handler the first time; null when the table is full. */
Slot* guard(void* start, size_t length, int protection);

/** Ends it, before the range is unmapped. */
void unguard(Slot* slot) noexcept;

}  // namespace vfio::sigbus
