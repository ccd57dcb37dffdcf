#pragma once

#include "call.h"

namespace vfio {

/** A bitmap argument with a bit for each page of `length` bytes; throws a TypeError when it is too small. */
Words bitmapFor(Call& call, size_t index, uint64_t length, uint64_t pageSize);

void exportDirty(Exports& exports);

}  // namespace vfio
