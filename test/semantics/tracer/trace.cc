#include "trace.h"

#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "decode.h"

namespace trace {
namespace {

constexpr greg_t kTrapFlag = 0x100;
/** Of a page fault's error code: the access was a write. */
constexpr greg_t kWrite = 2;

/** A register with a mind of its own. */
struct Script {
  uint32_t offset;
  std::vector<uint64_t> values;
  size_t next;
};

uint8_t* watched = nullptr;
size_t watchedLength = 0;
bool stepping = false;
size_t accesses = 0;
std::array<Access, kCapacity> log;
std::vector<Script> scripts;
struct sigaction beforeSegv;
struct sigaction beforeTrap;

void protect(int protection) {
  ::mprotect(watched, watchedLength, protection);
}

uint64_t valueAt(uint32_t offset, size_t width) {
  uint64_t value = 0;
  std::memcpy(&value, watched + offset, width);
  return value;
}

void passOn(const struct sigaction& before, int number, siginfo_t* info, void* context) {
  if ((before.sa_flags & SA_SIGINFO) != 0) return before.sa_sigaction(number, info, context);
  if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) return before.sa_handler(number);
  ::signal(number, SIG_DFL);
}

/** Before the instruction runs, so that it reads what the script says. */
void play(uint32_t offset, size_t width) {
  for (Script& script : scripts) {
    if (script.offset != offset) continue;
    std::memcpy(watched + offset, &script.values[script.next], width);
    if (script.next + 1 < script.values.size()) script.next++;
  }
}

void onSegv(int number, siginfo_t* info, void* raw) {
  const uintptr_t offset = reinterpret_cast<uintptr_t>(info->si_addr) - reinterpret_cast<uintptr_t>(watched);
  if (watched == nullptr || stepping || offset >= watchedLength) return passOn(beforeSegv, number, info, raw);
  const int saved = errno;
  auto& registers = static_cast<ucontext_t*>(raw)->uc_mcontext.gregs;
  const auto* const instruction = reinterpret_cast<const uint8_t*>(registers[REG_RIP]);
  const Operand operand = decode(instruction);
  const bool writes = (registers[REG_ERR] & kWrite) != 0;
  Access& access = log[accesses < kCapacity ? accesses : kCapacity - 1];
  access = {static_cast<uint32_t>(offset),
            static_cast<uint8_t>(operand.width),
            !writes || operand.both,
            writes,
            0,
            {}};
  std::memcpy(access.code.data(), instruction, access.code.size());
  protect(PROT_READ | PROT_WRITE);
  if (access.reads) {
    play(access.offset, access.width);
    access.value = valueAt(access.offset, access.width);
  }
  stepping = true;
  registers[REG_EFL] |= kTrapFlag;
  errno = saved;
}

void onTrap(int number, siginfo_t* info, void* raw) {
  if (!stepping) return passOn(beforeTrap, number, info, raw);
  const int saved = errno;
  Access& access = log[accesses < kCapacity ? accesses : kCapacity - 1];
  if (access.writes) access.value = valueAt(access.offset, access.width);
  accesses++;
  protect(PROT_NONE);
  stepping = false;
  static_cast<ucontext_t*>(raw)->uc_mcontext.gregs[REG_EFL] &= ~kTrapFlag;
  errno = saved;
}

bool install(int number, void (*handler)(int, siginfo_t*, void*), struct sigaction* before) {
  struct sigaction action {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  ::sigemptyset(&action.sa_mask);
  return ::sigaction(number, &action, before) == 0;
}

bool installed() {
  static const bool done = install(SIGSEGV, onSegv, &beforeSegv) && install(SIGTRAP, onTrap, &beforeTrap);
  return done;
}

}  // namespace

bool start(uint8_t* pages, size_t length) {
  if (!installed()) return false;
  watched = pages;
  watchedLength = length;
  accesses = 0;
  return ::mprotect(pages, length, PROT_NONE) == 0;
}

bool stop() {
  uint8_t* const pages = watched;
  watched = nullptr;
  return ::mprotect(pages, watchedLength, PROT_READ | PROT_WRITE) == 0;
}

bool serve(uint32_t offset, const uint64_t* values, size_t count) {
  if (count == 0) return false;
  scripts.push_back({offset, {values, values + count}, 0});
  return true;
}

void serveNothing() {
  scripts.clear();
}

size_t count() {
  return accesses;
}

const Access& at(size_t index) {
  return log[index];
}

}  // namespace trace
