#include "decode.h"

namespace {

struct Prefixes {
  bool narrow = false;
  bool wide = false;
};

/** The width of the instructions that have one form for 16, 32 and 64 bits. */
size_t natural(const Prefixes& prefixes) {
  if (prefixes.wide) return 8;
  return prefixes.narrow ? 2 : 4;
}

const uint8_t* skipPrefixes(const uint8_t* at, Prefixes* prefixes) {
  for (;; at++) {
    switch (*at) {
      case 0x66:
        prefixes->narrow = true;
        continue;
      case 0xf0:  // lock
      case 0x2e:
      case 0x3e:
      case 0x64:
      case 0x65:
        continue;
      default:
        break;
    }
    break;
  }
  if ((*at & 0xf0) == 0x40) prefixes->wide = (*at++ & 8) != 0;
  return at;
}

Operand decodeTwoByte(uint8_t opcode, size_t width) {
  switch (opcode) {
    case 0xb6:  // movzx, movsx from 8 bits
    case 0xbe:
      return {1, false};
    case 0xb7:  // and from 16
    case 0xbf:
      return {2, false};
    case 0xb0:  // cmpxchg, xadd
    case 0xc0:
      return {1, true};
    case 0xb1:
    case 0xc1:
      return {width, true};
    default:
      return {0, false};
  }
}

}  // namespace

Operand decode(const uint8_t* instruction) {
  Prefixes prefixes;
  const uint8_t* const at = skipPrefixes(instruction, &prefixes);
  const size_t width = natural(prefixes);
  const uint8_t opcode = *at;
  if (opcode == 0x0f) return decodeTwoByte(at[1], width);
  // add, or, adc, sbb, and, sub, xor with memory as the first operand or the second; cmp writes nothing.
  if (opcode < 0x40 && (opcode & 7) < 4) {
    return {(opcode & 1) != 0 ? width : 1, (opcode & 2) == 0 && opcode < 0x38};
  }
  switch (opcode) {
    case 0x88:  // mov
    case 0x8a:
    case 0xc6:
    case 0xa0:
    case 0xa2:
    case 0x84:  // test
      return {1, false};
    case 0x89:
    case 0x8b:
    case 0xc7:
    case 0xa1:
    case 0xa3:
    case 0x85:
      return {width, false};
    case 0x63:  // movsxd
      return {4, false};
    case 0x86:  // xchg
      return {1, true};
    case 0x87:
      return {width, true};
    default:
      return {0, false};
  }
}
