#include "forks.h"

#include <sys/mman.h>

#include <iterator>
#include <map>
#include <mutex>
#include <new>

#include "sys.h"

namespace vfio {
namespace {

/** How often each address is kept, up to the next one in the map. Never destroyed: objects may outlive it. */
struct Counts {
  std::mutex mutex;
  std::map<uintptr_t, unsigned> from;

  /** Makes `address` a boundary. */
  std::map<uintptr_t, unsigned>::iterator split(uintptr_t address) {
    const auto after = from.upper_bound(address);
    return from.emplace_hint(after, address, after == from.begin() ? 0 : std::prev(after)->second);
  }
  /** Drops the boundaries from `start` to `end` that separate nothing. */
  void merge(uintptr_t start, uintptr_t end) {
    auto entry = from.lower_bound(start);
    while (entry != from.end() && entry->first <= end) {
      const unsigned before = entry == from.begin() ? 0 : std::prev(entry)->second;
      entry = entry->second == before ? from.erase(entry) : std::next(entry);
    }
  }
};
Counts& counts() {
  static auto* const all = new Counts;
  return *all;
}

}  // namespace

KeptFromForks::KeptFromForks(Context& context, uintptr_t start, uintptr_t end)
    : context_(context), start_(start), end_(end) {
  Counts& all = counts();
  std::lock_guard<std::mutex> lock(all.mutex);
  all.split(end);
  for (auto entry = all.split(start); entry->first < end; ++entry) entry->second++;
  error_ = sys::madvise(context.seam, reinterpret_cast<void*>(start), end - start, MADV_DONTFORK);
  all.merge(start, end);
}

KeptFromForks::~KeptFromForks() {
  Counts& all = counts();
  std::lock_guard<std::mutex> lock(all.mutex);
  try {
    all.split(end_);
    for (auto entry = all.split(start_); entry->first < end_; ++entry) {
      if (--entry->second > 0 || abandoned_) continue;
      sys::madvise(context_.seam, reinterpret_cast<void*>(entry->first),
                   std::next(entry)->first - entry->first, MADV_DOFORK);
    }
    all.merge(start_, end_);
  } catch (const std::bad_alloc&) {
    // Children do without it: what they lose is less than what the device would.
  }
}

}  // namespace vfio
