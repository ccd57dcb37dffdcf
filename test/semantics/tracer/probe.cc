#include "probe.h"

namespace probe {
namespace {

void moves(uint8_t* p) {
  asm volatile(
      "movb (%0), %%al\n\t"
      "movw (%0), %%ax\n\t"
      "movl (%0), %%eax\n\t"
      "movq (%0), %%rax\n\t"
      "movb %%al, (%0)\n\t"
      "movw %%ax, (%0)\n\t"
      "movl %%eax, (%0)\n\t"
      "movq %%rax, (%0)" ::"r"(p)
      : "rax", "memory");
}

/** The forms that V8 and optimising compilers like: extension, constants, addresses in other registers. */
void otherMoves(uint8_t* p) {
  asm volatile(
      "movq %0, %%r9\n\t"
      "movzbl (%%r9), %%eax\n\t"
      "movzwl (%%r9), %%eax\n\t"
      "movsbq (%%r9), %%rax\n\t"
      "movswl (%%r9), %%eax\n\t"
      "movslq (%%r9), %%rax\n\t"
      "movl (%%r9), %%r10d\n\t"
      "movb $1, (%%r9)\n\t"
      "movw $1, (%%r9)\n\t"
      "movl $1, (%%r9)\n\t"
      "movq $1, (%%r9)" ::"r"(p)
      : "rax", "r9", "r10", "memory");
}

void readsAndWrites(uint8_t* p) {
  asm volatile(
      "xorl %%eax, %%eax\n\t"
      "xchgl %%eax, (%0)\n\t"
      "lock orl %%eax, (%0)\n\t"
      "lock cmpxchgl %%eax, (%0)\n\t"
      "addb %%al, (%0)\n\t"
      "addl (%0), %%eax\n\t"
      "cmpl %%eax, (%0)" ::"r"(p)
      : "rax", "cc", "memory");
}

void unknown(uint8_t* p) {
  asm volatile("movups (%0), %%xmm0" ::"r"(p) : "xmm0", "memory");
}

constexpr void (*kinds[])(uint8_t*) = {moves, otherMoves, readsAndWrites, unknown};

}  // namespace

bool run(size_t kind, uint8_t* address) {
  if (kind >= sizeof kinds / sizeof kinds[0]) return false;
  kinds[kind](address);
  return true;
}

}  // namespace probe
