#pragma once

#include <cstddef>
#include <cstdint>

/** What an instruction does to the memory it names. */
struct Operand {
  /** Bytes; 0 for an instruction that is not known here. */
  size_t width;
  /** Whether it reads and writes it, as `xchg` and `or [m], r` do. */
  bool both;
};

/**
 * The forms in which compilers and V8 access memory: moves, with and without extension, and the two-operand
 * arithmetic. Not a disassembler: whatever else an access may be made by is reported as unknown, and fails
 * the test that it is seen in.
 */
Operand decode(const uint8_t* instruction);
