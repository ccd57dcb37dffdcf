#include "sigbus.h"

#include <sched.h>
#include <signal.h>
#include <unistd.h>

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

// Whoever had the signal before. Never freed, as a handler may be on its way there.
std::atomic<const struct sigaction*> previous{nullptr};
std::mutex installing;

// What this thread is passing on. In a static slot of the thread, because a handler may not allocate.
thread_local const siginfo_t* passing __attribute__((tls_model("initial-exec"))) = nullptr;

bool bury(Slot& slot, uintptr_t address) noexcept {
  if (slot.state.load() != Guarded) return false;
  const uintptr_t start = slot.start.load();
  const size_t length = slot.length.load();
  if (address - start >= length) return false;
  if (!deadpages::cover(reinterpret_cast<void*>(start), length, slot.protection.load())) return false;
  slot.dead.fetch_add(1);
  const uint64_t one = 1;
  // Full is as good as signalled.
  [[maybe_unused]] const ssize_t written = ::write(slot.eventfd.load(), &one, sizeof one);
  return true;
}

bool buryAt(uintptr_t address) noexcept {
  for (Slot& slot : slots) {
    if (slot.state.load() != Guarded) continue;
    slot.lookers.fetch_add(1);
    const bool buried = bury(slot, address);
    slot.lookers.fetch_sub(1);
    if (buried) return true;
  }
  return false;
}

/** Returning repeats the access, which then ends the process as it would have without this handler. */
void giveUp(int number, const siginfo_t* info) {
  ::signal(number, SIG_DFL);
  if (info->si_code <= 0) ::raise(number);
}

void call(const struct sigaction& next, int number, siginfo_t* info, void* context) {
  // What the kernel would have blocked for it.
  sigset_t mask = next.sa_mask;
  if ((next.sa_flags & SA_NODEFER) == 0) ::sigaddset(&mask, number);
  sigset_t before;
  ::pthread_sigmask(SIG_BLOCK, &mask, &before);
  if ((next.sa_flags & SA_SIGINFO) != 0) {
    next.sa_sigaction(number, info, context);
  } else {
    next.sa_handler(number);
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void passOn(int number, siginfo_t* info, void* context) {
  const struct sigaction* const next = previous.load();
  const bool nobody =
      (next->sa_flags & SA_SIGINFO) == 0 && (next->sa_handler == SIG_DFL || next->sa_handler == SIG_IGN);
  // A handler that came later, and now is behind this one, may pass on to this one, where it came from.
  if (nobody || passing == info) return giveUp(number, info);
  passing = info;
  call(*next, number, info, context);
  passing = nullptr;
}

void onSigbus(int number, siginfo_t* info, void* context) {
  const int saved = errno;
  // A positive code is the kernel's: from kill(2) or sigqueue(3) si_addr means nothing.
  if (info->si_code <= 0 || !buryAt(reinterpret_cast<uintptr_t>(info->si_addr))) {
    passOn(number, info, context);
  }
  errno = saved;
}

void install() {
  const std::lock_guard<std::mutex> lock(installing);
  struct sigaction now {};
  ::sigaction(SIGBUS, nullptr, &now);
  if ((now.sa_flags & SA_SIGINFO) != 0 && now.sa_sigaction == onSigbus) return;
  previous.store(new struct sigaction(now));
  struct sigaction action {};
  action.sa_sigaction = onSigbus;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGBUS, &action, nullptr);
}

}  // namespace

Slot* guard(void* start, size_t length, int protection, int eventfd) {
  install();
  for (Slot& slot : slots) {
    uint32_t expected = Free;
    if (!slot.state.compare_exchange_strong(expected, Taken)) continue;
    slot.dead.store(0);
    slot.start.store(reinterpret_cast<uintptr_t>(start));
    slot.length.store(length);
    slot.protection.store(protection);
    slot.eventfd.store(eventfd);
    slot.state.store(Guarded);
    return &slot;
  }
  return nullptr;
}

void unguard(Slot* slot) noexcept {
  slot->state.store(Taken);
  while (slot->lookers.load() != 0) ::sched_yield();
  slot->state.store(Free);
}

}  // namespace vfio::sigbus
