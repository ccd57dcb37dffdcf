#pragma once

#include <sys/types.h>
#include <uv.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>

#include "seam.h"

/**
 * Every system call of the package, in one place: EINTR is retried, a failure becomes a `SysError`, and the
 * seam can make any of them fail. `path` only names the file in the error.
 */
namespace vfio::sys {

/** Returns the descriptor, opened with O_CLOEXEC. */
int open(Seam& seam, const std::string& path, int flags);
/** Another descriptor of the same open file. */
int duplicate(Seam& seam, int fd, const std::string& path);
/** Makes a descriptor that came from elsewhere like ours; fails when it is none. */
void closeOnExec(Seam& seam, int fd);

/** `request`'s name is what the error's `syscall` says. Returns the ioctl's own result. */
int ioctl(Seam& seam, int fd, unsigned long request, const char* name, const void* argument,
          const std::string& path);
/** For calls whose failure is an answer, or where nobody is left to tell: -errno instead of an exception. */
int tryIoctl(Seam& seam, int fd, unsigned long request, const char* name, const void* argument) noexcept;

size_t read(Seam& seam, int fd, void* to, size_t length, const std::string& path);
size_t write(Seam& seam, int fd, const void* from, size_t length, const std::string& path);
size_t pread(Seam& seam, int fd, void* to, size_t length, uint64_t offset, const std::string& path);
size_t pwrite(Seam& seam, int fd, const void* from, size_t length, uint64_t offset, const std::string& path);

void* mmap(Seam& seam, void* at, size_t length, int protection, int flags, int fd, uint64_t offset,
           const std::string& path);
/** Returns 0 or the errno: whether a refused advice matters is for the caller to say. */
int madvise(Seam& seam, void* at, size_t length, int advice) noexcept;
/** Binds the pages of a range to one NUMA node. */
void bindToNode(Seam& seam, void* at, size_t length, int node);
int memfd(Seam& seam, const char* name, unsigned flags);

int eventfd(Seam& seam);
/** Takes an eventfd's counter: 0 when nothing was signalled. */
uint64_t takeEvents(Seam& seam, int fd);
void signalEvents(Seam& seam, int fd, uint64_t count);
/** Whether `fd` became readable within `milliseconds`; a signal may end the wait early. */
bool waitReadable(Seam& seam, int fd, int milliseconds);
/** The same, ended early when `wake` becomes readable. */
bool waitReadable(Seam& seam, int fd, int wake, int milliseconds);

int epollCreate(Seam& seam);
/** `trigger`: EPOLLET to tell of each new event once, 0 to tell for as long as there is something to read. */
void epollAdd(Seam& seam, int epoll, int fd, uint32_t trigger, uint64_t data);
/** What fails here ends with the descriptor's close, which takes it out too. */
void epollRemove(Seam& seam, int epoll, int fd) noexcept;

/** Has libuv look whether a handle's descriptor is readable; a failure of its epoll_ctl(2) can be injected
 * only. */
void pollStart(Seam& seam, uv_poll_t* poll, uv_poll_cb readable);

size_t pageSize() noexcept;

}  // namespace vfio::sys
