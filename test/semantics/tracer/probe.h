#pragma once

#include <cstddef>
#include <cstdint>

/** Accesses whose widths and kinds are known, because they are written in assembly: the instrument is tested
 * by them. */
namespace probe {

/** Makes the accesses of one kind at an address; false when there is no kind of that number. */
bool run(size_t kind, uint8_t* address);

}  // namespace probe
