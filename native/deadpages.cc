#include "deadpages.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "errors.h"
#include "sys.h"

namespace vfio::deadpages {
namespace {

/** A larger range repeats the file: 2 MiB cost little, and keep the number of mappings per GiB at 512. */
constexpr size_t kFileSize = size_t{2} << 20;

// One per process and for ever: a signal handler uses it, on any thread, in any environment.
std::atomic<int> file{-1};
std::mutex making;

}  // namespace

void prepare(Seam& seam) {
  std::lock_guard<std::mutex> lock(making);
  if (file.load() >= 0) return;
  const int fd = sys::memfd(seam, "vfio-dead-pages", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  const std::vector<uint8_t> ones(kFileSize, 0xff);
  if (::write(fd, ones.data(), ones.size()) != static_cast<ssize_t>(ones.size()) ||
      ::fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0) {
    const int error = errno;
    ::close(fd);
    throw SysError(error, "write", {});
  }
  file.store(fd);
}

bool cover(void* start, size_t length, int protection) noexcept {
  const int fd = file.load();
  auto* const base = static_cast<uint8_t*>(start);
  for (size_t at = 0; at < length; at += kFileSize) {
    if (::mmap(base + at, std::min(kFileSize, length - at), protection, MAP_PRIVATE | MAP_FIXED, fd, 0) ==
        MAP_FAILED) {
      // Out of mappings (vm.max_map_count), most likely. Zeroes in one mapping are wrong but neither crash
      // nor keep the device busy.
      return ::mmap(base, length, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1,
                    0) != MAP_FAILED;
    }
  }
  return true;
}

}  // namespace vfio::deadpages
