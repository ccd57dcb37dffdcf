#include "sys.h"

#include <fcntl.h>
#include <linux/mempolicy.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <vector>

#include "errors.h"

namespace vfio::sys {
namespace {

/** The result of `call`, or -errno. */
template <typename Call>
long uninterrupted(Call call) noexcept {
  for (;;) {
    const long result = call();
    if (result >= 0) return result;
    if (errno != EINTR) return -errno;
  }
}

template <typename Call>
long attempt(Seam& seam, const char* name, Call call) noexcept {
  if (const int injected = seam.take(name)) return -injected;
  return uninterrupted(call);
}

template <typename Call>
long demand(Seam& seam, const char* name, const std::string& path, Call call) {
  const long result = attempt(seam, name, call);
  if (result < 0) throw SysError(static_cast<int>(-result), name, path);
  return result;
}

/** The result of an ioctl, or -errno. */
long answered(Seam& seam, int fd, unsigned long request, const char* name, const void* argument) noexcept {
  if (const int injected = seam.take(name)) return -injected;
  const auto answer = seam.answer(name);
  const long result = answer && answer->result
                          ? *answer->result
                          : uninterrupted([&] { return ::ioctl(fd, request, argument); });
  if (answer) answer->writeTo(const_cast<void*>(argument));
  return result;
}

}  // namespace

int open(Seam& seam, const std::string& path, int flags) {
  return demand(seam, "open", path, [&] { return ::open(path.c_str(), flags | O_CLOEXEC); });
}

int duplicate(Seam& seam, int fd, const std::string& path) {
  return demand(seam, "fcntl", path, [&] { return ::fcntl(fd, F_DUPFD_CLOEXEC, 0); });
}

void closeOnExec(Seam& seam, int fd) {
  demand(seam, "fcntl", {}, [&] { return ::fcntl(fd, F_SETFD, FD_CLOEXEC); });
}

int ioctl(Seam& seam, int fd, unsigned long request, const char* name, const void* argument,
          const std::string& path) {
  const long result = answered(seam, fd, request, name, argument);
  if (result < 0) throw SysError(static_cast<int>(-result), name, path);
  return static_cast<int>(result);
}

int tryIoctl(Seam& seam, int fd, unsigned long request, const char* name, const void* argument) noexcept {
  return static_cast<int>(answered(seam, fd, request, name, argument));
}

size_t read(Seam& seam, int fd, void* to, size_t length, const std::string& path) {
  return demand(seam, "read", path, [&] { return ::read(fd, to, length); });
}

size_t write(Seam& seam, int fd, const void* from, size_t length, const std::string& path) {
  return demand(seam, "write", path, [&] { return ::write(fd, from, length); });
}

size_t pread(Seam& seam, int fd, void* to, size_t length, uint64_t offset, const std::string& path) {
  return demand(seam, "pread", path, [&] { return ::pread(fd, to, length, static_cast<off_t>(offset)); });
}

size_t pwrite(Seam& seam, int fd, const void* from, size_t length, uint64_t offset, const std::string& path) {
  return demand(seam, "pwrite", path, [&] { return ::pwrite(fd, from, length, static_cast<off_t>(offset)); });
}

void* mmap(Seam& seam, void* at, size_t length, int protection, int flags, int fd, uint64_t offset,
           const std::string& path) {
  // Not through `demand`: an address is not a number whose sign says something.
  if (const int injected = seam.take("mmap")) throw SysError(injected, "mmap", path);
  void* const result = ::mmap(at, length, protection, flags, fd, static_cast<off_t>(offset));
  if (result == MAP_FAILED) throw SysError(errno, "mmap", path);
  return result;
}

int madvise(Seam& seam, void* at, size_t length, int advice) noexcept {
  return static_cast<int>(-attempt(seam, "madvise", [&] { return ::madvise(at, length, advice); }));
}

void bindToNode(Seam& seam, void* at, size_t length, int node) {
  constexpr unsigned bits = 8 * sizeof(unsigned long);
  std::vector<unsigned long> mask(static_cast<unsigned>(node) / bits + 1);
  mask[static_cast<unsigned>(node) / bits] = 1UL << (static_cast<unsigned>(node) % bits);
  // The kernel reads one bit fewer than it is told.
  const unsigned long length_in_bits = mask.size() * bits + 1;
  demand(seam, "mbind", {}, [&] {
    return ::syscall(SYS_mbind, at, length, MPOL_BIND, mask.data(), length_in_bits, MPOL_MF_STRICT);
  });
}

int memfd(Seam& seam, const char* name, unsigned flags) {
  return demand(seam, "memfd_create", {}, [&] { return ::memfd_create(name, flags); });
}

int eventfd(Seam& seam) {
  return demand(seam, "eventfd", {}, [] { return ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); });
}

uint64_t takeEvents(Seam& seam, int fd) {
  uint64_t count = 0;
  const long result = attempt(seam, "read", [&] { return ::read(fd, &count, sizeof count); });
  if (result == -EAGAIN) return 0;
  if (result < 0) throw SysError(static_cast<int>(-result), "read", {});
  return count;
}

void signalEvents(Seam& seam, int fd, uint64_t count) {
  demand(seam, "write", {}, [&] { return ::write(fd, &count, sizeof count); });
}

bool waitReadable(Seam& seam, int fd, int milliseconds) {
  return waitReadable(seam, fd, -1, milliseconds);
}

bool waitReadable(Seam& seam, int fd, int wake, int milliseconds) {
  if (const int injected = seam.take("poll")) throw SysError(injected, "poll", {});
  // A negative descriptor is passed over.
  pollfd waiting[] = {{fd, POLLIN, 0}, {wake, POLLIN, 0}};
  const int ready = ::poll(waiting, 2, milliseconds);
  // EINTR goes back to the caller, who knows how much of the time is left.
  if (ready < 0 && errno != EINTR) throw SysError(errno, "poll", {});
  return ready > 0 && waiting[0].revents != 0;
}

int epollCreate(Seam& seam) {
  return demand(seam, "epoll_create1", {}, [] { return ::epoll_create1(EPOLL_CLOEXEC); });
}

void epollAdd(Seam& seam, int epoll, int fd, uint32_t trigger, uint64_t data) {
  epoll_event event{};
  event.events = EPOLLIN | trigger;
  event.data.u64 = data;
  demand(seam, "epoll_ctl", {}, [&] { return ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event); });
}

void epollRemove(Seam& seam, int epoll, int fd) noexcept {
  attempt(seam, "epoll_ctl", [&] { return ::epoll_ctl(epoll, EPOLL_CTL_DEL, fd, nullptr); });
}

void pollStart(Seam& seam, uv_poll_t* poll, uv_poll_cb readable) {
  demand(seam, "epoll_ctl", {}, [&] {
    const int result = uv_poll_start(poll, UV_READABLE, readable);
    if (result < 0) errno = -result;
    return result;
  });
}

size_t pageSize() noexcept {
  static const size_t size = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

}  // namespace vfio::sys
