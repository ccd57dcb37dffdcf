#include "sigbus.h"

#include <signal.h>

#include <cerrno>
#include <mutex>

#include "deadpages.h"

namespace vfio::sigbus {
namespace {

enum : uint32_t { Free, Taken, Guarded };

// Per process by nature: a signal has one handler, and it may run on any thread. Fixed, because it may not
// lock.
constexpr size_t kSlots = 1024;
Slot slots[kSlots];
struct sigaction previous;
std::once_flag installed;

bool revive(uintptr_t address) noexcept {
  for (Slot& slot : slots) {
    if (slot.state.load(std::memory_order_acquire) != Guarded) continue;
    const uintptr_t start = slot.start.load(std::memory_order_relaxed);
    const size_t length = slot.length.load(std::memory_order_relaxed);
    if (address - start >= length) continue;
    if (!deadpages::cover(reinterpret_cast<void*>(start), length,
                          slot.protection.load(std::memory_order_relaxed)))
      return false;
    slot.dead.fetch_add(1, std::memory_order_release);
    return true;
  }
  return false;
}

void onSigbus(int number, siginfo_t* info, void* context) {
  const int saved = errno;
  // A positive code is the kernel's: from kill(2) or sigqueue(3) si_addr means nothing.
  const bool handled = info->si_code > 0 && revive(reinterpret_cast<uintptr_t>(info->si_addr));
  errno = saved;
  if (handled) return;
  if ((previous.sa_flags & SA_SIGINFO) != 0) {
    previous.sa_sigaction(number, info, context);
  } else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
    previous.sa_handler(number);
  } else {
    // Returning repeats the access, which then ends the process as it would have without this handler.
    ::signal(number, SIG_DFL);
    if (info->si_code <= 0) ::raise(number);
  }
}

void install() {
  struct sigaction action {};
  action.sa_sigaction = onSigbus;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGBUS, &action, &previous);
}

}  // namespace

Slot* guard(void* start, size_t length, int protection) {
  std::call_once(installed, install);
  for (Slot& slot : slots) {
    uint32_t expected = Free;
    if (!slot.state.compare_exchange_strong(expected, Taken)) continue;
    slot.dead.store(0, std::memory_order_relaxed);
    slot.start.store(reinterpret_cast<uintptr_t>(start), std::memory_order_relaxed);
    slot.length.store(length, std::memory_order_relaxed);
    slot.protection.store(protection, std::memory_order_relaxed);
    slot.state.store(Guarded, std::memory_order_release);
    return &slot;
  }
  return nullptr;
}

void unguard(Slot* slot) noexcept {
  slot->state.store(Free, std::memory_order_release);
}

}  // namespace vfio::sigbus
