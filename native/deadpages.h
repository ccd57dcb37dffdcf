#pragma once

#include <cstddef>

#include "seam.h"

/**
 * What stands where a device was: private pages that read all-ones, as a bus without a device does, and that
 * swallow stray writes.
 */
namespace vfio::deadpages {

/** Makes the file the pages come from, once per process; throws, so that `cover` has nothing left to fail on.
 */
void prepare(Seam& seam);

/** Maps dead pages over a page-aligned range. Async-signal-safe. */
bool cover(void* start, size_t length, int protection) noexcept;

}  // namespace vfio::deadpages
