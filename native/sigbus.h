#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

/**
 * A device whose memory decoding is off (or that is in D3) answers an access to its mapped BAR with SIGBUS.
 * The guard puts dead pages under such a mapping, so that the access is repeated on those and reads all-ones.
 *
 * It is a guest in the process: what is not about a guarded mapping goes to the handler that was there
 * before. One that is installed later comes first until the next mapping is made, which puts the guard in
 * front of it.
 */
namespace vfio::sigbus {

/** A guarded mapping. `dead` counts how often the guard has replaced its pages. */
struct Slot {
  std::atomic<uint32_t> state{0};
  /** Handlers that are looking at it. */
  std::atomic<uint32_t> lookers{0};
  std::atomic<uint32_t> dead{0};
  std::atomic<uintptr_t> start{0};
  std::atomic<size_t> length{0};
  std::atomic<int> protection{0};
  std::atomic<int> eventfd{-1};
};

/**
 * Guards a mapping, installing the handler if that is not the process's any more; null when the table is
 * full. `eventfd` is signalled each time it dies, and must stay open until `unguard` returns.
 */
Slot* guard(void* start, size_t length, int protection, int eventfd);

/** Ends it, before the range is unmapped. No handler looks at it any more afterwards. */
void unguard(Slot* slot) noexcept;

}  // namespace vfio::sigbus
