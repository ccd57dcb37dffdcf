#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

/**
 * A software bus analyser. The pages it watches are made inaccessible: each instruction that touches them
 * faults, is written down, and is then run alone, by single-stepping, with the pages open. For one thread:
 * another one would pass unseen while an instruction is stepped.
 */
namespace trace {

struct Access {
  uint32_t offset;
  /** Bytes; 0 when the instruction is not known (decode.h). */
  uint8_t width;
  bool reads;
  bool writes;
  /** What was read or, by an instruction that writes, what is there afterwards. */
  uint64_t value;
  /** How the instruction begins, for the report on one that is not known. */
  std::array<uint8_t, 8> code;
};

constexpr size_t kCapacity = size_t{1} << 16;

/** Watches these pages from now on. False when the handlers or the protection cannot be set. */
bool start(uint8_t* pages, size_t length);
/** Opens the pages again. */
bool stop();

/** From now on each read at `offset` finds the next of these values there, and then for ever the last one. */
bool serve(uint32_t offset, const uint64_t* values, size_t count);
void serveNothing();

/** How many accesses there were since `start`; those beyond the capacity are counted only. */
size_t count();
const Access& at(size_t index);

}  // namespace trace
